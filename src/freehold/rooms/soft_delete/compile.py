"""What a soft-deleted table needs: where its rows go, the triggers that move them, the way back, and the rights."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, shortened
from freehold.kernel.objects import Constraint, Grant, Index, Object, Owner, Table, TableFacts, Trigger
from freehold.kernel.room import Scope
from freehold.rooms.soft_delete.declare import SoftDelete
from freehold.rooms.soft_delete.functions import movers, purge, restorers
from freehold.rooms.soft_delete.layout import Layout, layout_of
from freehold.rooms.soft_delete.links import links_from, refuse_losses

EVENTS = {
    "move": "AFTER DELETE ON {table} REFERENCING OLD TABLE AS gone",
    "refuse": "BEFORE TRUNCATE ON {table}",
}
"""When each trigger fires."""


def compile_soft_delete(declaration: SoftDelete, model: Model) -> Iterator[Object]:
    """The objects of one soft-deleted table."""
    refuse_losses(declaration, model)
    layout = layout_of(declaration, model)
    yield model.machine_role("definer", "owns functions that run with their own rights; nobody acts as it")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    yield from _table(layout, model)
    functions = [*movers(layout), *restorers(layout, declaration.keep, model)]
    if declaration.keep:
        functions.append(purge(layout, declaration.keep, model))
        yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    for function in functions:
        yield function
        if function.definer:
            yield Owner(on="function", target=function.name, role=model.role("definer"), reason=function.reason)
    for table in (layout.base, *(table for table in model.tables if table.parent == layout.base.sql)):
        yield from _triggers(layout, table)
    yield from _rights(layout, model)
    yield from _calls(layout, declaration, model)


def scope_soft_delete(declaration: SoftDelete, model: Model) -> Iterator[Scope]:
    """A trigger on the table of deleted rows could change what is kept."""
    layout = layout_of(declaration, model)
    yield Scope("trigger", (layout.base.schema, layout.table))


def _table(layout: Layout, model: Model) -> Iterator[Object]:
    reason = f"deleted rows of {layout.title}"
    facts = TableFacts(
        tenant_column=layout.base.facts.tenant_column,
        of=layout.name,
        role="history",
        application=frozenset({"SELECT"}),
        writers=(model.role("definer"),),
        outlived=True,
    )
    yield Table(schema=layout.base.schema, table=layout.table, columns=layout.columns, facts=facts, reason=reason)
    yield Constraint(
        schema=layout.base.schema,
        table=layout.table,
        constraint=shortened(f"{layout.table}_pk"),
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(layout.primary)),
        columns=layout.primary,
        reason="each deletion of a row is told by its number",
    )
    yield _index(layout, "key", ddl("({})", idents(layout.key)), "a deleted row is found by its key")
    yield _index(layout, "at", ddl("USING brin (deleted_at)"), "rows past their time are found without the others")
    for columns in _references(layout, model):
        name = "_".join(columns)
        yield _index(layout, name, ddl("({})", idents(columns)), "deleted children are found by their parent")


def _references(layout: Layout, model: Model) -> list[tuple[str, ...]]:
    """The columns of each foreign key to a soft-deleted table that the key's own index does not serve."""
    found = dict.fromkeys(tuple(child for child, _ in link.pairs) for link in links_from(layout.name, model))
    return [columns for columns in found if layout.key[: len(columns)] != columns]


def _index(layout: Layout, label: str, what: Sql, reason: str) -> Index:
    name = shortened(f"{layout.table}_{label}_ix")
    return Index(
        schema=layout.base.schema,
        table=layout.table,
        index=name,
        definition=ddl("CREATE INDEX {} ON {} {}", ident(name), layout.sql, what),
        reason=reason,
    )


def _triggers(layout: Layout, table: Table) -> Iterator[Trigger]:
    for verb, event in EVENTS.items():
        name = f"freehold_soft_delete_{verb}"
        text = joined((Sql("CREATE TRIGGER"), ident(name), Sql(event.format(table=table.sql))), " ")
        yield Trigger(
            schema=table.schema,
            table=table.table,
            trigger=name,
            definition=ddl("{} FOR EACH STATEMENT EXECUTE FUNCTION {}()", text, layout.qualified_function(verb)),
            reason="moves deleted rows, whoever deletes them" if verb == "move" else "a TRUNCATE would lose rows",
        )


def _rights(layout: Layout, model: Model) -> Iterator[Object]:
    definer, reason = model.role("definer"), "the functions of soft deletion run with these rights"
    schema = layout.base.schema
    yield Grant(on="schema", target=(schema,), grantee=definer, privileges=("USAGE",), reason=reason)
    yield Grant(on="table", target=layout.base.name, grantee=definer, privileges=("SELECT",), reason=reason)
    yield Grant(
        on="table",
        target=(schema, layout.table),
        grantee=definer,
        privileges=("DELETE", "INSERT", "SELECT", "UPDATE"),
        reason=reason,
    )


def _calls(layout: Layout, declaration: SoftDelete, model: Model) -> Iterator[Grant]:
    calls = [("restore", "bigint", "rw"), ("revive", "bigint[]", "rw"), ("forget", "bigint[]", "rw")]
    if declaration.keep:
        calls.append(("purge", "bigint", "owner"))
    for verb, arguments, purpose in calls:
        yield Grant(
            on="function",
            target=(layout.base.schema, layout.function(verb), arguments),
            grantee=model.role(purpose),
            privileges=("EXECUTE",),
            reason="the application restores" if purpose == "rw" else "the operator purges",
        )
