"""Rows of two tenants in the tables into which a proof cannot plant any, and in some others."""

from __future__ import annotations

from typing import Any

import psycopg

ONE = "11111111-0000-5000-8000-000000000001"
TWO = "22222222-0000-5000-8000-000000000002"
SECRET = bytes(range(64))
STATEMENTS = (
    "INSERT INTO retail.country (id, name) VALUES (%(tenant)s::uuid, %(tenant)s::text)",
    "INSERT INTO retail.customer (tenant_id, id, first_seen_on) VALUES (%(tenant)s, 1, '2011-01-01')",
    "INSERT INTO retail.customer_order (tenant_id, id, customer_id, placed_at, completed_at)"
    " VALUES (%(tenant)s, 1, 1, '2011-01-01', '2011-01-01')",
    "INSERT INTO retail.stock (tenant_id, product_id, on_hand) VALUES (%(tenant)s, 1, 5)",
    "INSERT INTO retail.stock_movement (tenant_id, line_no, kind, product_id, quantity, document, moved_at)"
    " VALUES (%(tenant)s, 1, 'receipt', 1, 5, 1, '2011-01-01')",
    "INSERT INTO retail.ledger_entry (tenant_id, id, order_id, booked_at) VALUES (%(tenant)s, 1, 1, '2011-01-01')",
)


def fill(connection: psycopg.Connection[Any]) -> None:
    """A key, and one row in each, with foreign keys and triggers off."""
    connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    with connection.transaction():
        connection.execute("SET LOCAL session_replication_role = 'replica'")
        for tenant in (ONE, TWO):
            for statement in STATEMENTS:
                connection.execute(statement.encode(), {"tenant": tenant})
