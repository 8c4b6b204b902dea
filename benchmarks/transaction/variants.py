"""One transaction as each library's users write it: bind the tenant, read an order, insert a line, update stock."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import asyncpg
import psycopg
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy import orm

from benchmarks.transaction.shop import KEYS, ROWS, TENANTS, Line, Order, Stock, layer
from freehold import CoreTransaction, Session

Work = Callable[[int], None]
"""Does that many transactions on one connection."""
PRICE = Decimal("9.95")
SET = "SELECT set_config('bench.tenant', %s, true)"
READ = "SELECT id, customer FROM usual.orders WHERE tenant_id = %s AND id = %s"
INSERT = "INSERT INTO usual.order_line (tenant_id, order_id, product_id, quantity, price) VALUES (%s, %s, %s, %s, %s)"
UPDATE = "UPDATE usual.stock SET on_hand = on_hand - %s WHERE tenant_id = %s AND product_id = %s"


def drawn() -> tuple[int, int, int]:
    """A tenant, an order and a product."""
    return random.randint(1, TENANTS), random.randint(1, ROWS), random.randint(1, ROWS)


# Freehold

ORDER = sa.select(Order.id, Order.customer).where(
    Order.tenant_id == sa.bindparam("tenant"), Order.id == sa.bindparam("order")
)
ADD_LINE = sa.insert(Line)
TAKE = (
    sa.update(Stock)
    .where(Stock.tenant_id == sa.bindparam("tenant"), Stock.product_id == sa.bindparam("product"))
    .values(on_hand=Stock.on_hand - sa.bindparam("quantity"))
)


def _sell(tx: CoreTransaction, tenant: int, order: int, product: int) -> int:
    found = tx.execute(ORDER, {"tenant": tenant, "order": order}).one()
    tx.finish(
        (ADD_LINE, {"order_id": found.id, "product_id": product, "quantity": 1, "price": PRICE}),
        (TAKE, {"tenant": tenant, "product": product, "quantity": 1}),
        result=int(found.id),
    )
    return int(found.id)


def freehold_core(url: str) -> Work:
    """The fast path."""
    db = layer.connect(url, keys=KEYS)

    def work(times: int) -> None:
        for _ in range(times):
            tenant, order, product = drawn()
            with db.core(tenant=tenant, actor="bench") as tx:
                _sell(tx, tenant, order, product)

    return work


def freehold_run(url: str) -> Work:
    """The fast path with retries and an outcome under a key."""
    db = layer.connect(url, keys=KEYS)

    def work(times: int) -> None:
        for _ in range(times):
            drew = drawn()
            key = f"{random.getrandbits(128):032x}"
            db.run_core(_sell, *drew, tenant=drew[0], actor="bench", key=key, request=list(drew))

    return work


def freehold_retried(url: str) -> Work:
    """The fast path with retries and no key."""
    db = layer.connect(url, keys=KEYS)

    def work(times: int) -> None:
        for _ in range(times):
            drew = drawn()
            db.run_core(_sell, *drew, tenant=drew[0], actor="bench")

    return work


def freehold_session(url: str) -> Work:
    """The ORM session."""
    db = layer.connect(url, keys=KEYS)

    def sell(session: Session, tenant: int, order: int, product: int) -> None:
        found = session.scalars(sa.select(Order).where(Order.id == order)).one()
        session.add(Line(order_id=found.id, product_id=product, quantity=1, price=PRICE))
        session.flush()
        session.execute(
            sa.update(Stock).where(Stock.product_id == product).values(on_hand=Stock.on_hand - 1),
            execution_options={"synchronize_session": False},
        )

    def work(times: int) -> None:
        for _ in range(times):
            tenant, order, product = drawn()
            with db.transaction(tenant=tenant, actor="bench") as session:
                sell(session, tenant, order, product)

    return work


# The usual recipes

USUAL = sa.MetaData(schema="usual")


class UsualBase(orm.DeclarativeBase):
    metadata = USUAL


class UsualOrder(UsualBase):
    __tablename__ = "orders"
    tenant_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    customer: orm.Mapped[str] = orm.mapped_column(sa.Text)


class UsualLine(UsualBase):
    __tablename__ = "order_line"
    tenant_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    order_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    product_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger)
    quantity: orm.Mapped[int] = orm.mapped_column(sa.Integer)
    price: orm.Mapped[Decimal] = orm.mapped_column(sa.Numeric(12, 2))


class UsualStock(UsualBase):
    __tablename__ = "stock"
    tenant_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    product_id: orm.Mapped[int] = orm.mapped_column(sa.BigInteger, primary_key=True)
    on_hand: orm.Mapped[int] = orm.mapped_column(sa.Integer)


def _engine(url: str) -> sa.Engine:
    return sa.create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))


def sqlalchemy_core(url: str) -> Work:
    """SQLAlchemy Core, the tenant set by an event hook at the beginning of each transaction."""
    engine = _engine(url)
    tenant_of: dict[str, int] = {}

    @sa.event.listens_for(engine, "begin")
    def bind(connection: sa.Connection) -> None:
        connection.exec_driver_sql(SET, (str(tenant_of["tenant"]),))

    def work(times: int) -> None:
        for _ in range(times):
            tenant, order, product = drawn()
            tenant_of["tenant"] = tenant
            with engine.begin() as connection:
                read = sa.select(UsualOrder.id, UsualOrder.customer).where(
                    UsualOrder.tenant_id == tenant, UsualOrder.id == order
                )
                found = connection.execute(read).one()
                values = {"tenant_id": tenant, "order_id": found.id, "product_id": product, "quantity": 1}
                connection.execute(sa.insert(UsualLine).values(price=PRICE, **values))
                connection.execute(
                    sa.update(UsualStock)
                    .where(UsualStock.tenant_id == tenant, UsualStock.product_id == product)
                    .values(on_hand=UsualStock.on_hand - 1)
                )

    return work


def sqlalchemy_orm(url: str) -> Work:
    """SQLAlchemy's ORM, the tenant set by an event hook at the beginning of each transaction."""
    make = orm.sessionmaker(_engine(url), expire_on_commit=False)

    @sa.event.listens_for(make, "after_begin")
    def bind(session: orm.Session, transaction: Any, connection: sa.Connection) -> None:
        connection.exec_driver_sql(SET, (str(session.info["tenant"]),))

    def work(times: int) -> None:
        for _ in range(times):
            tenant, order, product = drawn()
            with make(info={"tenant": tenant}) as session, session.begin():
                read = sa.select(UsualOrder).where(UsualOrder.tenant_id == tenant, UsualOrder.id == order)
                found = session.scalars(read).one()
                session.add(UsualLine(tenant_id=tenant, order_id=found.id, product_id=product, quantity=1, price=PRICE))
                session.flush()
                session.execute(
                    sa.update(UsualStock)
                    .where(UsualStock.tenant_id == tenant, UsualStock.product_id == product)
                    .values(on_hand=UsualStock.on_hand - 1),
                    execution_options={"synchronize_session": False},
                )

    return work


