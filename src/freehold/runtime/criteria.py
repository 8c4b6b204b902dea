"""The tenant as a parameter of every ORM statement: better plans, and the condition that lets Citus route."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import Mapper, registry
from sqlalchemy.orm.util import LoaderCriteriaOption
from sqlalchemy.sql import util as sql_util

from freehold.errors import InputError

TenantColumns = Mapping[sa.Table, str]


class TenantCriteria(LoaderCriteriaOption):
    """``tenant column = :tenant`` on every mapped class of one registry that has a tenant column.

    ``with_loader_criteria`` takes one class a time, or a base whose every class has the column; a layer has shared
    classes as well, and hundreds of options would be hashed with every statement. This is one option, which looks up
    the column when a statement is compiled. The bind parameter is part of ``where_criteria``, which puts it into the
    statement's cache key, so that a cached statement runs with each session's own tenant.
    """

    __slots__ = ("bind", "columns")

    # Named again: SQLAlchemy caches statements of a subclass only where it says itself what its key is made of.
    _traverse_internals = LoaderCriteriaOption._traverse_internals

    def __init__(self, mapped: registry, columns: TenantColumns, tenant: Any, kind: sa.types.TypeEngine[Any]) -> None:
        self.bind = sa.bindparam("freehold_tenant", tenant, type_=kind, unique=True)
        self.columns = columns
        # Not propagated: the session adds the option of its own tenant to lazy loads too.
        super().__init__(
            mapped,  # type: ignore[arg-type]
            self.bind.is_not(None),
            include_aliases=True,
            propagate_to_loaders=False,
        )

    def _all_mappers(self) -> Iterator[Mapper[Any]]:
        assert isinstance(self.root_entity, registry)
        return (mapper for mapper in self.root_entity.mappers if mapper.local_table in self.columns)

    def _resolve_where_criteria(self, ext_info: Any) -> sa.ColumnElement[bool]:
        key = tenant_attribute(ext_info.mapper, self.columns)
        return sql_util._deep_annotate(
            getattr(ext_info.entity, key) == self.bind,
            {"for_loader_criteria": self},
            detect_subquery_cols=True,
            ind_cols_on_fromclause=True,
        )


def tenant_attribute(mapper: Mapper[Any], columns: TenantColumns) -> str:
    """The name under which a mapped class holds its tenant column."""
    table = mapper.local_table
    assert isinstance(table, sa.Table)
    return str(mapper.get_property_by_column(table.columns[columns[table]]).key)


def tenant_type(columns: TenantColumns) -> sa.types.TypeEngine[Any]:
    """The type of the tenant columns, which is one for all."""
    table, name = next(iter(columns.items()))
    return table.columns[name].type


def coerced(tenant: Any, kind: sa.types.TypeEngine[Any]) -> Any:
    """The tenant as the column's Python type, where it was given as text.

    Raises
    ------
    InputError
        The text is no key of a tenant.
    """
    wanted = kind.python_type
    if isinstance(tenant, str) and wanted in {uuid.UUID, int}:
        try:
            return wanted(tenant)
        except ValueError as error:
            raise InputError(
                f"{tenant!r} is no key of a tenant",
                detail=f"Tenants have keys of the type {wanted.__name__}.",
                hint="Give the transaction the key as it stands in the tenants' table.",
            ) from error
    return str(tenant) if wanted is str else tenant
