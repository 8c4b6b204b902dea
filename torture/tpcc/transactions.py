"""TPC-C's five transactions as an application writes them for the fast path: independent statements travel together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from freehold.runtime.core import CoreTransaction
from torture.tpcc import statements as sql

ORDER, DELIVERY, READ = "order", "delivery", "read"
"""Workloads: what waits for the rows it writes, what decides by a snapshot what it writes, and what only reads one."""


class UnusedItem(Exception):  # the specification's one order in a hundred that is rolled back
    """The last item of the order does not exist."""


@dataclass(frozen=True, order=True)
class Line:
    """What is ordered of one item; sorted, so that two orders lock their stock in one order."""

    supplier: int
    item: int
    quantity: int


def new_order(tx: CoreTransaction, warehouse: int, district: int, customer: int, lines: Sequence[Line]) -> int:
    """Clause 2.4."""
    place = {"warehouse": warehouse, "district": district}
    found = tx.batch(
        (sql.TAX, place),
        (sql.NEXT_ORDER, place),
        (sql.DISCOUNT, {**place, "customer": customer}),
        *((sql.PRICE, {"item": line.item}) for line in lines),
    )
    tax, discount = found[0].scalar_one(), found[2].scalar_one()
    order, district_tax = tuple(found[1].one())
    prices = [price for result in found[3:] if (price := result.scalar_one_or_none()) is not None]
    if len(prices) < len(lines):
        raise UnusedItem
    factor = (1 - discount) * (1 + tax + district_tax)
    amounts = [round(line.quantity * price * factor, 2) for line, price in zip(lines, prices, strict=True)]
    numbered = [(number, line, amount) for number, (line, amount) in enumerate(zip(lines, amounts, strict=True), 1)]
    key = {"o_w_id": warehouse, "o_d_id": district, "o_id": order}
    tx.finish(
        (sql.ADD_ORDER, {**key, "o_c_id": customer, "o_ol_cnt": len(lines)}),
        (sql.ADD_NEW_ORDER, {"no_w_id": warehouse, "no_d_id": district, "no_o_id": order}),
        *((sql.TAKE_STOCK, _taken(warehouse, line)) for line in lines),
        *((sql.ADD_LINE, _line((warehouse, district, order), *each)) for each in numbered),
    )
    return int(order)


def _taken(warehouse: int, line: Line) -> dict[str, int]:
    remote = int(line.supplier != warehouse)
    return {"supplier": line.supplier, "item": line.item, "quantity": line.quantity, "remote": remote}


def _line(order: tuple[int, int, int], number: int, line: Line, amount: Decimal) -> dict[str, object]:
    keys = dict(zip(("ol_w_id", "ol_d_id", "ol_o_id"), order, strict=True))
    what = {"ol_i_id": line.item, "ol_supply_w_id": line.supplier, "ol_quantity": line.quantity}
    return {**keys, **what, "ol_number": number, "ol_amount": amount}


def payment(
    tx: CoreTransaction, place: tuple[int, int], home: tuple[int, int], customer: int | str, amount: Decimal
) -> None:
    """Clause 2.5; a customer is named by number, or by a last name of which the middle one is taken."""
    here = {"warehouse": place[0], "district": place[1], "amount": amount}
    tx.batch((sql.PAY_WAREHOUSE, here), (sql.PAY_DISTRICT, here))
    number = customer if isinstance(customer, int) else _named(tx, home, customer)
    whose = {"h_c_w_id": home[0], "h_c_d_id": home[1], "h_c_id": number}
    tx.finish(
        (sql.PAY, {"warehouse": home[0], "district": home[1], "customer": number, "amount": amount}),
        (sql.ADD_HISTORY, {**whose, "h_w_id": place[0], "h_d_id": place[1], "h_amount": amount}),
    )


def delivery(tx: CoreTransaction, warehouse: int, districts: int, carrier: int) -> int:
    """Clause 2.7: the oldest new order of each district; gives how many there were."""
    places = [{"warehouse": warehouse, "district": district} for district in range(1, districts + 1)]
    oldest = tx.batch(*((sql.OLDEST, place) for place in places))
    orders = [
        {**place, "order": order}
        for place, result in zip(places, oldest, strict=True)
        if (order := result.scalar_one()) is not None
    ]
    for order in orders:
        _deliver(tx, order, carrier)
    return len(orders)


def _deliver(tx: CoreTransaction, order: dict[str, int], carrier: int) -> None:
    _, customer, _, amount = tx.batch(
        (sql.NO_LONGER_NEW, order),
        (sql.CARRY, {**order, "carrier": carrier}),
        (sql.DELIVER_LINES, order),
        (sql.ORDER_AMOUNT, order),
    )
    owes = {"customer": customer.scalar_one(), "amount": amount.scalar_one()}
    tx.execute(sql.OWE, {**order, **owes})


def order_status(tx: CoreTransaction, warehouse: int, district: int, name: str) -> int:
    """Clause 2.6: the lines of a customer's last order; gives how many they are more than the order says."""
    place = {"warehouse": warehouse, "district": district}
    customer = _named(tx, (warehouse, district), name)
    surplus = 0
    for order, lines in map(tuple, tx.execute(sql.LAST_ORDER, {**place, "customer": customer})):
        surplus = tx.execute(sql.COUNT_LINES, {**place, "order": order}).scalar_one() - lines
    return surplus


def stock_level(tx: CoreTransaction, warehouse: int, district: int, threshold: int) -> int:
    """Clause 2.8: how many items of the last twenty orders are low."""
    place = {"warehouse": warehouse, "district": district}
    following = tx.execute(sql.FOLLOWING, place).scalar_one()
    low = {**place, "from_order": following - 20, "threshold": threshold}
    return int(tx.execute(sql.COUNT_LOW, low).scalar_one())


def _named(tx: CoreTransaction, place: tuple[int, int], name: str) -> int:
    found = tx.execute(sql.NAMED, {"warehouse": place[0], "district": place[1], "name": name}).scalars().all()
    return int(found[len(found) // 2])
