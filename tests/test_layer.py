"""The data layer as an application holds it: what its ways in take, and which tables are whose."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import pytest
import sqlalchemy as sa

from freehold import AsyncDatabase, Database, DataLayer, Tenancy, Versions

FROM_THE_LAYER = {"layer_name", "tenant_columns", "tables", "accepted", "info"}


def _layer(*more: object) -> DataLayer:
    metadata = sa.MetaData()
    tenant = sa.Table("tenant", metadata, sa.Column("id", sa.Uuid, primary_key=True))
    sa.Table(
        "customer",
        metadata,
        sa.Column("tenant_id", sa.Uuid, sa.ForeignKey(tenant.c.id), primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True),
    )
    product = sa.Table("product", metadata, sa.Column("id", sa.BigInteger, primary_key=True))
    return DataLayer(metadata, Tenancy(tenant, shared=[product]), *more, name="crm")


@pytest.mark.parametrize(
    ("door", "behind"),
    [(DataLayer.connect, Database.connect), (DataLayer.connect_async, AsyncDatabase.connect)],
    ids=["connect", "connect_async"],
)
def test_every_option_of_a_connection_is_spelt_out(door: Callable[..., Any], behind: Callable[..., Any]) -> None:
    spelt = {name: (each.kind, each.default) for name, each in signature(door).parameters.items() if name != "self"}
    taken = {name: (each.kind, each.default) for name, each in signature(behind).parameters.items()}
    # A cipher is made of the layer and this, and goes behind the door in what every session is given.
    assert spelt.pop("encryption")[1] is None
    assert spelt == {name: each for name, each in taken.items() if name not in FROM_THE_LAYER}
    assert spelt["engine_options"][0] is Parameter.VAR_KEYWORD


def test_tenant_columns() -> None:
    layer = _layer()
    assert {table.name: column for table, column in layer.tenant_columns.items()} == {
        "tenant": "id",
        "customer": "tenant_id",
    }


def test_accepted_advisories() -> None:
    reasons = {"CVE-2026-16237": "no view is written through"}
    assert _layer().accepted_advisories is None
    assert _layer(Versions()).accepted_advisories == {}
    assert _layer(Versions(accept=reasons)).accepted_advisories == reasons
