"""Attacks on the promise that a deleted row is kept, is out of the way, and comes back as it was."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, literal
from freehold.kernel.objects import Key, table_key
from freehold.kernel.room import Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.soft_delete.compile import EVENTS
from freehold.rooms.soft_delete.declare import SoftDelete
from freehold.rooms.soft_delete.layout import Layout, layout_of

PACKAGE = __package__ or ""
PROBER = "prober"
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))


def probe_soft_delete(declaration: SoftDelete, model: Model) -> Iterator[Probe]:
    """Every attack on one soft-deleted table."""
    ground = Ground(layout_of(declaration, model), model)
    actions = _actions(ground)
    if not actions & {"RESTRICT"}:
        yield _replaced(ground)
    if actions <= {"CASCADE", "SET NULL", "SET DEFAULT"}:
        yield _moved(ground)
        yield _restored(ground)
    yield _armed(ground)
    if Key("role", (model.role("app_a"),)) in model.objects:
        yield from _closed(ground)
        if ground.layout.base.facts.tenant_column and not actions & {"RESTRICT"}:
            yield from _foreign(ground)


def _actions(ground: Ground) -> set[str]:
    """What the foreign keys that refer to the table do when a row goes."""
    keys = (key for table in ground.model.metadata.tables.values() for key in table.foreign_key_constraints)
    referring = (key for key in keys if name_of(key.referred_table) == ground.layout.name)
    return {(key.ondelete or "NO ACTION").upper().partition(" (")[0] for key in referring}


@dataclass(frozen=True)
class Ground:
    """What the attacks on one table have in common."""

    layout: Layout
    model: Model

    @property
    def tenant(self) -> str:
        """The column that tells the witnesses apart: the tenant's, or the key's first where no tenant owns the rows."""
        return self.layout.base.facts.tenant_column or self.layout.key[0]

    def bind(self, whose: str) -> tuple[str, ...]:
        """The context of a tenant, or of nobody; none where the layer has no contexts."""
        if ISSUER not in self.model.objects:
            return ()
        owned = bool(self.layout.base.facts.tenant_column)
        return (read_sql(PACKAGE, f"bind_{whose}" if owned else "bind_nobody").strip(),)

    def text(self, name: str, **holes: Sql) -> Sql:
        """A statement about the base table."""
        return fill(PACKAGE, name, base=self.layout.base.sql, **holes)

    def begin(self, whose: str = "tenant") -> tuple[str, ...]:
        """The context, and the row that the attack is about."""
        chosen = self.text(f"choose_row_of_{whose}", tenant=ident(self.tenant), row=self.layout.names("t"))
        return (*self.bind(whose), chosen)

    def strike(self, verb: str) -> Sql:
        """Delete the chosen row, or delete it and insert it again."""
        if verb == "delete":
            return self.text("delete_row", row=self.layout.names("t"))
        return self.text("replace_row", row=self.layout.names("t"), written=idents(self.layout.written))

    @property
    def counted(self) -> Sql:
        """How often the row is among the deleted ones, by the prober and now, and how often among the live ones."""
        actor = literal(PROBER) if ISSUER in self.model.objects else Sql("session_user")
        row, gone = self.layout.names("t"), self.layout.names("d")
        return self.text("count_row", deleted=self.layout.sql, actor=actor, row=row, gone=gone)

    def probe(self, promise: str, attack: Sql, expect: Expectation, *prepare: str, role: str = "") -> Probe:
        """A probe of this table; one that prepares a row needs two tenants that have some."""
        place = (self.layout.base.schema, self.layout.base.table, self.tenant)
        return Probe(
            promise=promise,
            subject=table_key(self.layout.base.schema, self.layout.table),
            attack=attack,
            expect=expect,
            role=role,
            prepare=prepare,
            rows_in=place if prepare else (),
        )


def _replaced(ground: Ground) -> Probe:
    return ground.probe(
        f"a deleted row of {ground.layout.title} is kept with who and when, and its keys are free at once",
        ground.counted,
        Returns(((1, 1),)),
        *ground.begin(),
        ground.strike("replace"),
    )


def _moved(ground: Ground) -> Probe:
    return ground.probe(
        f"a deleted row of {ground.layout.title} is nowhere in the table",
        ground.counted,
        Returns(((1, 0),)),
        *ground.begin(),
        ground.strike("delete"),
    )


def _restored(ground: Ground) -> Probe:
    layout = ground.layout
    restore = fill(
        PACKAGE,
        "restore_row",
        restore=layout.qualified_function("restore"),
        deleted=layout.sql,
        gone=layout.names("d"),
    )
    return ground.probe(
        f"a deleted row of {layout.title} comes back exactly as it was",
        ground.counted,
        Returns(((0, 1),)),
        *ground.begin(),
        ground.strike("delete"),
        restore,
    )


def _armed(ground: Ground) -> Probe:
    """Not struck: a TRUNCATE would lock the live table."""
    attack = fill(PACKAGE, "list_triggers", table=literal(ground.layout.base.sql))
    expected = Returns(tuple((f"freehold_soft_delete_{verb}", "O") for verb in sorted(EVENTS)))
    return ground.probe(f"DELETE and TRUNCATE of {ground.layout.title} fire their triggers", attack, expected)


def _closed(ground: Ground) -> Iterator[Probe]:
    """Rights are checked before rows, so that no attack needs a context."""
    strikes = {
        "INSERT": ddl("INSERT INTO {} DEFAULT VALUES", ground.layout.sql),
        "UPDATE": ddl("UPDATE {} SET deleted_by = 'somebody else'", ground.layout.sql),
        "DELETE": ddl("DELETE FROM {}", ground.layout.sql),
        "TRUNCATE": ddl("TRUNCATE {}", ground.layout.sql),
    }
    for verb, attack in strikes.items():
        promise = f"the application cannot {verb} deleted rows of {ground.layout.title}"
        yield ground.probe(promise, attack, Raises("42501"), role=ground.model.role("app_a"))


def _foreign(ground: Ground) -> Iterator[Probe]:
    """The administrator deletes a row of the other tenant; the application tries to get at it."""
    layout = ground.layout
    chosen = fill(PACKAGE, "choose_deletion", deleted=layout.sql, gone=layout.names("d"))
    prepare = (*ground.begin("other"), ground.strike("replace"), chosen, *ground.bind("tenant"))
    for verb, promise in (
        ("restore", "another tenant's deleted rows of {} cannot be restored"),
        ("forget", "another tenant's deleted rows of {} cannot be forgotten"),
    ):
        attack = fill(PACKAGE, f"call_{verb}", function=layout.qualified_function(verb))
        yield ground.probe(
            promise.format(layout.title), attack, Raises("FH041"), *prepare, role=ground.model.role("app_a")
        )
