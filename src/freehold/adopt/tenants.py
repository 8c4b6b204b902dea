"""Which table holds the tenants, where the tables say it plainly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from freehold.adopt.constraints import foreign_key
from freehold.adopt.ways import Ways
from freehold.kernel.objects import Constraint, Key, Table

USUAL = ("tenant", "organization", "organisation", "company", "account", "workspace", "team", "customer", "shop")
"""Words for whom a business application serves; a column of another name is not taken for a tenant's."""


@dataclass(frozen=True)
class Guess:
    """The class of the table with a row for each tenant, the column that names it elsewhere, and in how many tables."""

    root: str
    column: str
    tables: int


def guess_tenants(ways: Ways, entities: Mapping[Key, str]) -> Guess | None:
    """The one table to which a NOT NULL column of the same name refers in at least two tables and the most of all."""
    found: dict[tuple[Key, str], set[Key]] = {}
    for item in ways.catalog.objects.values():
        target = (
            foreign_key(item) if isinstance(item, Constraint) and item.type == "f" and ways.told(item.key) else None
        )
        if isinstance(item, Constraint) and target is not None and len(item.columns) == 1:
            root, column = Key("table", target.table), item.columns[0]
            if root != item.table_key and _usual(column) and _required(ways, item):
                found.setdefault((root, column), set()).add(item.table_key)
    ranked = sorted(found.items(), key=lambda pair: -len(pair[1]))
    if not ranked or len(ranked[0][1]) < 2 or (len(ranked) > 1 and len(ranked[1][1]) == len(ranked[0][1])):
        return None
    (root, column), tables = ranked[0]
    return Guess(entities[root], column, len(tables)) if root in entities else None


def _usual(column: str) -> bool:
    return column.removesuffix("_id").rpartition("_")[2] in USUAL


def _required(ways: Ways, item: Constraint) -> bool:
    table = ways.catalog.objects.get(item.table_key)
    assert isinstance(table, Table)
    return any(column.column == item.columns[0] and column.not_null for column in table.columns)
