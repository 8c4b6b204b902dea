"""A small layer that keeps outcomes, planned and applied on a real database."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Outcomes, Roles, Tenancy
from freehold.kernel.prove import Outcome, run_probes
from freehold.operations import apply_layer

Connection = psycopg.Connection[Any]
SECRET = bytes(range(32))
PASSWORD = "of the application"
ONE, TWO = UUID(int=1), UUID(int=2)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)


def layer(name: str) -> DataLayer:
    """The layer; results of 100 bytes at most."""
    outcomes = Outcomes(keep="30 days", largest_result=100)
    return DataLayer(Base.metadata, Tenancy(Company), Roles(), outcomes, name=name)


def applied(connection: Connection, name: str) -> DataLayer:
    """The layer on an empty database, with a key to sign contexts with and passwords for its logins."""
    made = layer(name)
    apply_layer(connection, made.declared)
    connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    set_passwords(connection, name)
    return made


def set_passwords(connection: Connection, name: str) -> None:
    """One password for the logins that the tests use."""
    for login in ("app_a", "jobs", "ro", "monitor"):
        role = psycopg.sql.Identifier(f"{name}_{login}")
        connection.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD {}").format(role, psycopg.sql.Literal(PASSWORD)))


def broken(connection: Connection, made: DataLayer, room: str = "outcomes") -> list[str]:
    """The promises of a room that do not hold, or were not tried."""
    probes = [probe for probe in made.declared.probes if probe.room == room]
    assert probes
    return [found.promise for found in run_probes(connection, probes) if found.verdict is not Outcome.HELD]
