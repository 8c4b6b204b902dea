"""What an outbox needs: its table, indexes for what is pending, the functions that reach it, and their rights."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.objects import Column, Constraint, Grant, Index, Object, Owner, Schema, Table, TableFacts
from freehold.kernel.room import Scope
from freehold.rooms.outbox.declare import Outbox
from freehold.rooms.outbox.functions import SCHEMA, outbox_functions

TABLE = "outbox"
MOMENT = "timestamp with time zone"
NOW = "pg_catalog.clock_timestamp()"
COLUMNS = (
    ("id", "bigint", True, ""),
    ("owner", "text", True, ""),
    ("topic", "text", True, ""),
    ("key", "text", False, ""),
    ("payload", "jsonb", True, ""),
    ("actor", "text", True, ""),
    ("transaction", "uuid", True, ""),
    ("created_at", MOMENT, True, NOW),
    ("available_at", MOMENT, True, NOW),
    ("attempts", "integer", True, "0"),
    ("lease", "uuid", False, ""),
    ("delivered_at", MOMENT, False, ""),
    ("dead_at", MOMENT, False, ""),
    ("last_error", "text", False, ""),
)
"""Name, type, NOT NULL, default. The owner is the tenant's text, empty where no tenant is bound."""

INDEXES = (
    (
        "outbox_pending_ix",
        "CREATE INDEX outbox_pending_ix ON freehold.outbox (available_at, id)"
        " WHERE delivered_at IS NULL AND dead_at IS NULL",
        "a relay finds what is due without reading what is done",
    ),
    (
        "outbox_order_ix",
        "CREATE INDEX outbox_order_ix ON freehold.outbox (owner, key, id)"
        " WHERE delivered_at IS NULL AND dead_at IS NULL AND key IS NOT NULL",
        "a message finds what must go before it",
    ),
    (
        "outbox_dead_ix",
        "CREATE INDEX outbox_dead_ix ON freehold.outbox (id) WHERE dead_at IS NOT NULL",
        "dead letters are listed without reading the others",
    ),
    (
        "outbox_created_at_ix",
        "CREATE INDEX outbox_created_at_ix ON freehold.outbox USING brin (created_at)",
        "messages past their time are found without reading the others",
    ),
)


def compile_outbox(declaration: Outbox, model: Model) -> Iterator[Object]:
    """The table of messages and its functions."""
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    yield model.machine_role("definer", "owns functions that run with their own rights; nobody acts as it")
    yield model.machine_role("rw", "holds the application's rights, granted table by table")
    yield model.machine_role("owner", "owns the layer's objects; nobody logs in as it")
    yield from _table()
    for made in outbox_functions(declaration):
        yield made.function
        yield Owner(on="function", target=made.function.name, role=model.role("definer"), reason=made.function.reason)
        if made.executed_by:
            yield Grant(
                on="function",
                target=made.function.name,
                grantee=model.role(made.executed_by),
                privileges=("EXECUTE",),
                reason=made.function.reason,
            )
    yield from _rights(model)


def scope_outbox(declaration: Outbox, model: Model) -> Iterator[Scope]:
    """A trigger on the table could change what is sent."""
    yield Scope("trigger", (SCHEMA, TABLE))


def _table() -> Iterator[Object]:
    reason = "messages of committed transactions, until they are delivered"
    columns = tuple(
        Column(
            schema=SCHEMA,
            table=TABLE,
            column=name,
            type=kind,
            not_null=needed,
            default=default,
            identity="a" if name == "id" else "",
            reason=reason,
        )
        for name, kind, needed, default in COLUMNS
    )
    facts = TableFacts(
        role="state",
        application=frozenset(),
        owner_column="owner",
        stays="a message is sent by the database in which it was written",
    )
    yield Table(schema=SCHEMA, table=TABLE, columns=columns, facts=facts, reason=reason)
    yield Constraint(
        schema=SCHEMA,
        table=TABLE,
        constraint="outbox_pkey",
        type="p",
        definition="PRIMARY KEY (id)",
        columns=("id",),
        reason=reason,
    )
    for index, definition, why in INDEXES:
        yield Index(schema=SCHEMA, table=TABLE, index=index, definition=definition, reason=why)


def _rights(model: Model) -> Iterator[Object]:
    definer, reason = model.role("definer"), "the functions of the room run with these rights"
    yield Grant(on="schema", target=(SCHEMA,), grantee=definer, privileges=("USAGE",), reason=reason)
    yield Grant(
        on="table",
        target=(SCHEMA, TABLE),
        grantee=definer,
        privileges=("DELETE", "INSERT", "SELECT", "UPDATE"),
        reason=reason,
    )
