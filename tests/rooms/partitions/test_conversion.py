"""A plain table is cut into partitions while it is read and written, and nothing of it is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from uuid import UUID

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import Audit, DataLayer, History, Partitioned, Roles, Tenancy
from freehold.errors import PlanError, RowsRefused
from freehold.kernel.budget import LockBudget, Pace
from freehold.operations import apply_layer, plan_layer, prove_layer
from freehold.testing.database import Database as Place
from tests.rooms.building import Connection

from .layer import ONE, SECRET, TWO, Clock, day

ROWS = 3000


def models(cut: bool) -> tuple[sa.MetaData, type, type]:
    """The same models, plain and cut by day."""

    class Base(DeclarativeBase):
        metadata = sa.MetaData(schema="shop")

    class Company(Base):
        __tablename__ = "company"
        id: Mapped[UUID] = mapped_column(primary_key=True)

    class Event(Base):
        __tablename__ = "event"
        __table_args__ = (
            sa.CheckConstraint("units > 0", name="event_units"),
            sa.Index("event_units_ix", "tenant_id", "units"),
            *([{"postgresql_partition_by": "RANGE (at)"}] if cut else []),
        )
        tenant_id: Mapped[UUID] = mapped_column(sa.ForeignKey("shop.company.id"), primary_key=True)
        at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True), primary_key=True)
        id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
        units: Mapped[int] = mapped_column(server_default="1")
        twice: Mapped[int] = mapped_column(sa.Computed("units * 2", persisted=True))

    class Remark(Base):
        __tablename__ = "remark"
        __table_args__ = (
            sa.ForeignKeyConstraint(
                ["tenant_id", "at", "event_id"], ["shop.event.tenant_id", "shop.event.at", "shop.event.id"]
            ),
        )
        tenant_id: Mapped[UUID] = mapped_column(primary_key=True)
        event_id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)
        at: Mapped[datetime] = mapped_column(sa.DateTime(timezone=True))

    return Base.metadata, Company, Event


def layer(name: str, *, cut: bool) -> DataLayer:
    """The layer before, and after."""
    metadata, company, event = models(cut)
    parts = [Partitioned(event, every="day", ahead=2, keep="30 days", clock=Clock())] if cut else []
    return DataLayer(metadata, Tenancy(company), Roles(), Audit(event), History(event), *parts, name=name)


@pytest.fixture
def plain(database: Place, layer_name: str) -> Iterator[Connection]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(layer_name, cut=False).declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        for tenant in (ONE, TWO):
            connection.execute("INSERT INTO shop.company VALUES (%s)", (tenant,))
            connection.execute(
                "INSERT INTO shop.event (tenant_id, at) SELECT %s, %s::timestamptz - i * interval '5 minutes' "
                "FROM generate_series(1, %s) AS i",
                (tenant, day(30), ROWS),
            )
        connection.execute("INSERT INTO shop.remark SELECT tenant_id, id, at FROM shop.event WHERE id %% 100 = 0", ())
        yield connection


class Writer(threading.Thread):
    """Inserts, changes, moves and deletes rows all the while, and remembers what was refused."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self.place = place
        self.done = threading.Event()
        self.refused: list[psycopg.Error] = []
        self.rounds = 0

    def run(self) -> None:
        with self.place.connect(autocommit=True) as connection:
            while not self.done.is_set():
                try:
                    self.write(connection)
                except psycopg.Error as error:
                    self.refused.append(error)
                self.rounds += 1

    def write(self, connection: Connection) -> None:
        connection.execute("SET lock_timeout = '5s'")
        with connection.transaction():
            connection.execute("INSERT INTO shop.event (tenant_id, at) VALUES (%s, %s)", (ONE, day(30)))
            connection.execute(
                "UPDATE shop.event SET units = units + 1 "
                "WHERE id IN (SELECT id FROM shop.event ORDER BY random() LIMIT 3)"
            )
            connection.execute(
                "UPDATE shop.event SET at = at + interval '1 minute' WHERE id = "
                "(SELECT id FROM shop.event WHERE id %% 100 <> 0 ORDER BY random() LIMIT 1)",
                (),
            )
            connection.execute(
                "DELETE FROM shop.event WHERE id = "
                "(SELECT id FROM shop.event WHERE id %% 100 <> 0 ORDER BY random() LIMIT 1)",
                (),
            )


@contextmanager
def writing(place: Place) -> Iterator[Writer]:
    writer = Writer(place)
    writer.start()
    try:
        yield writer
    finally:
        writer.done.set()
        writer.join()


