"""What a history needs: its table, the functions that write it, the triggers that call them, and their rights."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident, idents, joined, shortened
from freehold.kernel.objects import (
    Constraint,
    Grant,
    Index,
    Object,
    Owner,
    Policy,
    Sequence,
    Table,
    TableFacts,
    Trigger,
)
from freehold.kernel.room import Scope
from freehold.rooms.history.declare import History
from freehold.rooms.history.functions import keepers, recorders
from freehold.rooms.history.layout import Layout, layout_of
from freehold.rooms.history.past import past_views

EVENTS = {
    "insert": ("AFTER INSERT", ("NEW TABLE AS fresh",)),
    "update": ("AFTER UPDATE", ("OLD TABLE AS gone", "NEW TABLE AS fresh")),
    "delete": ("AFTER DELETE", ("OLD TABLE AS gone",)),
    "truncate": ("BEFORE TRUNCATE", ()),
}
"""When each trigger fires, and which rows it sees; only before a TRUNCATE can its rows still be read."""
ENDED = EVENTS | {"update": ("AFTER UPDATE", ("OLD TABLE AS gone",))}
"""The same where only what ended is kept: nobody reads the new rows of an UPDATE."""

UNMOVED = "freehold_history_unmoved"
"""The trigger that keeps a row's key, where only ended versions are kept."""


def compile_history(declaration: History, model: Model) -> Iterator[Object]:
    """The history of one table."""
    layout = layout_of(declaration, model)
    definer = model.role("definer")
    yield model.machine_role("definer", "owns the functions that write history; nobody acts as it")
    yield from _table(layout, definer)
    purged = None if layout.cut else declaration.keep
    for function in (*recorders(layout), *keepers(layout, purged)):
        yield function
        if function.definer:
            yield Owner(on="function", target=function.name, role=definer, reason=function.reason)
    for table in _written(layout, model):
        yield from _triggers(layout, table)
    if layout.ended:
        yield from _in_order(layout, definer)
    yield from _rights(layout, definer, purged)
    if layout.base.facts.tenant_column:
        yield _reading(layout.base, definer)
    yield from past_views(layout)
    if purged:
        yield from _retention(layout, model)


def scope_history(declaration: History, model: Model) -> Iterator[Scope]:
    """A trigger on the history table could change what is recorded."""
    layout = layout_of(declaration, model)
    yield Scope("trigger", (layout.base.schema, layout.table))
    if layout.cut:
        yield Scope("partition", layout.cut.table)


def _table(layout: Layout, definer: str) -> Iterator[Object]:
    reason = f"every version of {layout.base.schema}.{layout.base.table}"
    facts = TableFacts(
        tenant_column=layout.base.facts.tenant_column,
        of=(layout.base.schema, layout.base.table),
        role="history",
        application=frozenset({"SELECT"}),
        writers=(definer,),
        outlived=True,
    )
    table = Table(
        schema=layout.base.schema,
        table=layout.table,
        columns=layout.columns,
        partition_key="RANGE (valid_to)" if layout.cut else "",
        facts=facts,
        reason=reason,
    )
    yield table
    if layout.cut:
        yield from layout.cut.partitions(table)
    key = (*layout.key, "valid_to")
    yield Constraint(
        schema=layout.base.schema,
        table=layout.table,
        constraint=shortened(f"{layout.table}_pk"),
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(key)),
        columns=key,
        reason="one version of a row is current, and no two end together",
    )


def _written(layout: Layout, model: Model) -> tuple[Table, ...]:
    """The table and its partitions: a statement that names a partition fires no trigger of the parent."""
    return (layout.base, *(table for table in model.tables if table.parent == layout.base.sql))


def _triggers(layout: Layout, table: Table) -> Iterator[Trigger]:
    for verb, (moment, seen) in (ENDED if layout.ended else EVENTS).items():
        if table.parent and verb == "truncate":
            continue
        trigger = f"freehold_history_{verb}"
        yield Trigger(
            schema=table.schema,
            table=table.table,
            trigger=trigger,
            definition=ddl(
                "CREATE TRIGGER {name} {moment} ON {table} {transition}"
                "FOR EACH STATEMENT EXECUTE FUNCTION {function}()",
                name=ident(trigger),
                moment=ddl(moment),
                table=table.sql,
                transition=ddl("REFERENCING {} ", joined((ddl(rows) for rows in seen), " ")) if seen else ddl(""),
                function=layout.qualified_function(f"record_{verb}"),
            ),
            reason=f"records what {verb.upper()} does, whoever does it",
        )


def _in_order(layout: Layout, definer: str) -> Iterator[Object]:
    """What keeps the versions of a row in order and together: a clock, and a key that stays."""
    schema = layout.base.schema
    yield Sequence(
        schema=schema,
        sequence=layout.clock,
        minimum=0,
        start=0,
        reason=f"the latest time of {schema}.{layout.table} in microseconds: a clock set back is noticed",
    )
    yield Grant(
        on="sequence",
        target=(schema, layout.clock),
        grantee=definer,
        privileges=("UPDATE", "USAGE"),
        reason="the functions that write history keep its times in order",
    )
    moved = joined((ddl("OLD.{0} IS DISTINCT FROM NEW.{0}", ident(name)) for name in layout.key), " OR ")
    yield Trigger(
        schema=schema,
        table=layout.base.table,
        trigger=UNMOVED,
        definition=ddl(
            "CREATE TRIGGER {} AFTER UPDATE ON {} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION {}()",
            ident(UNMOVED),
            layout.base.sql,
            moved,
            layout.qualified_function("refuse_move"),
        ),
        reason="a row's versions are found by its key",
    )


def _rights(layout: Layout, definer: str, purged: str | None) -> Iterator[Object]:
    schema, reason = layout.base.schema, "the functions that write history run with these rights"
    # A version that has ended is never written again, and leaves past its time alone; a current one is closed.
    kept = ("DELETE", "INSERT", "SELECT") if purged else ("INSERT", "SELECT")
    yield Grant(on="schema", target=(schema,), grantee=definer, privileges=("USAGE",), reason=reason)
    yield Grant(on="table", target=layout.base.name, grantee=definer, privileges=("SELECT",), reason=reason)
    yield Grant(
        on="table",
        target=(schema, layout.table),
        grantee=definer,
        privileges=kept if layout.ended else ("DELETE", "INSERT", "SELECT", "UPDATE"),
        reason=reason,
    )


def _reading(table: Table, definer: str) -> Policy:
    return Policy(
        schema=table.schema,
        table=table.table,
        policy="freehold_history",
        command="SELECT",
        roles=(definer,),
        using="true",
        reason="a TRUNCATE ends the rows of every tenant",
    )


def _retention(layout: Layout, model: Model) -> Iterator[Object]:
    schema, index = layout.base.schema, shortened(f"{layout.table}_valid_to_ix")
    yield Index(
        schema=schema,
        table=layout.table,
        index=index,
        definition=ddl("CREATE INDEX {} ON {} USING brin (valid_to)", ident(index), layout.sql),
        reason="versions past their time are found without reading the others",
    )
    yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    yield Grant(
        on="function",
        target=(schema, layout.function("purge"), "bigint"),
        grantee=model.role("owner"),
        privileges=("EXECUTE",),
        reason="the operator ends versions past their time",
    )
