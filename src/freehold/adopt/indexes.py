"""Indexes in SQLAlchemy's words; what they cannot say is None, and goes to the layer as it is."""

from __future__ import annotations

import re

from freehold.adopt.columns import sql_text
from freehold.adopt.parse import bracketed, clause, named_with, peeled, plain, split
from freehold.adopt.source import Node, Text, call, dict_of, list_of
from freehold.kernel.names import ident, qualified
from freehold.kernel.objects import Index
from freehold.kernel.stable import stable

_USING = re.compile(r" USING (\w+) ")


def index_call(item: Index) -> Node | None:
    """The call that says an index, or None."""
    head = f"INDEX {ident(item.index)} ON "
    _, _, rest = item.definition.partition(head)
    table = qualified(item.schema, item.table)
    rest = rest.removeprefix("ONLY ").removeprefix(table)
    match = _USING.match(rest)
    if match is None:
        return None
    listed, rest = bracketed(rest[match.end() :])
    options, rest = _options(rest)
    if rest or not item.valid:
        return None
    elements = split(listed)
    classes = {column: kind for column, kind in map(named_with, elements) if column}
    return call(
        "sa.Index",
        Text(item.index),
        *(_element(element, classes) for element in elements),
        unique="True" if item.unique else None,
        postgresql_using=Text(match[1]) if match[1] != "btree" else None,
        postgresql_ops=dict_of({column: Text(kind) for column, kind in classes.items()}) if classes else None,
        **options,
    )


def _element(element: str, classes: dict[str, str]) -> Node:
    column = plain(element)
    if column:
        return Text(column)
    column, kind = named_with(element)
    return Text(column) if column and classes.get(column) == kind else sql_text(element)


def _options(rest: str) -> tuple[dict[str, Node | None], str]:
    found: dict[str, Node | None] = {}
    include, rest = clause(rest, "INCLUDE")
    if include:
        found["postgresql_include"] = list_of(Text(plain(part)) for part in split(include))
    if rest.startswith("NULLS NOT DISTINCT"):
        found["postgresql_nulls_not_distinct"] = "True"
        rest = rest.removeprefix("NULLS NOT DISTINCT").strip()
    storage, rest = clause(rest, "WITH")
    if storage:
        pairs = (part.partition("=") for part in split(storage))
        found["postgresql_with"] = dict_of({name: Text(value.strip("'")) for name, _, value in pairs})
    if rest.startswith("WHERE "):
        found["postgresql_where"] = sql_text(stable(peeled(rest.removeprefix("WHERE "))))
        rest = ""
    return found, rest
