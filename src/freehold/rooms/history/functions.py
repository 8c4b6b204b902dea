"""The functions that write one history table: its name and columns are composed into each body."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.derived import listed
from freehold.kernel.names import Sql, ddl, idents, literal
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.history.layout import Layout

PACKAGE = __package__ or ""
ABSENT = "'ABSENT'"
"""The operation of a version that tells that there was no such row until it ended."""


def recorders(layout: Layout) -> Iterator[Function]:
    """One trigger function per kind of statement."""
    yield from _ended(layout) if layout.ended else _all(layout)


def _all(layout: Layout) -> Iterator[Function]:
    """The current version is in history too."""
    common = {"history": layout.sql, "author": _part("author")}
    columns = layout.names()
    closed = _closing(layout, Sql("gone"))
    yield _trigger(layout, "insert", columns=columns, **common)
    yield _trigger(layout, "update", columns=columns, closing=closed, **common)
    yield _trigger(layout, "delete", closing=closed, author=common["author"])
    base = layout.base.sql
    yield _trigger(layout, "truncate", closing=_closing(layout, base), source=base, author=common["author"])


def _ended(layout: Layout) -> Iterator[Function]:
    """Only what ended is in history."""
    begun = {"columns": idents(layout.key), "kept": layout.unsaid("s"), "operation": Sql(ABSENT)}
    yield _keeping(layout, "insert", Sql("fresh AS s"), **begun)
    ended = {"columns": layout.names(), "kept": Sql("true"), "operation": Sql("NULL::text")}
    for verb, source in (("update", Sql("gone AS s")), ("delete", Sql("gone AS s")), ("truncate", _rows(layout))):
        yield _keeping(layout, verb, source, **ended)
    yield _function(
        layout,
        layout.function("refuse_move"),
        fill(PACKAGE, "create_refuse_move", function=layout.qualified_function("refuse_move")),
        "trigger",
        "a row keeps its key, by which its versions are found",
        definer=False,
    )


def _rows(layout: Layout) -> Sql:
    return ddl("{} AS s", layout.base.sql)


def _keeping(layout: Layout, verb: str, source: Sql, **holes: Sql) -> Function:
    moment = fill(
        PACKAGE,
        "moment",
        clock=ddl("{}::regclass", literal(layout.clock_sql)),
        history=layout.sql,
        same_key=layout.match("h", "s"),
        source=source,
    )
    definition = fill(
        PACKAGE,
        "create_keep",
        function=layout.qualified_function(f"record_{verb}"),
        history=layout.sql,
        source=source,
        author=_part("author"),
        moment=Sql(moment.rstrip()),
        **holes,
    )
    return _function(
        layout, layout.function(f"record_{verb}"), definition, "trigger", f"records {verb.upper()} in history"
    )


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
    """What an operator runs: bring history in step with its table, and end versions past their time."""
    yield _settle(layout) if layout.ended else _catch_up(layout)
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


def _catch_up(layout: Layout) -> Function:
    return _function(
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


def _settle(layout: Layout) -> Function:
    return _function(
        layout,
        layout.function("settle"),
        fill(
            PACKAGE,
            "create_settle",
            function=layout.qualified_function("settle"),
            history=layout.sql,
            base=layout.base.sql,
            key=idents(layout.key),
            opened_key=listed(layout.key, "o"),
            same_key=layout.match("h", "o"),
        ),
        "bigint",
        "closes the versions that were open when history began to keep only what ended",
        definer=False,
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
