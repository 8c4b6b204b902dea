"""The tables of the harnesses on isolation, and the layer that makes one tenant own their rows."""

from __future__ import annotations

from typing import Any

import psycopg
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from freehold import DataLayer, Roles, Tenancy
from freehold.kernel.template import read_sql
from freehold.rooms.outcomes import Outcomes

NAME = "torture"
METADATA = sa.MetaData(schema=NAME)

COMPANY = sa.Table("company", METADATA, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))


def owned(name: str, *columns: sa.schema.SchemaItem) -> sa.Table:
    """A table whose rows a company owns, its key the company's and ``id``."""
    company = sa.ForeignKey(COMPANY.c.id, name=f"{name}_tenant_id_fkey")
    return sa.Table(
        name,
        METADATA,
        sa.Column("tenant_id", sa.BigInteger, company, primary_key=True),
        sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False),
        *columns,
    )


TEST = owned("test", sa.Column("value", sa.Integer, nullable=False))
LIST = owned("list", sa.Column("elements", ARRAY(sa.BigInteger), nullable=False))
ACCOUNT = owned("account", sa.Column("balance", sa.BigInteger, nullable=False))
TRANSFER = owned(
    "transfer",
    sa.Column("source", sa.BigInteger, nullable=False),
    sa.Column("target", sa.BigInteger, nullable=False),
    sa.Column("amount", sa.BigInteger, nullable=False),
    sa.Column("request", sa.Text, nullable=False),
)


def layer() -> DataLayer:
    """The layer, new each time: a layer remembers what it compiled to."""
    return DataLayer(METADATA, Tenancy(COMPANY), Roles(), Outcomes(), name=NAME)


def insert_company(connection: psycopg.Connection[Any], tenant: int) -> None:
    """The tenant, as the administrator."""
    connection.execute(read_sql("torture", "insert_company"), (tenant,))
