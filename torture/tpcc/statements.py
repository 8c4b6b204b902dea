"""The statements of TPC-C's transactions, each compiled once."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from torture.tpcc.model import CUSTOMER, DISTRICT, HISTORY, ITEM, NEW_ORDER, ORDER_LINE, ORDERS, STOCK, WAREHOUSE


def given(name: str) -> sa.BindParameter[Any]:
    """What comes with each execution."""
    return sa.bindparam(name)


WAREHOUSE_ID, DISTRICT_ID, CUSTOMER_ID = given("warehouse"), given("district"), given("customer")
ORDER_ID, ITEM_ID, AMOUNT, QUANTITY = given("order"), given("item"), given("amount"), given("quantity")
_W = (WAREHOUSE.c.w_id == WAREHOUSE_ID,)
_D = (DISTRICT.c.d_w_id == WAREHOUSE_ID, DISTRICT.c.d_id == DISTRICT_ID)
_CD = (CUSTOMER.c.c_w_id == WAREHOUSE_ID, CUSTOMER.c.c_d_id == DISTRICT_ID)
_C = (*_CD, CUSTOMER.c.c_id == CUSTOMER_ID)
_OD = (ORDERS.c.o_w_id == WAREHOUSE_ID, ORDERS.c.o_d_id == DISTRICT_ID)
_ND = (NEW_ORDER.c.no_w_id == WAREHOUSE_ID, NEW_ORDER.c.no_d_id == DISTRICT_ID)
_LD = (ORDER_LINE.c.ol_w_id == WAREHOUSE_ID, ORDER_LINE.c.ol_d_id == DISTRICT_ID)
_L = (*_LD, ORDER_LINE.c.ol_o_id == ORDER_ID)

TAX = sa.select(WAREHOUSE.c.w_tax).where(*_W)
NEXT_ORDER = (
    sa.update(DISTRICT)
    .where(*_D)
    .values(d_next_o_id=DISTRICT.c.d_next_o_id + 1)
    .returning(DISTRICT.c.d_next_o_id - 1, DISTRICT.c.d_tax)
)
DISCOUNT = sa.select(CUSTOMER.c.c_discount).where(*_C)
PRICE = sa.select(ITEM.c.i_price).where(ITEM.c.i_id == ITEM_ID)
ADD_ORDER = sa.insert(ORDERS)
ADD_NEW_ORDER = sa.insert(NEW_ORDER)
ADD_LINE = sa.insert(ORDER_LINE)
_LEFT = STOCK.c.s_quantity - QUANTITY
TAKE_STOCK = (
    sa.update(STOCK)
    .where(STOCK.c.s_w_id == given("supplier"), STOCK.c.s_i_id == ITEM_ID)
    .values(
        s_quantity=sa.case((_LEFT >= 10, _LEFT), else_=_LEFT + 91),
        s_ytd=STOCK.c.s_ytd + QUANTITY,
        s_order_cnt=STOCK.c.s_order_cnt + 1,
        s_remote_cnt=STOCK.c.s_remote_cnt + given("remote"),
    )
)

PAY_WAREHOUSE = sa.update(WAREHOUSE).where(*_W).values(w_ytd=WAREHOUSE.c.w_ytd + AMOUNT)
PAY_DISTRICT = sa.update(DISTRICT).where(*_D).values(d_ytd=DISTRICT.c.d_ytd + AMOUNT)
PAY = (
    sa.update(CUSTOMER)
    .where(*_C)
    .values(
        c_balance=CUSTOMER.c.c_balance - AMOUNT,
        c_ytd_payment=CUSTOMER.c.c_ytd_payment + AMOUNT,
        c_payment_cnt=CUSTOMER.c.c_payment_cnt + 1,
    )
)
ADD_HISTORY = sa.insert(HISTORY)
NAMED = sa.select(CUSTOMER.c.c_id).where(*_CD, CUSTOMER.c.c_last == given("name")).order_by(CUSTOMER.c.c_id)

OLDEST = sa.select(sa.func.min(NEW_ORDER.c.no_o_id)).where(*_ND)
NO_LONGER_NEW = sa.delete(NEW_ORDER).where(*_ND, NEW_ORDER.c.no_o_id == ORDER_ID)
CARRY = (
    sa.update(ORDERS)
    .where(*_OD, ORDERS.c.o_id == ORDER_ID)
    .values(o_carrier_id=given("carrier"))
    .returning(ORDERS.c.o_c_id)
)
DELIVER_LINES = sa.update(ORDER_LINE).where(*_L).values(ol_delivery_d=sa.func.now())
ORDER_AMOUNT = sa.select(sa.func.sum(ORDER_LINE.c.ol_amount)).where(*_L)
OWE = (
    sa.update(CUSTOMER)
    .where(*_C)
    .values(c_balance=CUSTOMER.c.c_balance + AMOUNT, c_delivery_cnt=CUSTOMER.c.c_delivery_cnt + 1)
)

LAST_ORDER = (
    sa.select(ORDERS.c.o_id, ORDERS.c.o_ol_cnt)
    .where(*_OD, ORDERS.c.o_c_id == CUSTOMER_ID)
    .order_by(ORDERS.c.o_id.desc())
    .limit(1)
)
COUNT_LINES = sa.select(sa.func.count()).select_from(ORDER_LINE).where(*_L)
FOLLOWING = sa.select(DISTRICT.c.d_next_o_id).where(*_D)
COUNT_LOW = (
    sa.select(sa.func.count())
    .select_from(STOCK)
    .where(
        STOCK.c.s_w_id == WAREHOUSE_ID,
        STOCK.c.s_quantity < given("threshold"),
        STOCK.c.s_i_id.in_(sa.select(ORDER_LINE.c.ol_i_id).where(*_LD, ORDER_LINE.c.ol_o_id >= given("from_order"))),
    )
)
