"""The tables of the attacks on tenants: every row carries a mark that names its owner, so that a stranger's is seen."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import DataLayer, Roles, Tenancy
from freehold.rooms.tenancy import tenant_foreign_key, tenant_unique
from freehold.servers import Binaries
from freehold.servers.pooler import Pooler, pooler_for
from torture.ground import Ground, ground

NAME = "estate"
NOTES = 4
"""Notes of each tenant."""
SERVER_CONNECTIONS = 3
"""Few, so that tenants meet on them."""


class Base(DeclarativeBase):
    """The estate's tables."""

    metadata = sa.MetaData(schema=NAME)


class House(Base):
    """The tenants."""

    __tablename__ = "house"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    mark: Mapped[str] = mapped_column(sa.Text)


class Unit(Base):
    """Shared by all."""

    __tablename__ = "unit"
    code: Mapped[str] = mapped_column(sa.Text, primary_key=True)


class Note(Base):
    """A tenant's own."""

    __tablename__ = "note"
    tenant_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey(House.id), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    mark: Mapped[str] = mapped_column(sa.Text)
    __table_args__ = (tenant_unique("mark"),)


class Reply(Base):
    """A tenant's own, hung on a note."""

    __tablename__ = "reply"
    tenant_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    note_id: Mapped[int] = mapped_column(sa.BigInteger)
    mark: Mapped[str] = mapped_column(sa.Text)
    __table_args__ = (tenant_foreign_key("note_id", "estate.note.id"),)


def layer() -> DataLayer:
    """The layer, new each time: a layer remembers what it compiled to."""
    return DataLayer(Base.metadata, Tenancy(House, shared=[Unit]), Roles(), name=NAME)


# Tenants are far apart, so that no number of the harness is another's mark by chance.
FILL = (
    "INSERT INTO estate.house SELECT n * 7919, 'mark-of-' || n * 7919 || '-' FROM generate_series(1, %(tenants)s) n",
    "INSERT INTO estate.note SELECT h.id, n, mark || 'note' || n FROM estate.house h, generate_series(1, %(notes)s) n",
    "INSERT INTO estate.reply SELECT tenant_id, id, id, mark || '-reply' FROM estate.note",
    "INSERT INTO estate.unit VALUES ('metre'), ('litre')",
)


def tenant(number: int) -> int:
    """The key of the tenant of this number, counted from 1."""
    return number * 7919


@dataclass(frozen=True)
class Estate:
    """The ground with its tenants, and PgBouncer before it."""

    ground: Ground
    pooler: Pooler
    tenants: int

    @property
    def url(self) -> str:
        """The application's URL, by way of PgBouncer."""
        return self.pooler.url(self.ground.database, user=self.ground.login, password=self.ground.password)

    @property
    def conninfo(self) -> str:
        """The same for libpq."""
        return self.pooler.conninfo(self.ground.database, user=self.ground.login, password=self.ground.password)


@contextmanager
def estate(
    tenants: int, *, binaries: Binaries | None = None, connections: int = SERVER_CONNECTIONS
) -> Iterator[Estate]:
    """A new server with this many tenants, and a pooler of few connections before it; removed at the end."""
    with ground(layer(), binaries=binaries) as made:
        with made.admin() as admin:
            for statement in FILL:
                admin.execute(statement, {"tenants": tenants, "notes": NOTES} if "%" in statement else None)
            admin.execute("ANALYZE")
        with pooler_for(made.server, pool_size=connections) as pooler:
            yield Estate(made, pooler, tenants)
