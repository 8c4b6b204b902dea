"""The steps by which a column is filled, takes another one's place, or changes its type, while its table is used."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, shortened, trusted
from freehold.kernel.objects import Change, Column, Key, Lock, Stage, Undo
from freehold.kernel.online.batch import Batch
from freehold.kernel.online.names import COMING, OURS, SHADOW
from freehold.kernel.template import fill

PACKAGE = __package__ or ""


@dataclass(frozen=True)
class Filling:
    """How the rows that are there get a column's values.

    Parameters
    ----------
    column
        The column as it is declared.
    into
        The column that is written: the declared one, or one beside it until they change places.
    key
        The columns of the table's key, each with its type.
    value
        The value, of a row ``t``.
    old
        The column whose place it takes while both are written; empty where there is none.
    followed
        Whether rows that come in get their values from a trigger, for older applications do not give them.
    """

    column: Column
    into: str
    key: tuple[tuple[str, str], ...]
    value: Sql
    old: str = ""
    followed: bool = True
    begun: bool = False
    finished: bool = False

    @property
    def table(self) -> Sql:
        """The quoted, qualified table."""
        return qualified(self.column.schema, self.column.table)

    @property
    def beside(self) -> bool:
        """Whether another column is written, which is to take the declared one's place."""
        return self.into != self.column.column

    @property
    def trigger(self) -> Sql:
        """The trigger's name, and its function's; names are in step before values are made of them."""
        what = "name" if self.old else "value"
        return ident(f"{OURS}{what}_{shortened(f'{self.column.table}_{self.into}')}")

    @property
    def function(self) -> Sql:
        """The function's quoted, qualified name."""
        return ddl("{}.{}", ident(COMING), self.trigger)

    @property
    def batch(self) -> Batch:
        """The rows that are there."""
        return Batch(
            name=f"{self.column.schema}.{self.column.table}.{self.into}",
            table=self.table,
            key=self.key,
            statement=ddl(
                "UPDATE {} AS t SET {} = {} FROM batch AS b WHERE {}",
                self.table,
                ident(self.into),
                self.value,
                joined((ddl("t.{0} = b.{0}", ident(name)) for name, _ in self.key), " AND "),
            ),
            condition=ddl("t.{} IS NULL", ident(self.into)),
        )

    def change(self, verb: str, lock: Lock, *statements: Sql, stage: Stage = Stage.EXPAND) -> Change:
        """A change of the column."""
        return Change(title=f"{verb} {self.column.key}", statements=statements, lock=lock, on=self.table, stage=stage)

    def begin(self) -> tuple[Sql, ...]:
        """What makes it keep in step from here on; an earlier run's progress is forgotten."""
        reset = ddl(
            "INSERT INTO freehold.backfill (name, rows) VALUES ({}, 0) "
            "ON CONFLICT (name) DO UPDATE SET place = NULL, rows = 0, finished_at = NULL",
            literal(self.batch.name),
        )
        return (reset, *self._follow()) if self.followed else (reset,)

    def _follow(self) -> Iterator[Sql]:
        yield ddl("CREATE SCHEMA IF NOT EXISTS {}", ident(COMING))
        names = {"function": self.function, "into": ident(self.into), "value": self.value}
        if self.old:
            default = trusted(self.column.default) if self.column.default else Sql("NULL")
            yield fill(
                PACKAGE,
                "create_mirror",
                function=self.function,
                new=ident(self.into),
                old=ident(self.old),
                default=default,
            )
        elif self.into == self.column.column:
            yield fill(PACKAGE, "create_fill", **names)
        else:
            yield fill(PACKAGE, "create_shadow", **names)
        yield ddl("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", self.function)
        yield ddl("DROP TRIGGER IF EXISTS {} ON {}", self.trigger, self.table)
        yield ddl(
            "CREATE TRIGGER {} BEFORE INSERT OR UPDATE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
            self.trigger,
            self.table,
            self.function,
        )

    def end(self) -> tuple[Sql, ...]:
        """What stops it."""
        return (
            ddl("DROP TRIGGER IF EXISTS {} ON {}", self.trigger, self.table),
            ddl("DROP FUNCTION IF EXISTS {}()", self.function),
        )

    def filled(self) -> Change:
        """The batches, and then what the planner must know of them before anybody reads the column."""
        analysed = ddl("ANALYZE {} ({})", self.table, ident(self.into))
        change = self.change("fill", Lock.SHARE_UPDATE_EXCLUSIVE, analysed, stage=Stage.BACKFILL)
        return replace(change, batch=self.batch)


def added(filling: Filling, *, there: bool) -> tuple[Change, ...]:
    """A column that comes with values of its own for the rows that are there.

    Parameters
    ----------
    there
        Whether the column is there already, from a run that was cut short or from before.
    """
    column = filling.column
    bare = replace(column, not_null=False, default="", identity="")
    statements: list[Sql] = []
    if not there:
        statements.append(ddl("ALTER TABLE {} ADD COLUMN {}", filling.table, bare.written))
        if column.comment:
            statements.append(column.commented)
    if not filling.begun:
        if column.default:
            redefault = ddl("SET DEFAULT {}", trusted(column.default))
            statements.append(ddl("ALTER TABLE {} ALTER COLUMN {} {}", filling.table, ident(column.column), redefault))
        statements += filling.begin()
    changes = [filling.change("add" if not there else "begin to fill", Lock.ACCESS_EXCLUSIVE, *statements)]
    if not filling.finished:
        changes.append(filling.filled())
    return tuple(change for change in changes if change.shown)


