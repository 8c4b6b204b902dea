"""TPC-C's five transactions as an application writes them: functions of a session, run by the runtime."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from freehold import Session
from torture.ground import TENANT
from torture.tpcc.model import CUSTOMER, DISTRICT, HISTORY, ITEM, NEW_ORDER, ORDER_LINE, ORDERS, STOCK, WAREHOUSE

ORDER, DELIVERY, READ = "order", "delivery", "read"
"""Workloads: what waits for the rows it writes, what decides by a snapshot what it writes, and what only reads one."""


class UnusedItem(Exception):  # the specification's one order in a hundred that is rolled back
    """The last item of the order does not exist."""


@dataclass(frozen=True)
class Line:
    """What is ordered of one item."""

    item: int
    supplier: int
    quantity: int


def new_order(session: Session, warehouse: int, district: int, customer: int, lines: tuple[Line, ...]) -> int:
    """Clause 2.4."""
    tax = session.execute(sa.select(WAREHOUSE.c.w_tax).where(WAREHOUSE.c.w_id == warehouse)).scalar_one()
    order, district_tax = session.execute(
        sa.update(DISTRICT)
        .where(DISTRICT.c.d_w_id == warehouse, DISTRICT.c.d_id == district)
        .values(d_next_o_id=DISTRICT.c.d_next_o_id + 1)
        .returning(DISTRICT.c.d_next_o_id - 1, DISTRICT.c.d_tax)
    ).one()
    discount = session.execute(sa.select(CUSTOMER.c.c_discount).where(*_is(warehouse, district, customer))).scalar_one()
    place = {"tenant_id": TENANT, "o_w_id": warehouse, "o_d_id": district, "o_id": order}
    session.execute(sa.insert(ORDERS).values(**place, o_c_id=customer, o_ol_cnt=len(lines)))
    session.execute(sa.insert(NEW_ORDER).values(tenant_id=TENANT, no_w_id=warehouse, no_d_id=district, no_o_id=order))
    factor = (1 - discount) * (1 + tax + district_tax)
    for number, line in enumerate(lines, 1):
        _order_line(session, (warehouse, district, order, number), line, factor)
    return int(order)


def _order_line(session: Session, place: tuple[int, int, int, int], line: Line, factor: Decimal) -> None:
    price = session.execute(sa.select(ITEM.c.i_price).where(ITEM.c.i_id == line.item)).scalar_one_or_none()
    if price is None:
        raise UnusedItem
    left = STOCK.c.s_quantity - line.quantity
    session.execute(
        sa.update(STOCK)
        .where(STOCK.c.s_w_id == line.supplier, STOCK.c.s_i_id == line.item)
        .values(
            s_quantity=sa.case((left >= 10, left), else_=left + 91),
            s_ytd=STOCK.c.s_ytd + line.quantity,
            s_order_cnt=STOCK.c.s_order_cnt + 1,
            s_remote_cnt=STOCK.c.s_remote_cnt + int(line.supplier != place[0]),
        )
    )
    keys = dict(zip(("ol_w_id", "ol_d_id", "ol_o_id", "ol_number"), place, strict=True))
    session.execute(
        sa.insert(ORDER_LINE).values(
            tenant_id=TENANT,
            **keys,
            ol_i_id=line.item,
            ol_supply_w_id=line.supplier,
            ol_quantity=line.quantity,
            ol_amount=round(line.quantity * price * factor, 2),
        )
    )


def payment(
    session: Session, warehouse: int, district: int, home: tuple[int, int], customer: int | str, amount: Decimal
) -> None:
    """Clause 2.5; a customer is named by number, or by a last name of which the middle one is taken."""
    session.execute(sa.update(WAREHOUSE).where(WAREHOUSE.c.w_id == warehouse).values(w_ytd=WAREHOUSE.c.w_ytd + amount))
    session.execute(
        sa.update(DISTRICT)
        .where(DISTRICT.c.d_w_id == warehouse, DISTRICT.c.d_id == district)
        .values(d_ytd=DISTRICT.c.d_ytd + amount)
    )
    number = customer if isinstance(customer, int) else _named(session, *home, customer)
    session.execute(
        sa.update(CUSTOMER)
        .where(*_is(*home, number))
        .values(
            c_balance=CUSTOMER.c.c_balance - amount,
            c_ytd_payment=CUSTOMER.c.c_ytd_payment + amount,
            c_payment_cnt=CUSTOMER.c.c_payment_cnt + 1,
        )
    )
    whose = {"h_c_w_id": home[0], "h_c_d_id": home[1], "h_c_id": number}
    where = {"h_w_id": warehouse, "h_d_id": district}
    session.execute(sa.insert(HISTORY).values(tenant_id=TENANT, **whose, **where, h_amount=amount))


def delivery(session: Session, warehouse: int, districts: int, carrier: int) -> int:
    """Clause 2.7: the oldest new order of each district; gives how many there were."""
    return sum(_deliver(session, warehouse, district, carrier) for district in range(1, districts + 1))


def _deliver(session: Session, warehouse: int, district: int, carrier: int) -> bool:
    here = (NEW_ORDER.c.no_w_id == warehouse, NEW_ORDER.c.no_d_id == district)
    order = session.execute(sa.select(sa.func.min(NEW_ORDER.c.no_o_id)).where(*here)).scalar_one()
    if order is None:
        return False
    session.execute(sa.delete(NEW_ORDER).where(*here, NEW_ORDER.c.no_o_id == order))
    customer = session.execute(
        sa.update(ORDERS)
        .where(ORDERS.c.o_w_id == warehouse, ORDERS.c.o_d_id == district, ORDERS.c.o_id == order)
        .values(o_carrier_id=carrier)
        .returning(ORDERS.c.o_c_id)
    ).scalar_one()
    lines = (ORDER_LINE.c.ol_w_id == warehouse, ORDER_LINE.c.ol_d_id == district, ORDER_LINE.c.ol_o_id == order)
    session.execute(sa.update(ORDER_LINE).where(*lines).values(ol_delivery_d=sa.func.now()))
    amount = session.execute(sa.select(sa.func.sum(ORDER_LINE.c.ol_amount)).where(*lines)).scalar_one()
    session.execute(
        sa.update(CUSTOMER)
        .where(*_is(warehouse, district, customer))
        .values(c_balance=CUSTOMER.c.c_balance + amount, c_delivery_cnt=CUSTOMER.c.c_delivery_cnt + 1)
    )
    return True


def order_status(session: Session, warehouse: int, district: int, name: str) -> int:
    """Clause 2.6: the lines of a customer's last order; gives how many they are against what the order says."""
    customer = _named(session, warehouse, district, name)
    last = session.execute(
        sa.select(ORDERS.c.o_id, ORDERS.c.o_ol_cnt)
        .where(ORDERS.c.o_w_id == warehouse, ORDERS.c.o_d_id == district, ORDERS.c.o_c_id == customer)
        .order_by(ORDERS.c.o_id.desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return 0
    lines = (ORDER_LINE.c.ol_w_id == warehouse, ORDER_LINE.c.ol_d_id == district, ORDER_LINE.c.ol_o_id == last.o_id)
    return int(session.execute(sa.select(sa.func.count()).where(*lines)).scalar_one() - last.o_ol_cnt)


def stock_level(session: Session, warehouse: int, district: int, threshold: int) -> int:
    """Clause 2.8: how many items of the last twenty orders are low."""
    here = (DISTRICT.c.d_w_id == warehouse, DISTRICT.c.d_id == district)
    following = session.execute(sa.select(DISTRICT.c.d_next_o_id).where(*here)).scalar_one()
    items = sa.select(ORDER_LINE.c.ol_i_id).where(
        ORDER_LINE.c.ol_w_id == warehouse, ORDER_LINE.c.ol_d_id == district, ORDER_LINE.c.ol_o_id >= following - 20
    )
    low = (STOCK.c.s_w_id == warehouse, STOCK.c.s_quantity < threshold, STOCK.c.s_i_id.in_(items))
    return int(session.execute(sa.select(sa.func.count()).where(*low)).scalar_one())


def _is(warehouse: int, district: int, customer: int) -> tuple[sa.ColumnElement[bool], ...]:
    return (CUSTOMER.c.c_w_id == warehouse, CUSTOMER.c.c_d_id == district, CUSTOMER.c.c_id == customer)


def _named(session: Session, warehouse: int, district: int, name: str) -> int:
    here = (CUSTOMER.c.c_w_id == warehouse, CUSTOMER.c.c_d_id == district, CUSTOMER.c.c_last == name)
    found = session.execute(sa.select(CUSTOMER.c.c_id).where(*here).order_by(CUSTOMER.c.c_id)).scalars().all()
    return int(found[len(found) // 2])
