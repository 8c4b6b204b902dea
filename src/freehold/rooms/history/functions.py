"""The functions that write one history table: its name and columns are composed into each body."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.names import Sql, literal
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.history.layout import Layout

PACKAGE = __package__ or ""


def recorders(layout: Layout) -> Iterator[Function]:
    """One trigger function per kind of statement."""
    common = {"history": layout.sql, "author": _part("author")}
    columns = layout.names()
    closed = _closing(layout, Sql("gone"))
    yield _trigger(layout, "insert", columns=columns, **common)
    yield _trigger(layout, "update", columns=columns, closing=closed, **common)
    yield _trigger(layout, "delete", closing=closed, author=common["author"])
    base = layout.base.sql
    yield _trigger(layout, "truncate", closing=_closing(layout, base), source=base, author=common["author"])


def _part(name: str) -> Sql:
    return Sql(read_sql(PACKAGE, name).rstrip())


def _closing(layout: Layout, source: Sql) -> Sql:
    return fill(
        PACKAGE,
        "close_versions",
        history=layout.sql,
        source=source,
        columns=layout.names(),
        old_columns=layout.names("g"),
        same_key=layout.match("v", "g"),
    )


def _trigger(layout: Layout, verb: str, **holes: Sql) -> Function:
    name = layout.function(f"record_{verb}")
    definition = fill(PACKAGE, f"create_record_{verb}", function=layout.qualified_function(f"record_{verb}"), **holes)
    return _function(layout, name, definition, "trigger", f"records {verb.upper()} in history")


def keepers(layout: Layout, keep: str | None) -> Iterator[Function]:
    """What an operator runs: take up rows that no trigger saw, and end versions past their time."""
    yield _function(
        layout,
        layout.function("catch_up"),
        fill(
            PACKAGE,
            "create_catch_up",
            function=layout.qualified_function("catch_up"),
            author=_part("author"),
            history=layout.sql,
            base=layout.base.sql,
            columns=layout.names(),
            row_columns=layout.names("t"),
            version_columns=layout.names("h"),
            same_key=layout.match("h", "t"),
        ),
        "bigint",
        "takes up rows that were there before history, or that changed while its triggers were off",
        definer=False,
    )
    if keep:
        yield _function(
            layout,
            layout.function("purge"),
            fill(
                PACKAGE,
                "create_purge",
                function=layout.qualified_function("purge"),
                history=layout.sql,
                keep=literal(keep),
            ),
            "bigint",
            f"ends versions that are over for {keep}",
            arguments="bigint",
        )


def _function(
    layout: Layout,
    name: str,
    definition: Sql,
    returns: str,
    reason: str,
    *,
    arguments: str = "",
    definer: bool = True,
) -> Function:
    return Function(
        schema=layout.base.schema,
        function=name,
        arguments=arguments,
        definition=definition,
        returns=returns,
        definer=definer,
        settings=PINNED,
        reason=reason,
        after=(Key("schema", (layout.base.schema,)),),
    )