def retyped(filling: Filling, live: Column, required: tuple[Change, ...]) -> tuple[Change, ...]:
    """A column whose values take another type beside it, and which changes places with it in one moment.

    Parameters
    ----------
    required
        What proves of the new values that none is missing, where none may be: of the column beside it.
    """
    column = filling.column
    new = replace(column, column=filling.into, not_null=False, default="", identity="", comment="")
    add = filling.change(
        "prepare another type of",
        Lock.ACCESS_EXCLUSIVE,
        # One that is there was not kept in step all the time.
        drop := ddl("ALTER TABLE {} DROP COLUMN IF EXISTS {}", filling.table, ident(filling.into)),
        ddl("ALTER TABLE {} ADD COLUMN {}", filling.table, new.written),
        *filling.begin(),
    )
    add = replace(add, undo=(Undo(f"take back another type of {column.key}", (*filling.end(), drop)),))
    before = [*([] if filling.begun else [add]), *([] if filling.finished else [filling.filled()]), *required]
    switch = filling.change(
        "change type of", Lock.ACCESS_EXCLUSIVE, *_switched(filling, live, proved=bool(required)), stage=Stage.SWITCH
    )
    title = f"{switch.title} from {live.type} to {column.type}"
    return (*(replace(change, prepares=True) for change in before), replace(switch, title=title, reversible=False))


def parted(filling: Filling, drop: Change, *, same_type: bool) -> tuple[Change, ...]:
    """The older name of a column goes, after it was seen that the newer one has all its values.

    Parameters
    ----------
    same_type
        Whether both have one type, so that their values can be compared.
    """
    hint = f"The trigger between them was changed by hand. Make {filling.old} and {filling.column.column} the same."
    compare = filling.change(
        "compare both names of",
        Lock.ACCESS_SHARE,
        fill(
            PACKAGE,
            "compare_names",
            table=filling.table,
            new=ident(filling.column.column),
            old=ident(filling.old),
            title=literal(str(filling.column.key)),
            hint=literal(hint),
        ),
        stage=Stage.CONTRACT,
    )
    statements = (_in_step(filling), *filling.end(), *drop.statements)
    gone = replace(drop, statements=statements, loses="", reversible=False)
    return (compare, gone) if same_type else (gone,)


def _in_step(filling: Filling) -> Sql:
    """What refuses to go on where the trigger, or the column that it writes, was changed by hand."""
    return fill(
        PACKAGE,
        "check_in_step",
        table=literal(filling.table),
        column=literal(filling.into),
        type=literal(filling.column.type),
        trigger=literal(trigger_key(filling).name[-1]),
        title=literal(str(filling.column.key)),
    )


def _switched(filling: Filling, live: Column, *, proved: bool) -> Iterator[Sql]:
    column, table = filling.column, filling.table
    was_name = shortened(f"{column.column}__was", 63)
    was = ident(was_name)
    name = ident(column.column)
    yield _in_step(filling)
    yield from filling.end()
    if live.identity:
        # The numbers go on in a sequence of the new type.
        yield ddl("ALTER TABLE {} ALTER COLUMN {} DROP IDENTITY", table, name)
    yield ddl("ALTER TABLE {} RENAME COLUMN {} TO {}", table, name, was)
    yield ddl("ALTER TABLE {} RENAME COLUMN {} TO {}", table, ident(filling.into), name)
    if column.not_null:
        yield ddl("ALTER TABLE {} ALTER COLUMN {} SET NOT NULL", table, name)
    if proved:
        yield ddl("ALTER TABLE {} DROP CONSTRAINT {}", table, ident(proof_of(filling.into)))
    if column.identity:
        yield from column.begun_identity()
    elif column.default:
        yield from _owned(filling, was_name)
        yield ddl("ALTER TABLE {} ALTER COLUMN {} SET DEFAULT {}", table, name, trusted(column.default))
    yield ddl("ALTER TABLE {} DROP COLUMN {}", table, was)
    if column.comment:
        yield column.commented


def _owned(filling: Filling, was: str) -> Iterator[Sql]:
    """A sequence that the old column owns would go with it."""
    yield fill(
        PACKAGE,
        "pass_sequence",
        table=literal(filling.table),
        was=literal(was),
        owner=ddl("{}.{}", filling.table, ident(filling.column.column)),
    )


def proof_of(column: str) -> str:
    """The name of the CHECK that proves, before SET NOT NULL, that no value is missing."""
    return shortened(f"fh_{column}_not_null")


def shadow_of(column: Column) -> str:
    """The name of the column beside it."""
    return shortened(f"{column.column}{SHADOW}", 63)


def trigger_key(filling: Filling) -> Key:
    """The key of the trigger that keeps it in step."""
    name = filling.trigger.strip('"')
    return Key("trigger", (filling.column.schema, filling.column.table, name))
