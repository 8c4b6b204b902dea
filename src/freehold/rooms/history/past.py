"""The past in a schema beside the tables': each table under its own name, and its versions under the history's."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.derived import listed
from freehold.kernel.names import Sql, literal, shortened
from freehold.kernel.objects import Object, Schema, View
from freehold.kernel.objects.view import GUARDS
from freehold.kernel.template import fill
from freehold.rooms.history.layout import Layout

PACKAGE = __package__ or ""
MOMENT = "freehold.moment"
"""The setting that holds the moment, for one transaction."""


def past_schema(schema: str) -> str:
    """The schema in which the past of a schema's tables is seen."""
    return shortened(f"{schema}_past")


def past_views(layout: Layout) -> Iterator[Object]:
    """Every version of the table's rows, and the table as it was at the transaction's moment.

    Without a moment, reading the latter is an error.
    """
    schema, base = past_schema(layout.base.schema), layout.base
    yield Schema(schema=schema, reason=f"the tables of {base.schema} as they were")
    yield _view(schema, layout.table, versions(layout), f"every version of {base.schema}.{base.table}")
    columns = listed((column.column for column in layout.kept), "v")
    yield _view(
        schema,
        base.table,
        fill(PACKAGE, "select_past", columns=columns, versions=versions(layout)),
        f"{base.schema}.{base.table} as it was, read with its reader's rights",
    )


def _view(schema: str, view: str, definition: Sql, reason: str) -> View:
    return View(schema=schema, view=view, definition=definition, options=tuple(sorted(GUARDS)), reason=reason)


def versions(layout: Layout) -> Sql:
    """The query of all versions: those that are recorded, and rows that no trigger has seen."""
    names = [column.column for column in layout.kept]
    holes = {
        "version_columns": listed(names, "h"),
        "row_columns": listed(names, "t"),
        "history": layout.sql,
        "base": layout.base.sql,
    }
    if not layout.ended:
        return fill(PACKAGE, "select_versions", same_key=layout.match("h", "t"), **holes)
    return fill(
        PACKAGE,
        "select_versions_ended",
        version_born=layout.since("h"),
        row_born=layout.since("t"),
        version_before=_before(layout, "h", Sql("h.valid_to")),
        row_before=_before(layout, "t", Sql("'infinity'")),
        unsaid=literal("INSERT" if layout.born else "BEFORE"),
        **holes,
    )


def _before(layout: Layout, rows: str, end: Sql) -> Sql:
    return fill(PACKAGE, "select_before", history=layout.sql, same_key=layout.match("c", rows), end=end)
