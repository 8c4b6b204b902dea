"""The functions of one soft-deleted table: its name, columns and children are composed into each body."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.derived import listed, matched
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, qualified, trusted
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.soft_delete.layout import Layout, deleted_name, function_name
from freehold.rooms.soft_delete.links import Link, links_from, links_to

PACKAGE = __package__ or ""


def movers(layout: Layout) -> Iterator[Function]:
    """The trigger functions: move what is deleted, refuse what no trigger could move."""
    author = Sql(read_sql(PACKAGE, "author").rstrip())
    body = fill(
        PACKAGE,
        "create_move",
        function=layout.qualified_function("move"),
        author=author,
        deleted=layout.sql,
        columns=layout.names(),
    )
    yield _function(layout, "move", body, "trigger", "moves deleted rows")
    refuse = fill(PACKAGE, "create_refuse", function=layout.qualified_function("refuse"))
    yield _function(layout, "refuse", refuse, "trigger", "a TRUNCATE would lose rows", definer=False)


def restorers(layout: Layout, keep: str | None, model: Model) -> Iterator[Function]:
    """What the application runs: restore one deletion, by its own rights, and forget what is live again."""
    since = ddl("pg_catalog.clock_timestamp() - interval {}", literal(keep)) if keep else ddl("'-infinity'")
    common = {"deleted": layout.sql, "title": literal(layout.title)}
    restore = fill(
        PACKAGE,
        "create_restore",
        function=layout.qualified_function("restore"),
        revive=layout.qualified_function("revive"),
        since=since,
        **common,
    )
    yield _function(layout, "restore", restore, "bigint", "restores a row", "bigint", definer=False)
    yield _function(
        layout, "revive", _revive(layout, model), "bigint", "inserts deleted rows", "bigint[]", definer=False
    )
    forget = fill(
        PACKAGE,
        "create_forget",
        function=layout.qualified_function("forget"),
        base=layout.base.sql,
        same_key=layout.match("t", "d"),
        live=layout.compared("t"),
        gone=layout.compared("d"),
        mine=_mine(layout, model),
        **common,
    )
    yield _function(layout, "forget", forget, "void", "a row that is live is no deleted one", "bigint[]")


def _mine(layout: Layout, model: Model) -> Sql:
    """The condition that a deleted row is of the verified context."""
    if layout.base.facts.tenant_column:
        return ddl("d.{} = (SELECT freehold.tenant_v1())", ident(layout.base.facts.tenant_column))
    return ddl("(SELECT freehold.actor_v1()) IS NOT NULL") if model.tenant_type else ddl("true")


def _revive(layout: Layout, model: Model) -> Sql:
    links = tuple(enumerate(links_to(layout.name, model)))
    return fill(
        PACKAGE,
        "create_revive",
        function=layout.qualified_function("revive"),
        forget=layout.qualified_function("forget"),
        base=layout.base.sql,
        deleted=layout.sql,
        title=literal(layout.title),
        written=idents(layout.written),
        values=listed(layout.written, "d"),
        declared=joined((ddl("\n    kids_{} bigint[];", trusted(str(n))) for n, _ in links), ""),
        found=joined((_found(layout, n, link, model) for n, link in links), "\n    "),
        revived=joined((_revived(n, link, model) for n, link in links), "\n    "),
    )


def _found(layout: Layout, number: int, link: Link, model: Model) -> Sql:
    child = model.table(*link.child)
    return fill(
        PACKAGE,
        "find_children",
        kids=ident(f"kids_{number}"),
        child=qualified(child.schema, deleted_name(child.table)),
        deleted=layout.sql,
        key=listed(model.primary_key(child), "c"),
        # Numbers of deletions are each table's own.
        other=ddl("c.deletion <> ALL (which)") if link.child == link.parent else ddl("true"),
        linked=matched("c", "d", link.pairs),
    )


def _revived(number: int, link: Link, model: Model) -> Sql:
    schema, table = link.child
    return fill(
        PACKAGE,
        "revive_children",
        kids=ident(f"kids_{number}"),
        child=qualified(schema, deleted_name(table)),
        revive=qualified(schema, function_name("revive", table)),
        ready=joined((_ready(parent, model) for parent in links_from(link.child, model)), " AND "),
    )


def _ready(link: Link, model: Model) -> Sql:
    """The condition that what a deleted child refers to is live, or is nothing, or is itself."""
    columns = tuple(child for child, _ in link.pairs)
    nothing = joined((ddl("c.{} IS NULL", ident(name)) for name in columns), " OR ")
    itself = matched("c", "c", link.pairs) if link.child == link.parent else ddl("false")
    return fill(
        PACKAGE,
        "parent_lives",
        nothing=nothing,
        itself=itself,
        parent=model.table(*link.parent).sql,
        linked=matched("c", "p", link.pairs),
    )


def purge(layout: Layout, keep: str, model: Model) -> Function:
    """What the operator runs: rows past their time go, children first."""
    children = tuple(
        fill(
            PACKAGE,
            "child_remains",
            child=qualified(link.child[0], deleted_name(link.child[1])),
            linked=matched("c", "d", link.pairs),
            other=ddl("c.deletion <> d.deletion") if link.child == link.parent else ddl("true"),
        )
        for link in links_to(layout.name, model)
    )
    body = fill(
        PACKAGE,
        "create_purge",
        function=layout.qualified_function("purge"),
        deleted=layout.sql,
        keep=literal(keep),
        childless=joined((ddl("\n          {}", child) for child in children), ""),
    )
    return _function(layout, "purge", body, "bigint", f"ends rows that were deleted {keep} ago", "bigint")


def _function(
    layout: Layout,
    verb: str,
    definition: Sql,
    returns: str,
    reason: str,
    arguments: str = "",
    *,
    definer: bool = True,
) -> Function:
    return Function(
        schema=layout.base.schema,
        function=layout.function(verb),
        arguments=arguments,
        definition=definition,
        returns=returns,
        definer=definer,
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (layout.base.schema,)),),
    )