def psycopg_plain(url: str) -> Work:
    """psycopg, statement by statement."""
    connection = psycopg.connect(url)

    def work(times: int) -> None:
        for _ in range(times):
            tenant, order, product = drawn()
            with connection.transaction(), connection.cursor() as cursor:
                cursor.execute(SET, (str(tenant),))
                found = cursor.execute(READ, (tenant, order)).fetchone()
                assert found is not None
                cursor.execute(INSERT, (tenant, found[0], product, 1, PRICE))
                cursor.execute(UPDATE, (1, tenant, product))

    return work


def django_orm(url: str) -> Work:
    """Django's ORM in ``transaction.atomic``, the tenant set by its first statement."""
    from benchmarks.transaction import django_shop  # configures Django for this process alone

    return django_shop.work(url, drawn, PRICE)


def asyncpg_plain(url: str) -> Work:
    """asyncpg, statement by statement."""
    loop = asyncio.new_event_loop()
    connection = loop.run_until_complete(_asyncpg(url))

    async def sell() -> None:
        tenant, order, product = drawn()
        async with connection.transaction():
            await connection.fetchval("SELECT set_config('bench.tenant', $1, true)", str(tenant))
            found = await connection.fetchrow(
                "SELECT id, customer FROM usual.orders WHERE tenant_id = $1 AND id = $2", tenant, order
            )
            await connection.execute(
                "INSERT INTO usual.order_line (tenant_id, order_id, product_id, quantity, price)"
                " VALUES ($1, $2, $3, $4, $5)",
                *(tenant, found["id"], product, 1, PRICE),
            )
            await connection.execute(
                "UPDATE usual.stock SET on_hand = on_hand - $1 WHERE tenant_id = $2 AND product_id = $3",
                *(1, tenant, product),
            )

    return _repeated(loop, sell)


async def _asyncpg(url: str) -> Any:
    place: dict[str, Any] = conninfo_to_dict(url)
    port, database = int(place.get("port") or 5432), place["dbname"]
    return await asyncpg.connect(
        host=place["host"], port=port, user=place["user"], password=place["password"], database=database
    )


def _repeated(loop: asyncio.AbstractEventLoop, once: Callable[[], Awaitable[None]]) -> Work:
    async def repeat(times: int) -> None:
        for _ in range(times):
            await once()

    return lambda times: loop.run_until_complete(repeat(times))


VARIANTS: dict[str, Callable[[str], Work]] = {
    "Freehold, fast path": freehold_core,
    "Freehold, fast path, db.run": freehold_retried,
    "Freehold, fast path, db.run with a key": freehold_run,
    "Freehold, ORM session": freehold_session,
    "SQLAlchemy Core": sqlalchemy_core,
    "SQLAlchemy ORM": sqlalchemy_orm,
    "Django ORM": django_orm,
    "psycopg": psycopg_plain,
    "asyncpg": asyncpg_plain,
}
