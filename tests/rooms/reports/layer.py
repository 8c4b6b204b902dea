"""A small layer with reports over owned and shared tables, built on a real database."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.prove import Verdict
from freehold.rooms.reports import ROOM, Report
from freehold.rooms.roles import ROOM as ROLES
from freehold.rooms.roles import Roles
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from tests.rooms.building import Connection, judged, unheld

ONE, TWO, THREE = UUID(int=1), UUID(int=2), UUID(int=3)


class Base(DeclarativeBase):
    metadata = sa.MetaData(schema="shop")


class Company(Base):
    __tablename__ = "company"
    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]


class Sale(Base):
    __tablename__ = "sale"
    tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
    article: Mapped[str]
    amount: Mapped[Any] = mapped_column(sa.Numeric(6, 2))


class Article(Base):
    __tablename__ = "article"
    code: Mapped[str] = mapped_column(primary_key=True)
    family: Mapped[str]


REVENUE = Report(
    "revenue",
    sa.select(Sale.tenant_id, Sale.article, sa.func.sum(Sale.amount).label("amount"), sa.func.count().label("sales"))
    .where(Sale.article.not_like("50%off"), Sale.article != "it's")
    .group_by(Sale.tenant_id, Sale.article),
    keys=["article"],
)
FAMILIES = Report(
    "families",
    sa.select(Article.family, sa.func.count().label("articles")).group_by(Article.family),
    keys=["family"],
    when_stale="label",
)


def layer(name: str, *reports: Report) -> Declared:
    """The compiled layer."""
    items = (Tenancy(Company, shared=[Article]), *(reports or (REVENUE, FAMILIES)), Roles())
    return compile_layer(Declarations(metadata=Base.metadata, items=items, name=name), [ROOM, TENANCY, ROLES])


def plant(connection: Connection) -> None:
    """Two tenants with sales, one without, and articles of two families."""
    with connection.transaction():
        connection.execute("INSERT INTO shop.company VALUES (%s, 'One'), (%s, 'Two'), (%s, 'Three')", (ONE, TWO, THREE))
        for tenant in (ONE, TWO):
            connection.execute(
                "INSERT INTO shop.sale SELECT %s, g, (ARRAY['tea', 'jam'])[1 + g %% 2], 9999.99"
                " FROM generate_series(1, 10) AS g",
                (tenant,),
            )
        connection.execute("INSERT INTO shop.article VALUES ('tea', 'drinks'), ('jam', 'spreads'), ('mate', 'drinks')")


@contextmanager
def as_tenant(engine: sa.Engine, name: str, tenant: UUID, *, isolation: str = "READ COMMITTED") -> Iterator[Session]:
    """A session of the application under a tenant; it ends with a commit."""
    with engine.connect().execution_options(isolation_level=isolation) as connection, Session(connection) as session:
        token = sa.func.freehold.issue_context_v1(str(tenant), "ann", sa.cast("1 minute", sa.Interval))
        session.execute(sa.select(sa.func.set_config("freehold.context", token, True)))
        session.execute(sa.text("SELECT set_config('role', :role, true)"), {"role": f"{name}_app_a"})
        yield session
        session.commit()


def verdicts(connection: Connection, declared: Declared) -> Sequence[Verdict]:
    """What the room's probes find."""
    return judged(connection, declared, "reports")


def broken(connection: Connection, declared: Declared) -> list[str]:
    """The promises that do not hold."""
    return unheld(connection, declared, "reports")
