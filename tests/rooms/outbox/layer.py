"""A small layer with an outbox, planned and applied on a real database."""

from __future__ import annotations

from freehold import DataLayer, Outbox, Roles, Tenancy
from freehold.operations import apply_layer
from tests.rooms.outcomes.layer import ONE, PASSWORD, SECRET, TWO, Base, Company, Connection, broken, set_passwords

__all__ = ["ONE", "PASSWORD", "SECRET", "TWO", "Connection", "applied", "broken"]


def applied(connection: Connection, name: str) -> DataLayer:
    """The layer on an empty database, with a key to sign contexts with and passwords for its logins."""
    outbox = Outbox(keep="7 days", largest_payload=20000)
    made = DataLayer(Base.metadata, Tenancy(Company), Roles(), outbox, name=name)
    apply_layer(connection, made.declared)
    connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
    set_passwords(connection, name)
    return made
