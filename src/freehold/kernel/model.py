"""The model: what the metadata and the rooms have produced so far, as the next room sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

import sqlalchemy as sa

from freehold.errors import UnknownTable
from freehold.kernel.objects import Constraint, Key, Object, Policy, Role, Table

T = TypeVar("T", bound=Object)


class Ownership(StrEnum):
    """Who owns the rows of a table."""

    ROOT = "root"
    TENANT = "tenant"
    SHARED = "shared"
    EXEMPT = "exempt"
    ADOPTED = "adopted"


@dataclass(frozen=True, slots=True)
class Class:
    """How a declaration classifies one table of the metadata.

    ``tenant_column`` is empty for shared, exempt and adopted tables; ``reason`` is given for the last two. ``log_only``
    says of an owned table why its guard refuses nothing yet.
    """

    ownership: Ownership
    tenant_column: str = ""
    reason: str = ""
    log_only: str = ""


@dataclass(frozen=True)
class Model:
    """Everything declared so far.

    Parameters
    ----------
    layer
        The layer's name, which begins every role's name.
    metadata
        The application's SQLAlchemy metadata.
    declarations
        All declarations of the layer, in their order; a room reads its own.
    classes
        Ownership of each metadata table, by ``(schema, table)``.
    objects
        Objects by key, those of the metadata first.
    tenant_type
        The SQL type of the tenant column, such as ``uuid``; empty in a layer without tenants.
    """

    layer: str
    metadata: sa.MetaData
    declarations: tuple[object, ...] = ()
    classes: dict[tuple[str, str], Class] = field(default_factory=dict)
    objects: dict[Key, Object] = field(default_factory=dict)
    tenant_type: str = ""

    def role(self, purpose: str) -> str:
        """The name of the layer's role for a purpose: ``role("owner")`` is ``retail_owner`` in the layer ``retail``."""
        return f"{self.layer}_{purpose}"

    def machine_role(self, purpose: str, reason: str) -> Role:
        """A role nobody logs in as and nobody is a member of, which owns functions or tables."""
        return Role(role=self.role(purpose), inherit=False, reason=reason)

    @cached_property
    def _by_kind(self) -> dict[str, tuple[Object, ...]]:
        found: dict[str, list[Object]] = {}
        for item in self.objects.values():
            found.setdefault(item.kind, []).append(item)
        return {kind: tuple(items) for kind, items in found.items()}

    @cached_property
    def _on_table(self) -> dict[tuple[str, Key], tuple[Object, ...]]:
        """Constraints, policies and the like by kind and table, so that asking for each table's stays linear."""
        found: dict[tuple[str, Key], list[Object]] = {}
        for item in self.objects.values():
            table = getattr(item, "table_key", None)
            if table is not None:
                found.setdefault((item.kind, table), []).append(item)
        return {key: tuple(items) for key, items in found.items()}

    def of_kind(self, kind: type[T]) -> Iterator[T]:
        """All objects of one kind, in the order of their declaration."""
        return (item for item in self._by_kind.get(kind.kind, ()) if isinstance(item, kind))

    def on_table(self, kind: type[T], table: Table) -> tuple[T, ...]:
        """The objects of one kind that stand on a table: its indexes, triggers, row security."""
        return tuple(item for item in self._on_table.get((kind.kind, table.key), ()) if isinstance(item, kind))

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables of the metadata and of every room so far."""
        return tuple(self.of_kind(Table))

    def table(self, schema: str, name: str) -> Table:
        """One table.

        Raises
        ------
        UnknownTable
            Neither the metadata nor a room has it.
        """
        found = self.objects.get(Key("table", (schema, name)))
        if not isinstance(found, Table):
            raise UnknownTable(
                f"Table {schema}.{name} is not in the data layer",
                hint="Name a table of the metadata that the layer was given.",
            )
        return found

    def constraints(self, table: Table) -> tuple[Constraint, ...]:
        """The constraints of a table."""
        return self.on_table(Constraint, table)

    def policies(self, table: Table) -> tuple[Policy, ...]:
        """The policies of a table, so far."""
        return self.on_table(Policy, table)

    def primary_key(self, table: Table) -> tuple[str, ...]:
        """The columns of a table's primary key, in order; empty where it has none."""
        return next((c.columns for c in self.constraints(table) if c.type == "p"), ())

    def with_objects(self, objects: Iterable[Object]) -> Model:
        """The model with more objects."""
        return replace(self, objects={**self.objects, **{item.key: item for item in objects}})
