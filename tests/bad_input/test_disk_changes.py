"""A disk that is full, or turns read-only, in the middle of a change: told, both shapes stay, a new run ends it."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Backfill
from freehold.errors import ConnectionLost, ServerFull
from freehold.events import Event, Progress, StepStarted
from freehold.kernel.budget import LockBudget, Pace
from freehold.kernel.compile import Declared
from freehold.operations import apply_layer, plan_layer
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database
from tests.bad_input.disk import Disk, needs_disk, once, small_space
from tests.kernel.sample import layer

pytestmark = needs_disk
ROWS = 30_000
BATCHES = LockBudget(hold_seconds=0.0, pace=Pace(batch_seconds=0.02))
OLDER = "UPDATE app.entry SET units = units + 1 WHERE id = 7"
SUMS = "SELECT count(*), sum(id), sum(units), count(DISTINCT mail) FROM app.entry"
INVALID = "SELECT count(*) FROM pg_index WHERE NOT indisvalid"


def entries(*more: sa.schema.SchemaItem, number: type[sa.types.TypeEngine[Any]] = sa.Integer) -> sa.MetaData:
    """One table."""
    data = sa.MetaData(schema="app")
    sa.Table(
        "entry",
        data,
        sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
        sa.Column("mail", sa.Text, nullable=False),
        sa.Column("units", number, nullable=False, server_default="1"),
        *more,
    )
    return data


def retyped() -> Declared:
    """Another type, beside the old one until they change places."""
    return layer(entries(number=sa.BigInteger), name="app")


def required() -> Declared:
    """A column that must have a value, which takes more room."""
    data = entries(sa.Column("shout", sa.Text, nullable=False))
    table = data.tables["app.entry"]
    return layer(data, Backfill(table, "shout", sa.func.repeat(table.c.mail, 20)), name="app")


def indexed() -> Declared:
    """An index, built beside writers."""
    return layer(entries(sa.Index("entry_mail_ix", "mail", "units")), name="app")


@dataclass(frozen=True)
class Live:
    """The table on the small disk, with rows."""

    server: OwnedServer
    database: Database
    sums: tuple[Any, ...]

    def connect(self) -> psycopg.Connection[Any]:
        """As the administrator."""
        return self.database.connect(autocommit=True)

    def one(self, query: str) -> tuple[Any, ...]:
        """A query's only row."""
        with self.connect() as connection:
            return connection.execute(query.encode()).fetchone() or ()

    def finish(self, declared: Declared) -> None:
        """The same command again: it comes to its end, and every row is there once."""
        with self.connect() as connection:
            connection.execute(OLDER.encode())
            for contract in (False, True):
                apply_layer(connection, declared, contract=contract, budget=BATCHES)
            assert plan_layer(connection, declared).steps == ()
        assert self.one(INVALID) == (0,)
        count, ids, units, mails = self.sums
        assert self.one(SUMS) == (count, ids, units + 1, mails)


@pytest.fixture
def live(own_server: OwnedServer, disk: Disk) -> Live:
    database = small_space(own_server, disk, "app")
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(entries(), name="app"))
        connection.execute(
            "INSERT INTO app.entry (mail) SELECT 'm' || i || '@example.com' FROM generate_series(1, %s) AS i", (ROWS,)
        )
        sums = connection.execute(SUMS.encode()).fetchone() or ()
    return Live(own_server, database, sums)


def is_batch(event: Event) -> bool:
    """Whether a batch of rows is done."""
    return isinstance(event, Progress)


def is_index(event: Event) -> bool:
    """Whether the index is about to be built."""
    return isinstance(event, StepStarted) and "entry_mail_ix" in event.title


@pytest.mark.parametrize(
    ("change", "moment", "what"),
    [(retyped, is_batch, "fill column app.entry.units"), (required, is_batch, "shout"), (indexed, is_index, "mail_ix")],
    ids=["retyped", "required", "indexed"],
)
def test_full(
    live: Live, disk: Disk, change: Callable[[], Declared], moment: Callable[[Event], bool], what: str
) -> None:
    declared = change()
    with live.connect() as connection, pytest.raises(ServerFull) as caught:
        apply_layer(connection, declared, budget=BATCHES, listener=once(lambda: disk.leave(0), moment))
    assert caught.value.code == "server.no-space"
    assert what in caught.value.message
    assert "53100" in caught.value.detail
    assert "apply again" in caught.value.hint
    assert live.one(SUMS) == live.sums
    with live.connect() as connection, pytest.raises(ServerFull):
        apply_layer(connection, declared, budget=BATCHES)
    disk.empty()
    live.finish(declared)


def test_read_only(live: Live, disk: Disk) -> None:
    """Only while no file on it is open for writing may a disk turn read-only, so the server is restarted meanwhile."""
    live.server.restart()  # from now on it keeps its port

    def turn() -> None:
        live.server.stop()
        disk.remount("ro")
        live.server.start()

    with live.connect() as connection, pytest.raises(ConnectionLost), suppress(psycopg.OperationalError):
        apply_layer(connection, retyped(), budget=BATCHES, listener=once(turn, is_batch))
    with live.connect() as connection, pytest.raises(ServerFull) as caught:
        apply_layer(connection, retyped(), budget=BATCHES)
    assert caught.value.hint
    live.server.stop()
    disk.remount("rw")
    live.server.start()
    live.finish(retyped())
