"""The layer on a database of the test's own, and connections of its logins."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from freehold import DataLayer
from freehold.runtime import Key, KeyRing
from freehold.runtime.context import Backend, Context
from freehold.runtime.signer import Signer
from freehold.testing.database import Database

from .layer import PASSWORD, SECRET, Connection, applied

RING = KeyRing((Key("k1", SECRET),))


@dataclass(frozen=True)
class Ground:
    """The layer and its database; ``admin`` is the administrator's connection."""

    layer: DataLayer
    database: Database
    admin: Connection

    @contextmanager
    def login(self, purpose: str = "app_a") -> Iterator[Connection]:
        """A connection of one of the layer's logins."""
        user = f"{self.layer.name}_{purpose}"
        with self.database.connect(user=user, password=PASSWORD, autocommit=True) as connection:
            yield connection

    @contextmanager
    def acting(
        self, connection: Connection, tenant: object = "", level: str = "read committed"
    ) -> Iterator[Connection]:
        """A transaction with a signed context."""
        connection.isolation_level = psycopg.IsolationLevel[level.upper().replace(" ", "_")]
        with connection.transaction():
            token = Signer(RING).token(Context(str(tenant), "ana"), Backend())
            connection.execute("SELECT set_config('freehold.context', %s, true)", (token,))
            yield connection


@pytest.fixture
def ground(database: Database, layer_name: str) -> Iterator[Ground]:
    with database.connect(autocommit=True) as admin:
        yield Ground(applied(admin, layer_name), database, admin)
