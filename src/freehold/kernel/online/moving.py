"""The steps by which a table's rows move into partitions while it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256

from freehold.kernel.difference import Difference
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, qualified, shortened
from freehold.kernel.objects import (
    Change,
    Column,
    Constraint,
    Index,
    Key,
    Lock,
    Object,
    Owner,
    Site,
    Stage,
    Table,
    Undo,
)
from freehold.kernel.observe import Catalog
from freehold.kernel.online.batch import Batch
from freehold.kernel.online.names import COMING, GONE, OURS
from freehold.kernel.online.swap import Parts, changes_of, merged
from freehold.kernel.template import fill
from freehold.kernel.work import Work

PACKAGE = __package__ or ""
STAGED = (Table, Constraint, Index)
"""What is made with the successor, under the names that it keeps: they are names of its schema alone."""


@dataclass(frozen=True)
class Move:
    """One table on its way.

    Parameters
    ----------
    table
        The successor as declared.
    columns
        Its columns that hold values of their own.
    key, old_key
        The columns of the successor's primary key, and of the one that the rows are walked by.
    """

    table: Table
    columns: tuple[Column, ...]
    key: tuple[str, ...]
    old_key: tuple[tuple[str, str], ...]
    owner: str
    """Who owns the table, where nobody declared it."""
    referring: tuple[str, ...]
    """Names of the old table's foreign keys, which nobody needs afterwards."""

    @property
    def title(self) -> str:
        """The table for sentences."""
        return f"{self.table.schema}.{self.table.table}"

    @property
    def copy(self) -> Sql:
        """The successor while it is made."""
        return qualified(COMING, self.table.table)

    @property
    def old(self) -> Sql:
        """The old table afterwards."""
        return qualified(GONE, self.table.table)

    @property
    def trigger(self) -> Sql:
        """The name of the trigger that keeps the two in step, and of its function."""
        return ident(f"{OURS}{shortened(self.table.table, 40)}")

    @property
    def function(self) -> Sql:
        """The quoted, qualified name of the function."""
        return ddl("{}.{}", ident(COMING), self.trigger)

    @property
    def batch(self) -> Batch:
        """The rows that are there already."""
        names = idents(column.column for column in self.columns)
        statement = ddl(
            "INSERT INTO {} ({}) OVERRIDING SYSTEM VALUE SELECT {} FROM batch AS b ON CONFLICT ({}) DO NOTHING",
            self.copy,
            names,
            joined(ddl("b.{}", ident(column.column)) for column in self.columns),
            idents(self.key),
        )
        return Batch(
            name=f"{self.title} into partitions",
            table=self.table.sql,
            key=self.old_key,
            carried=tuple(column.column for column in self.columns),
            statement=statement,
            strength="SHARE",
        )


def move_of(key: Key, live: Catalog, desired: Catalog) -> Move:
    """What a table's move is made of."""
    table = desired.objects[key]
    assert isinstance(table, Table)
    columns = tuple(column for column in table.columns if not column.generated)
    types = {column.column: column.type for column in columns}
    owner = live.objects[Key("owner", ("table", *key.name))]
    assert isinstance(owner, Owner)
    constraints = [i for i in live.objects.values() if isinstance(i, Constraint) and i.table_key == key]
    return Move(
        table=table,
        columns=columns,
        key=_primary(desired, key),
        old_key=tuple((name, types[name]) for name in _primary(live, key)),
        owner="" if owner.key in desired.objects else owner.role,
        referring=tuple(item.constraint for item in constraints if item.type == "f"),
    )


def _primary(catalog: Catalog, key: Key) -> tuple[str, ...]:
    return next(
        item.columns
        for item in catalog.objects.values()
        if isinstance(item, Constraint) and item.table_key == key and item.type == "p"
    )


