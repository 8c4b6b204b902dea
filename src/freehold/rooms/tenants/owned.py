"""The tables that hold rows of a tenant, parents before children, as the layer declares them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Model, Ownership
from freehold.kernel.names import Sql, ddl, ident, literal, qualified, trusted
from freehold.kernel.objects import Key, Table, table_key
from freehold.kernel.topological import topological


@dataclass(frozen=True)
class Owned:
    """A table with rows of tenants.

    Parameters
    ----------
    column
        The column that names the tenant, and ``type`` its SQL type.
    key
        The columns of the primary key, in order.
    """

    table: Table
    column: str
    type: str
    key: tuple[str, ...]

    @property
    def name(self) -> tuple[str, str]:
        """``(schema, table)``."""
        return (self.table.schema, self.table.table)

    @property
    def title(self) -> str:
        """The table's name for sentences and files."""
        return ".".join(self.name)

    @property
    def sql(self) -> Sql:
        """The quoted, qualified name."""
        return qualified(*self.name)

    @property
    def role(self) -> str:
        """What the table is to the layer."""
        return self.table.facts.role

    @property
    def counts_again(self) -> bool:
        """Whether its rows are made again by whatever needs them: an unlogged table is empty after a crash too."""
        return self.table.persistence == "u"

    def of(self, tenant: str, alias: str = "t") -> Sql:
        """The condition that a row is the tenant's."""
        return ddl("{}.{} = {}::{}", ident(alias), ident(self.column), literal(tenant), trusted(self.type))


def owned_tables(model: Model) -> tuple[Owned, ...]:
    """Every table of the layer with rows of tenants, parents before children; partitions are part of their table.

    Raises
    ------
    DeclarationError
        The layer has no tenants.
    """
    found = {item.table.key: item for table in model.tables if not table.parent for item in _owned(table, model)}
    if not found:
        raise DeclarationError("The layer has no tenants", hint="Declare who owns the rows: Tenancy(Company).")
    parents = _parents(model)
    needs = {key: (parents.get(key, set()) | _source(item.table)) & set(found) for key, item in found.items()}
    rank = {key: 0 if item.role in ("root", "model") else 1 for key, item in found.items()}
    return tuple(found[key] for key in topological(needs, rank))


def _owned(table: Table, model: Model) -> Iterable[Owned]:
    facts, key = table.facts, model.primary_key(table)
    place = model.classes.get((table.schema, table.table))
    if place is not None and place.ownership is Ownership.ROOT:
        yield Owned(table, key[0], model.tenant_type, key)
    elif facts.tenant_column:
        yield Owned(table, facts.tenant_column, model.tenant_type, key)
    elif facts.owner_column:
        yield Owned(table, facts.owner_column, "text", key)


def _parents(model: Model) -> dict[Key, set[Key]]:
    """What each table of the metadata refers to."""
    return {
        table_key(*name_of(table)): {table_key(*name_of(key.referred_table)) for key in table.foreign_key_constraints}
        for table in model.metadata.tables.values()
    }


def _source(table: Table) -> set[Key]:
    return {Key("table", table.facts.of)} if table.facts.of else set()
