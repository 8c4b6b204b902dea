"""A terminal: it draws the next transaction of the mix and runs it through the runtime."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from freehold import Database
from torture.ground import WHO
from torture.tpcc import transactions as tpcc
from torture.tpcc.load import SIZE, Size


@dataclass(frozen=True)
class Terminal:
    """What a clerk does all day, by the mix of clause 5.2.3: 45, 43, 4, 4 and 4 of 100."""

    db: Database
    draw: random.Random
    size: Size = SIZE

    def work(self) -> None:
        """One transaction; an order of an item that does not exist is rolled back, as it must be."""
        kinds = (self._new_order, self._payment, self._delivery, self._order_status, self._stock_level)
        (kind,) = self.draw.choices(kinds, (45, 43, 4, 4, 4))
        kind()

    def _run(self, function: Callable[..., Any], *arguments: Any, workload: str = tpcc.ORDER) -> Any:
        return self.db.run_core(function, *arguments, workload=workload, **WHO)

    @property
    def _place(self) -> tuple[int, int]:
        return self.draw.randint(1, self.size.warehouses), self.draw.randint(1, self.size.districts)

    def _new_order(self) -> None:
        warehouse, district = self._place
        lines = sorted(self._line(warehouse) for _ in range(self.draw.randint(5, 15)))
        if self.draw.random() < 0.01:
            lines = [*lines[:-1], tpcc.Line(warehouse, self.size.items + 1, 1)]
        try:
            self._run(tpcc.new_order, warehouse, district, self.draw.randint(1, self.size.customers), lines)
        except tpcc.UnusedItem:
            return

    def _line(self, warehouse: int) -> tpcc.Line:
        remote = self.draw.random() < 0.01
        supplier = self.draw.randint(1, self.size.warehouses) if remote else warehouse
        return tpcc.Line(supplier, self.draw.randint(1, self.size.items), self.draw.randint(1, 10))

    def _payment(self) -> None:
        warehouse, district = self._place
        home = (warehouse, district) if self.draw.random() < 0.85 else self._place
        named = self.draw.random() < 0.6
        customer = self._name() if named else self.draw.randint(1, self.size.customers)
        amount = Decimal(self.draw.randint(100, 500000)) / 100
        self._run(tpcc.payment, (warehouse, district), home, customer, amount)

    def _name(self) -> str:
        return f"NAME{self.draw.randrange(10)}"

    def _delivery(self) -> None:
        carrier = self.draw.randint(1, 10)
        self._run(tpcc.delivery, self._place[0], self.size.districts, carrier, workload=tpcc.DELIVERY)

    def _order_status(self) -> None:
        missing = self._run(tpcc.order_status, *self._place, self._name(), workload=tpcc.READ)
        if missing:
            raise AssertionError(f"an order's snapshot holds {missing} lines more than it says")

    def _stock_level(self) -> None:
        self._run(tpcc.stock_level, *self._place, self.draw.randint(10, 20), workload=tpcc.READ)