def moving(
    key: Key, members: Sequence[Work], found: Difference, live: Catalog, desired: Catalog, site: Site
) -> tuple[Work, ...]:
    """The works of one group as the way of a table: made, kept in step, filled, compared, and switched."""
    move = move_of(key, live, desired)
    parts = [item for item in desired.objects.values() if isinstance(item, Table) and item.parent == move.table.sql]
    own = {key, *(part.key for part in parts)}
    staged = [work for work in members if work.verb == "make" and _is_staged(work.item, own)]
    rest = [work for work in members if work not in staged]
    first = next(work for work in members if work.key == key and work.verb == "make")
    replaced = {work.key for work in members}
    dropped, given = Parts(), Parts()
    for work in rest:
        into = dropped if work.verb == "drop" else given
        into.take(changes_of(work, replaced, found, live, desired, site))
    made = _made(move, staged, site)
    changes = [
        *([] if _is_begun(move, made, live) else [made]),
        _brought(move),
        _compared(move),
        *given.before,
        _switched(move, [move.table, *parts], dropped.inside, given.inside),
        *given.after,
    ]
    return (first._replace(verb="swap", changes=tuple(changes)),)


def _is_staged(item: Object, own: set[Key]) -> bool:
    return isinstance(item, STAGED) and (item.key in own or getattr(item, "table_key", None) in own)


def _plain(move: Move, verb: str, lock: Lock, *statements: Sql) -> Change:
    return Change(title=f"{verb} {move.table.key}", statements=statements, lock=lock, on=move.table.sql)


def _made(move: Move, staged: Iterable[Work], site: Site) -> Change:
    """The successor with its partitions, keys and indexes, empty, and what keeps it in step from here on.

    One that was begun for another declaration is made anew; its comment tells.
    """
    begin = [
        ddl("CREATE SCHEMA IF NOT EXISTS {}", ident(COMING)),
        ddl("DROP TRIGGER IF EXISTS {} ON {}", move.trigger, move.table.sql),
        ddl("DROP TRIGGER IF EXISTS {} ON {}", Sql(move.trigger + "_truncate"), move.table.sql),
        ddl("DROP TABLE IF EXISTS {} CASCADE", move.copy),
        ddl("DELETE FROM freehold.backfill WHERE name = {}", literal(move.batch.name)),
    ]
    made = [statement for work in staged for statement in _staged(work.item, move, site)]
    owned = [ddl("ALTER TABLE {} OWNER TO {}", move.copy, ident(move.owner))] if move.owner else []
    whole = [*begin, *made, *owned, *_followed(move)]
    mark = ddl("COMMENT ON TABLE {} IS {}", move.copy, literal(_digest(whole)))
    change = _plain(move, "make the successor of", Lock.SHARE_ROW_EXCLUSIVE, *whole, mark)
    back = (*begin[1:4], ddl("DROP FUNCTION IF EXISTS {}()", move.function))
    return replace(change, undo=(Undo(f"take back the successor of {move.table.key}", back),))


def _digest(statements: Iterable[Sql]) -> str:
    return f"freehold: {sha256(chr(0).join(statements).encode()).hexdigest()}"


def _is_begun(move: Move, made: Change, live: Catalog) -> bool:
    """Whether an earlier run made just this successor, and it is still kept in step."""
    there = live.objects.get(Key("table", (COMING, move.table.table)))
    trigger = Key("trigger", (move.table.schema, move.table.table, move.trigger))
    return isinstance(there, Table) and there.comment == _digest(made.statements[:-1]) and trigger in live.objects


def _staged(item: Object, move: Move, site: Site) -> Iterator[Sql]:
    """What makes an object of the successor, in the schema where it is made."""
    here: Object
    if isinstance(item, Index):
        definition = item.definition.replace(f" ON ONLY {move.table.sql} ", f" ON {move.copy} ", 1)
        here = replace(item, schema=COMING, definition=definition)
    elif isinstance(item, Table) and item.parent:
        here = replace(item, schema=COMING, parent=move.copy)
    else:
        here = replace(item, schema=COMING)  # type: ignore[call-arg]
    alone = replace(site, new=frozenset({Key("table", (COMING, move.table.table)), here.key}))
    if isinstance(here, Constraint):
        alone = replace(alone, new=alone.new | {here.table_key})
    for change in here.create(alone):
        yield from change.statements


