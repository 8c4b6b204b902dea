"""Attacks on the promise that every change leaves its version, and that the application cannot touch it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal
from freehold.kernel.objects import Key, table_key
from freehold.kernel.room import Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.history.compile import EVENTS, UNMOVED
from freehold.rooms.history.declare import History
from freehold.rooms.history.layout import Layout, layout_of
from freehold.rooms.history.past import versions

PACKAGE = __package__ or ""
PROBER = "prober"
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))


def probe_history(declaration: History, model: Model) -> Iterator[Probe]:
    """Every attack on one history."""
    ground = Ground(layout_of(declaration, model), model)
    yield from _recorded(ground)
    yield _complete(ground)
    yield _armed(ground)
    if Key("role", (model.role("app_a"),)) in model.objects:
        yield from _closed(ground)


@dataclass(frozen=True)
class Ground:
    """What the attacks on one history have in common."""

    layout: Layout
    model: Model

    @property
    def subject(self) -> Key:
        """The history table."""
        return table_key(self.layout.base.schema, self.layout.table)

    @property
    def title(self) -> str:
        """The base table's name for sentences."""
        return f"{self.layout.base.schema}.{self.layout.base.table}"

    @property
    def tenant(self) -> str:
        """The column that tells the witnesses apart: the tenant's, or the key's first where no tenant owns the rows."""
        return self.layout.base.facts.tenant_column or self.layout.key[0]

    @property
    def actor(self) -> Sql:
        """Who the versions of an attack name."""
        return literal(PROBER) if ISSUER in self.model.objects else Sql("session_user")

    def begin(self) -> tuple[str, ...]:
        """The context, and the row that the attack is about."""
        owned = bool(self.layout.base.facts.tenant_column)
        context = "bind_tenant" if owned else "bind_nobody"
        bound = (read_sql(PACKAGE, context).strip(),) if ISSUER in self.model.objects else ()
        return (*bound, self.text("choose_row", row=self.layout.names("t")))

    def text(self, name: str, **holes: Sql) -> Sql:
        """A statement about the base table."""
        return fill(PACKAGE, name, base=self.layout.base.sql, tenant=ident(self.tenant), **holes)

    def probe(self, promise: str, attack: Sql, expect: Expectation, **options: str | tuple[str, ...]) -> Probe:
        """A probe of this history."""
        return Probe(promise=promise, subject=self.subject, attack=attack, expect=expect, **options)  # type: ignore[arg-type]

    @property
    def rows_in(self) -> tuple[str, str, str]:
        """Where the attack needs rows."""
        return (self.layout.base.schema, self.layout.base.table, self.tenant)


def _recorded(ground: Ground) -> Iterator[Probe]:
    layout = ground.layout
    settable = [c.column for c in layout.kept if not c.generated and c.identity != "a"]
    touched = next((name for name in settable if name not in layout.key), next(iter(settable), ""))
    written = tuple(c.column for c in layout.kept if not c.generated)
    replace = ground.text(
        "replace_row", row=layout.names("t"), written=idents(written), values=_dated(written, layout.born)
    )
    strikes = [("DELETE", "INSERT", replace, "deleting and inserting a row of {} leaves both in history")]
    if touched:
        touch = ground.text("touch_row", row=layout.names("t"), column=ident(touched))
        strikes.insert(
            0, ("UPDATE", "UPDATE", touch, "updating a row of {} leaves what it was, until when and by whom")
        )
    # A rule that judges how a row may begin lets a proof put one back that it has taken away.
    proof = "SET LOCAL freehold.proof = 'on'"
    for ended, began, strike, promise in strikes:
        yield ground.probe(
            promise.format(ground.title),
            _witnessed(ground, ended, began),
            Returns(((1,),)),
            prepare=(*ground.begin(), proof, strike),
            rows_in=ground.rows_in,
        )


def _dated(written: tuple[str, ...], born: str) -> Sql:
    """The row as it was; one that says since when it is there says a day too early, which history must correct."""
    return joined(ddl("{} - interval '1 day'", ident(name)) if name == born else ident(name) for name in written)


def _witnessed(ground: Ground, ended: str, began: str) -> Sql:
    layout = ground.layout
    return ground.text(
        "count_recorded",
        versions=ddl("({})", versions(layout)),
        ended=literal(ended),
        began=literal(began),
        actor=ground.actor,
        old_row=layout.names("o"),
        new_row=layout.names("n"),
        row=layout.names("t"),
        same_version=layout.match("n", "o"),
        same_row=layout.match("t", "n"),
    )


def _complete(ground: Ground) -> Probe:
    layout = ground.layout
    if layout.ended:
        settled = fill(PACKAGE, "count_unsettled", history=layout.sql)
        promise = f"every version of {ground.title} in history has ended, and none before it began"
        return ground.probe(promise, settled, Returns(((0,),)))
    attack = fill(
        PACKAGE,
        "count_strays",
        base=layout.base.sql,
        history=layout.sql,
        same_key=layout.match("t", "h"),
        key=ident(layout.key[0]),
        row=layout.names("t"),
        version=layout.names("h"),
    )
    return ground.probe(f"every current version of {ground.title} is its row", attack, Returns(((0,),)))


def _armed(ground: Ground) -> Probe:
    """Not struck: a TRUNCATE would lock the live table."""
    base = ground.layout.base
    attack = fill(PACKAGE, "list_triggers", table=literal(base.sql))
    names = sorted([*(f"freehold_history_{verb}" for verb in EVENTS), *([UNMOVED] if ground.layout.ended else [])])
    expected = Returns(tuple((name, "O") for name in names))
    return ground.probe(f"every kind of statement on {ground.title} fires its trigger", attack, expected)


def _closed(ground: Ground) -> Iterator[Probe]:
    """Rights are checked before rows, so that no attack needs a context."""
    strikes = {
        "INSERT": ddl("INSERT INTO {} DEFAULT VALUES", ground.layout.sql),
        "UPDATE": ddl("UPDATE {} SET actor = 'somebody else'", ground.layout.sql),
        "DELETE": ddl("DELETE FROM {}", ground.layout.sql),
        "TRUNCATE": ddl("TRUNCATE {}", ground.layout.sql),
    }
    for verb, attack in strikes.items():
        yield ground.probe(
            f"the application cannot {verb} the history of {ground.title}",
            attack,
            Raises("42501"),
            role=ground.model.role("app_a"),
        )
