"""A small model that uses every kind of object the kernel writes from SQLAlchemy, and a room-less classification."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql as pg

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations, Extra, name_of
from freehold.kernel.model import Class, Model, Ownership
from freehold.kernel.objects import Function, Key, Object, Policy, RowSecurity, Trigger, View
from freehold.kernel.room import Phase, Room, Scope, nothing


@dataclass(frozen=True)
class Everything:
    """Classifies every table as exempt and answers for the policies of the table ``orders``."""


def classify(declaration: Everything, model: Model) -> Mapping[tuple[str, str], Class]:
    """Every table is exempt."""
    found = Class(Ownership.EXEMPT, reason="the kernel's own test")
    return {name_of(table): found for table in model.metadata.tables.values()}


def scope(declaration: Everything, model: Model) -> tuple[Scope, ...]:
    """Policies and triggers of ``shop.orders``."""
    return (Scope("policy", ("shop", "orders")), Scope("trigger", ("shop", "orders")))


ROOM = Room(
    name="everything", phase=Phase.GUARD, declaration=Everything, compile=nothing, scope=scope, classify=classify
)


def metadata() -> sa.MetaData:
    """Two tables with identity, defaults, enum, generated column, collation, comments, constraints and indexes."""
    data = sa.MetaData(schema="shop")
    sa.Table(
        "customer",
        data,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("email", sa.Text(collation="C"), nullable=False, comment="as typed by the customer"),
        sa.Column("tier", sa.Enum("basic", "gold", name="tier", schema="shop"), server_default="basic", nullable=False),
        sa.Column("born", sa.Date),
        sa.UniqueConstraint("email", name="customer_email_key"),
        comment="who buys",
    )
    sa.Table(
        "orders",
        data,
        sa.Column("id", pg.UUID, primary_key=True, server_default=sa.text("gen_random_uuid()")),
        sa.Column("customer_id", sa.ForeignKey("shop.customer.id", name="orders_customer_id_fkey"), nullable=False),
        sa.Column("net", sa.Numeric(12, 2), nullable=False),
        sa.Column("gross", sa.Numeric(14, 4), sa.Computed("net * 1.2", persisted=True)),
        sa.Column("note", sa.String(80)),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("net >= 0", name="orders_net_check"),
        sa.Index("orders_customer_id_idx", "customer_id", "at", postgresql_include=["net"]),
        sa.Index("orders_note_idx", sa.text("lower(note)"), postgresql_where=sa.text("note IS NOT NULL")),
    )
    return data


TOUCH = """CREATE OR REPLACE FUNCTION shop.touch_v1() RETURNS trigger LANGUAGE plpgsql
SET search_path = pg_catalog, pg_temp
AS $$ BEGIN NEW.at := clock_timestamp(); RETURN NEW; END $$"""


def extras() -> tuple[Object, ...]:
    """A function, a trigger, a view and a policy."""
    return (
        Function(schema="shop", function="touch_v1", definition=TOUCH),
        Trigger(
            schema="shop",
            table="orders",
            trigger="orders_touch",
            definition="CREATE TRIGGER orders_touch BEFORE UPDATE ON shop.orders "
            "FOR EACH ROW EXECUTE FUNCTION shop.touch_v1()",
        ),
        View(
            schema="shop",
            view="dear",
            definition="SELECT id, net FROM shop.orders WHERE net > 100",
            options=("security_invoker=true",),
            after=(Key("table", ("shop", "orders")),),
        ),
        RowSecurity(schema="shop", table="orders"),
        Policy(schema="shop", table="orders", policy="orders_all", using="net > 0", check="net > 0"),
    )


def layer(data: sa.MetaData, *more: object, name: str = "shop") -> Declared:
    """Compile a layer over metadata with the one test room."""
    return compile_layer(Declarations(data, (Everything(), *more), name), (ROOM,))


def sample(*more: object, name: str = "shop") -> Declared:
    """The sample layer."""
    return layer(metadata(), Extra(*extras()), *more, name=name)
