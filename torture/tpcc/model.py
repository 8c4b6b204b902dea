"""TPC-C's nine tables, every one but the items owned by a tenant, with the columns that its conditions speak of."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from freehold import DataLayer, Roles, Tenancy

NAME = "tpcc"
METADATA = sa.MetaData(schema=NAME)
MONEY = sa.Numeric(12, 2)

COMPANY = sa.Table("company", METADATA, sa.Column("id", sa.BigInteger, primary_key=True, autoincrement=False))


def number(name: str, **options: Any) -> sa.Column[int]:
    """A whole number."""
    return sa.Column(name, sa.Integer, **{"nullable": False, "autoincrement": False, **options})


def money(name: str) -> sa.Column[Any]:
    """An amount."""
    return sa.Column(name, MONEY, nullable=False)


def owned(name: str, keys: tuple[str, ...], *columns: sa.Column[Any]) -> sa.Table:
    """A table with a key inside its tenant."""
    tenant = sa.ForeignKey(COMPANY.c.id, name=f"{name}_tenant_id_fkey")
    return sa.Table(
        name,
        METADATA,
        sa.Column("tenant_id", sa.BigInteger, tenant, primary_key=True),
        *(number(key, primary_key=True) for key in keys),
        *columns,
    )


ITEM = sa.Table("item", METADATA, number("i_id", primary_key=True), money("i_price"))
WAREHOUSE = owned("warehouse", ("w_id",), sa.Column("w_tax", sa.Numeric(4, 4), nullable=False), money("w_ytd"))
DISTRICT = owned(
    "district",
    ("d_w_id", "d_id"),
    sa.Column("d_tax", sa.Numeric(4, 4), nullable=False),
    money("d_ytd"),
    number("d_next_o_id"),
)
CUSTOMER = owned(
    "customer",
    ("c_w_id", "c_d_id", "c_id"),
    sa.Column("c_last", sa.Text, nullable=False),
    sa.Column("c_discount", sa.Numeric(4, 4), nullable=False),
    money("c_balance"),
    money("c_ytd_payment"),
    number("c_payment_cnt"),
    number("c_delivery_cnt"),
)
HISTORY = owned(
    "history",
    (),
    sa.Column("h_id", sa.BigInteger, sa.Identity(), primary_key=True),
    *(number(name) for name in ("h_c_w_id", "h_c_d_id", "h_c_id", "h_w_id", "h_d_id")),
    money("h_amount"),
)
NEW_ORDER = owned("new_order", ("no_w_id", "no_d_id", "no_o_id"))
ORDERS = owned(
    "orders",
    ("o_w_id", "o_d_id", "o_id"),
    number("o_c_id"),
    number("o_carrier_id", nullable=True),
    number("o_ol_cnt"),
)
ORDER_LINE = owned(
    "order_line",
    ("ol_w_id", "ol_d_id", "ol_o_id", "ol_number"),
    number("ol_i_id"),
    number("ol_supply_w_id"),
    sa.Column("ol_delivery_d", sa.DateTime(timezone=True)),
    number("ol_quantity"),
    money("ol_amount"),
)
STOCK = owned(
    "stock", ("s_w_id", "s_i_id"), number("s_quantity"), number("s_ytd"), number("s_order_cnt"), number("s_remote_cnt")
)
sa.Index("orders_customer_idx", ORDERS.c.tenant_id, ORDERS.c.o_w_id, ORDERS.c.o_d_id, ORDERS.c.o_c_id, ORDERS.c.o_id)
sa.Index("customer_last_idx", CUSTOMER.c.tenant_id, CUSTOMER.c.c_w_id, CUSTOMER.c.c_d_id, CUSTOMER.c.c_last)


def layer() -> DataLayer:
    """The layer, new each time: a layer remembers what it compiled to."""
    return DataLayer(METADATA, Tenancy(COMPANY, shared=[ITEM]), Roles(), name=NAME)
