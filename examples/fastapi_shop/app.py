"""Orders of several companies: taken once however often they are sent, listed where a replica is fresh enough."""

from __future__ import annotations

import os
import uuid
from typing import Annotated, Any

import sqlalchemy as sa
from examples.fastapi_shop.layer import Order, Product, layer
from fastapi import Depends, FastAPI, HTTPException
from pydantic import BaseModel, PositiveInt
from starlette.requests import HTTPConnection
from starlette.responses import Response

from freehold import AsyncSession, Session
from freehold.frameworks.fastapi import blocking_transaction, install, lifespan, read, transaction
from freehold.frameworks.idempotency import Once, once
from freehold.runtime.workload import Workload


class NewProduct(BaseModel):
    """What a company will sell."""

    name: str
    stock: int


class NewOrder(BaseModel):
    """What is ordered."""

    product: str
    quantity: PositiveInt


def who(request: HTTPConnection) -> tuple[Any, str]:
    """Tenant and actor; a gateway that authenticates sets these headers and strips the client's own."""
    tenant = request.headers.get("x-tenant")
    try:
        return (uuid.UUID(tenant) if tenant else None), request.headers.get("x-actor", "")
    except ValueError:
        raise HTTPException(400, "X-Tenant is no UUID") from None


OPTIONS: dict[str, Any] = {
    "keys": os.environ["SHOP_KEYS"],
    "workloads": (Workload("web", statement_timeout=5.0, lock_timeout=2.0),),
    "replicas": tuple(os.environ.get("SHOP_REPLICAS", "").split()),
}
app = FastAPI(title="shop", lifespan=lifespan(layer, os.environ["SHOP_DATABASE"], blocking=True, **OPTIONS))
install(app, who, position_cookie="freehold_position")

Transaction = Annotated[AsyncSession, transaction(workload="web")]
BlockingTransaction = Annotated[Session, blocking_transaction(workload="web")]
Read = Annotated[AsyncSession, read(max_staleness=5.0)]


async def take(session: AsyncSession, order: NewOrder) -> dict[str, Any]:
    """Take an order and what it needs from stock: both or neither."""
    product = await session.scalar(sa.select(Product).where(Product.name == order.product).with_for_update())
    if product is None:
        raise HTTPException(404, "The company does not sell this")
    product.stock -= order.quantity
    taken = Order(product_id=product.id, quantity=order.quantity, ordered_by=session.sync_session.context.actor)
    session.add(taken)
    await session.flush()
    return {"id": taken.id, "product": product.name, "quantity": taken.quantity, "left": product.stock}


@app.post("/orders", status_code=201)
async def order(new: NewOrder, key: Annotated[Once, Depends(once)]) -> Response:
    """Order, once for each Idempotency-Key."""
    return await key.run(take, new, status=201, workload="web")


@app.get("/orders")
async def orders(session: Read) -> list[dict[str, Any]]:
    """The company's orders; send the header Freehold-Position of your last write to see it for certain."""
    found = await session.execute(
        sa.select(Order.id, Product.name.label("product"), Order.quantity, Order.ordered_by)
        .join(Product, Product.id == Order.product_id)
        .order_by(Order.id)
    )
    return [dict(row._mapping) for row in found]


@app.post("/products", status_code=201)
async def add_product(new: NewProduct, session: Transaction) -> dict[str, Any]:
    """Sell a new product."""
    product = Product(name=new.name, stock=new.stock)
    session.add(product)
    await session.flush()
    return {"id": product.id, "name": product.name}


@app.delete("/products/{name}")
def withdraw(name: str, session: BlockingTransaction) -> dict[str, Any]:
    """Sell a product no longer; the endpoint blocks, and FastAPI runs it on a thread."""
    product = session.scalar(sa.select(Product).where(Product.name == name))
    if product is None:
        raise HTTPException(404, "The company does not sell this")
    session.delete(product)
    return {"withdrawn": name}
