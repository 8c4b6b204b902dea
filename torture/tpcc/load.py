"""The first population, as clause 4.3.3 of the specification has it, at a size that contends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg

from freehold.kernel.template import read_sql

PACKAGE = "torture.tpcc"
STEPS = (
    "load_company",
    "load_item",
    "load_warehouse",
    "load_district",
    "load_stock",
    "load_customer",
    "load_history",
    "load_orders",
    "load_new_order",
    "load_order_line",
)


@dataclass(frozen=True)
class Size:
    """How many of each; the specification has 10 districts, 3,000 customers and orders, 100,000 items."""

    warehouses: int = 2
    districts: int = 4
    customers: int = 30
    items: int = 100
    orders: int = 30

    @property
    def delivered(self) -> int:
        """First orders of a district that are delivered: 70 of 100."""
        return self.orders * 7 // 10


SIZE = Size()


def load(connection: psycopg.Connection[Any], tenant: int, size: Size = SIZE) -> None:
    """Fill the tables for one tenant, as the administrator."""
    values = {**vars(size), "delivered": size.delivered, "tenant": tenant}
    with connection.transaction():
        for step in STEPS:
            connection.execute(read_sql(PACKAGE, step), values)
