"""The past under the tables' own names: a view of each table with a history, in a schema beside the table's."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.derived import listed
from freehold.kernel.names import shortened
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


def past_view(layout: Layout) -> Iterator[Object]:
    """The table as it was at the transaction's moment; without one, reading it is an error."""
    schema, base = past_schema(layout.base.schema), layout.base
    names = [column.column for column in layout.kept]
    yield Schema(schema=schema, reason=f"the tables of {base.schema} as they were")
    yield View(
        schema=schema,
        view=base.table,
        definition=fill(
            PACKAGE,
            "select_past",
            version_columns=listed(names, "h"),
            row_columns=listed(names, "t"),
            history=layout.sql,
            base=base.sql,
            same_key=layout.match("c", "t"),
        ),
        options=tuple(sorted(GUARDS)),
        reason=f"{base.schema}.{base.table} as it was, read with its reader's rights",
    )