def _followed(move: Move) -> tuple[Sql, ...]:
    """From here on whoever writes the table writes the successor too."""
    function = fill(
        PACKAGE,
        "create_follow",
        function=move.function,
        copy=move.copy,
        columns=idents(column.column for column in move.columns),
        values=joined(ddl("NEW.{}", ident(column.column)) for column in move.columns),
        key=idents(move.key),
        same=joined((ddl("c.{0} = OLD.{0}", ident(name)) for name in move.key), " AND "),
        set=joined(ddl("{0} = excluded.{0}", ident(c.column)) for c in move.columns if c.column not in move.key)
        or ddl("{0} = excluded.{0}", ident(move.key[0])),
    )
    each = ddl(
        "CREATE TRIGGER {} AFTER INSERT OR UPDATE OR DELETE ON {} FOR EACH ROW EXECUTE FUNCTION {}()",
        move.trigger,
        move.table.sql,
        move.function,
    )
    whole = ddl(
        "CREATE TRIGGER {} AFTER TRUNCATE ON {} FOR EACH STATEMENT EXECUTE FUNCTION {}()",
        Sql(move.trigger + "_truncate"),
        move.table.sql,
        move.function,
    )
    strip = ddl("REVOKE ALL ON FUNCTION {}() FROM PUBLIC", move.function)
    return function, strip, each, whole


def _brought(move: Move) -> Change:
    """The batches, and then the statistics of the whole: autovacuum analyses partitions, and never their parent."""
    change = _plain(move, "bring the rows of", Lock.ROW_SHARE, ddl("ANALYZE {}", move.copy))
    return replace(change, stage=Stage.BACKFILL, batch=move.batch)


def _compared(move: Move) -> Change:
    statement = fill(
        PACKAGE,
        "compare_tables",
        columns=joined(ddl("t.{}", ident(column.column)) for column in move.columns),
        one=move.table.sql,
        other=move.copy,
        title=literal(move.title),
    )
    return replace(_plain(move, "compare with its successor", Lock.ACCESS_SHARE, statement), stage=Stage.VALIDATE)


def _switched(move: Move, tables: Sequence[Table], dropped: Sequence[Change], given: Sequence[Change]) -> Change:
    """One moment in which names, guards and rights pass to the successor."""
    title = f"switch {move.table.key} to its partitions"
    whole = merged([*dropped, *given, _plain(move, "switch", Lock.ACCESS_EXCLUSIVE)], title)
    statements = (
        ddl("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", move.table.sql),
        ddl("CREATE SCHEMA IF NOT EXISTS {}", ident(GONE)),
        ddl("DROP TRIGGER {} ON {}", move.trigger, move.table.sql),
        ddl("DROP TRIGGER {} ON {}", Sql(move.trigger + "_truncate"), move.table.sql),
        *(statement for change in dropped for statement in change.statements),
        *(ddl("ALTER TABLE {} DROP CONSTRAINT {}", move.table.sql, ident(name)) for name in move.referring),
        ddl("ALTER TABLE {} SET SCHEMA {}", move.table.sql, ident(GONE)),
        *(ddl("ALTER TABLE {} SET SCHEMA {}", qualified(COMING, t.table), ident(move.table.schema)) for t in tables),
        *_numbers(move),
        ddl(
            "COMMENT ON TABLE {} IS {}",
            move.table.sql,
            literal(move.table.comment) if move.table.comment else ddl("NULL"),
        ),
        ddl("DROP FUNCTION {}()", move.function),
        *(statement for change in given for statement in change.statements),
    )
    return replace(whole, title=title, statements=statements, stage=Stage.SWITCH, reversible=False)


def _numbers(move: Move) -> Iterator[Sql]:
    """Identity columns go on counting where the old table's were."""
    for column in move.columns:
        if column.identity:
            yield fill(
                PACKAGE,
                "move_identity",
                old=literal(move.old),
                new=literal(move.table.sql),
                column=literal(column.column),
            )
