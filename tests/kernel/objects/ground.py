"""A database in which a test declares objects, disturbs them by hand and declares others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from freehold.kernel.compile import Declared
from freehold.kernel.declare import Extra
from freehold.kernel.objects import Column, Key, Object, Schema, Table
from freehold.kernel.plan import Step
from freehold.operations import apply_layer, plan_layer
from tests.kernel.sample import layer

SHOP = Schema(schema="shop")


def column(name: str, type: str, **facts: Any) -> Column:
    """A column of ``shop.item``."""
    return Column(schema="shop", table="item", column=name, type=type, **facts)


def item(*columns: Column, **facts: Any) -> Table:
    """The table ``shop.item``: an ``id bigint``, and more columns."""
    return Table(schema="shop", table="item", columns=(column("id", "bigint", not_null=True), *columns), **facts)


ITEM = Key("table", ("shop", "item"))


@dataclass(frozen=True)
class Ground:
    """One database; what is declared in it always includes the schema ``shop``."""

    connection: psycopg.Connection[Any]
    name: str
    major: int

    def declared(self, *objects: Object) -> Declared:
        """The layer of these objects."""
        return layer(sa.MetaData(), Extra(SHOP, *objects))

    def plan(self, *objects: Object) -> tuple[Step, ...]:
        """The steps that lead to these objects."""
        return plan_layer(self.connection, self.declared(*objects)).steps

    def settle(self, *objects: Object) -> tuple[Step, ...]:
        """Apply these objects, see that a second plan has nothing to do, and give the steps that ran."""
        declared = self.declared(*objects)
        ran = apply_layer(self.connection, declared, data_loss=True, contract=True, weaker_guard="a test").steps
        left = plan_layer(self.connection, declared).steps
        assert [step.change.statements for step in left] == []
        return ran

    def run(self, text: str) -> None:
        """Do something by hand; the text may hold several statements."""
        self.connection.execute(text.encode())

    def rows(self, text: str) -> Sequence[tuple[Any, ...]]:
        """Ask."""
        return self.connection.execute(sql.SQL(text)).fetchall()

    def mended(self, damage: str, *objects: Object) -> tuple[Step, ...]:
        """Apply the objects, do damage by hand, plan: the steps that mend it, which are then applied."""
        self.settle(*objects)
        self.run(damage)
        return self.settle(*objects)


def titles(steps: Sequence[Step]) -> list[str]:
    """What each step is called."""
    return [step.change.title for step in steps]