def test_rows_move_while_they_are_written(plain: Connection, database: Place, layer_name: str) -> None:
    wanted = layer(layer_name, cut=True).declared
    budget = LockBudget(pace=Pace(batch_seconds=0.02))
    with writing(database) as writer:
        apply_layer(plain, wanted, budget=budget)
        plan = plan_layer(plain, wanted)
    assert [str(error) for error in writer.refused] == []
    assert writer.rounds > 5
    assert plan.due(contract=False) == ()
    (waits,) = plan.waiting
    assert waits.change.title == "drop the old rows of event, which are in partitions"
    kept = "SELECT count(*), count(DISTINCT id), sum(twice - 2 * units) FROM shop.event"
    count, ids, odd = plain.execute(kept).fetchone() or (0, 0, 0)
    assert count == ids == 2 * ROWS
    assert odd == 0
    assert plain.execute("SELECT relkind FROM pg_class WHERE oid = 'shop.event'::regclass").fetchone() == ("p",)
    current = "SELECT count(*) FROM shop.event_history WHERE valid_to = 'infinity'"
    assert plain.execute(current).fetchone() == (count,), "history went on without a gap"
    assert [v for v in prove_layer(plain, wanted, record=False) if v.verdict != "held"] == []
    (number,) = plain.execute(
        "INSERT INTO shop.event (tenant_id, at) VALUES (%s, %s) RETURNING id", (ONE, day(30))
    ).fetchone() or (0,)
    assert number > 2 * ROWS, "numbers go on where they were"
    with pytest.raises(psycopg.errors.ForeignKeyViolation):
        plain.execute("DELETE FROM shop.event WHERE id = 100")
    apply_layer(plain, wanted, contract=True)
    assert plan_layer(plain, wanted).steps == ()
    assert plain.execute("SELECT to_regclass('freehold_gone.event')").fetchone() == (None,)


def statements(plain: Connection, layer_name: str) -> int:
    """How many steps the way has."""
    return len(plan_layer(plain, layer(layer_name, cut=True).declared).steps)


class Killed(Exception):
    """The process is gone."""


def test_a_kill_after_any_step_is_taken_up(plain: Connection, layer_name: str) -> None:
    """Each run is cut short one step later than the one before, until one comes to its end."""
    wanted = layer(layer_name, cut=True).declared

    def until(limit: int) -> Callable[[object], None]:
        seen = [0]

        def listen(event: object) -> None:
            if type(event).__name__ == "StepApplied":
                seen[0] += 1
                if seen[0] > limit:
                    raise Killed

        return listen

    for limit in range(statements(plain, layer_name)):
        try:
            apply_layer(plain, wanted, listener=until(limit))
        except Killed:
            plain.execute("INSERT INTO shop.event (tenant_id, at) VALUES (%s, %s)", (TWO, day(30)))
            assert plan_layer(plain, wanted).due(contract=False) or limit > 3
        else:
            break
    assert plan_layer(plain, wanted).due(contract=False) == ()
    apply_layer(plain, wanted, contract=True)
    (count,) = plain.execute("SELECT count(*) FROM shop.event").fetchone() or (0,)
    assert count >= 2 * ROWS
    assert (
        count
        == (plain.execute("SELECT count(*) FROM shop.event_history WHERE valid_to = 'infinity'").fetchone() or (0,))[0]
    )


def test_rows_without_a_period_are_named_and_nothing_is_lost(plain: Connection, layer_name: str) -> None:
    plain.execute(
        "INSERT INTO shop.event (tenant_id, at, id) OVERRIDING SYSTEM VALUE VALUES (%s, %s, 77777)", (ONE, day(-400))
    )
    with pytest.raises(RowsRefused) as refused:
        apply_layer(plain, layer(layer_name, cut=True).declared)
    assert "77777" in refused.value.detail
    assert plain.execute("SELECT relkind FROM pg_class WHERE oid = 'shop.event'::regclass").fetchone() == ("r",)
    plain.execute("DELETE FROM shop.event WHERE id = 77777")
    apply_layer(plain, layer(layer_name, cut=True).declared)


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        ("CREATE INDEX by_hand ON shop.event (units)", "index shop.by_hand"),
        ("CREATE VIEW shop.by_hand AS SELECT id FROM shop.event", "view shop.by_hand"),
        ("ALTER TABLE shop.event ADD COLUMN by_hand integer", "column shop.event.by_hand"),
    ],
)
def test_what_nobody_declared_stops_it(plain: Connection, layer_name: str, damage: str, named: str) -> None:
    plain.execute(damage.encode())
    with pytest.raises(PlanError, match=named):
        plan_layer(plain, layer(layer_name, cut=True).declared)
