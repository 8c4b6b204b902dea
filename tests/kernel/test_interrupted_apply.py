"""Apply under a lock it cannot get, twice at once, and killed at each of its steps."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from freehold.errors import ApplyBusy, ConnectionLost, LockTimeout, StepFailed
from freehold.events import Event, LockRetried, StepStarted
from freehold.kernel.apply import exclusive
from freehold.kernel.budget import LockBudget
from freehold.kernel.declare import Extra
from freehold.kernel.objects import Grant, Role
from freehold.operations import apply_layer, plan_layer
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database
from tests.kernel.sample import extras, layer, metadata, sample


def wider() -> sa.MetaData:
    """The sample's tables with a new column, a new index and a new constraint on live tables."""
    data = metadata()
    orders = data.tables["shop.orders"]
    orders.append_column(sa.Column("paid", sa.Boolean, server_default=sa.false(), nullable=False))
    orders.append_constraint(sa.UniqueConstraint("id", "at", name="orders_id_at_key"))
    orders.append_constraint(sa.CheckConstraint("net < 1000000", name="orders_net_high_check"))
    sa.Index("orders_paid_idx", orders.c.paid)
    return data


def test_lock_is_tried_again_and_then_given_up(database: Database) -> None:
    target = layer(wider(), Extra(*extras()))
    with database.connect(autocommit=True) as connection, database.connect() as holder:
        apply_layer(connection, sample())
        holder.execute("SELECT FROM shop.orders")  # holds ACCESS SHARE until its transaction ends
        seen: list[Event] = []
        budget = LockBudget(timeout_seconds=0.05, attempts=3, longest_pause_seconds=0.01)
        with pytest.raises(LockTimeout, match=r"ACCESS EXCLUSIVE on shop\.orders"):
            apply_layer(connection, target, budget=budget, listener=seen.append)
        assert [event.attempt for event in seen if isinstance(event, LockRetried)] == [1, 2]
        holder.rollback()
        apply_layer(connection, target)
        assert plan_layer(connection, target).steps == ()


def test_two_applies_cannot_run_at_once(database: Database) -> None:
    with database.connect(autocommit=True) as first, database.connect(autocommit=True) as second:
        with exclusive(first), pytest.raises(ApplyBusy):
            apply_layer(second, sample())
        apply_layer(second, sample())


class _Killed(Exception):
    """The process died here."""


@pytest.mark.parametrize("moment", range(1, 7))
def test_killed_at_any_step_the_next_apply_finishes(database: Database, moment: int) -> None:
    target = layer(wider(), Extra(*extras()))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        assert len(plan_layer(connection, target).steps) == 6

    def kill(event: Event) -> None:
        if isinstance(event, StepStarted) and event.number == moment:
            raise _Killed

    with database.connect(autocommit=True) as connection, pytest.raises(_Killed):
        apply_layer(connection, target, listener=kill)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, target)
        assert plan_layer(connection, target).steps == ()
        invalid = connection.execute("SELECT count(*) FROM pg_index WHERE NOT indisvalid").fetchone()
        assert invalid == (0,)


def test_index_left_invalid_by_a_failed_build_is_replaced(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        connection.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'shop.orders_note_idx'::regclass")
        titles = [step.change.title for step in apply_layer(connection, sample()).steps]
        assert titles == ["create index shop.orders_note_idx", "replace index shop.orders_note_idx"]


def test_refused_step_says_which_and_keeps_the_ones_before(database: Database) -> None:
    target = layer(wider(), Extra(*extras()))
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        connection.execute("CREATE VIEW shop.orders_paid_idx AS SELECT 1 AS one")  # takes the new index's name
        with pytest.raises(StepFailed, match="orders_paid_idx") as caught:
            apply_layer(connection, target)
        assert "42809" in caught.value.detail
        connection.execute("DROP VIEW shop.orders_paid_idx")
        apply_layer(connection, target)
        assert plan_layer(connection, target).steps == ()


def test_every_step_is_journaled(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        ran = apply_layer(connection, sample())
        rows = connection.execute("SELECT number, title, room FROM freehold.applied_step ORDER BY number").fetchall()
        assert rows == [(step.number, step.change.title, step.room) for step in ran.steps]
        assert connection.execute("SELECT finished_at IS NOT NULL FROM freehold.applied_plan").fetchall() == [(True,)]


def test_server_killed_in_the_middle(own_server: OwnedServer) -> None:
    target = layer(wider(), Extra(*extras()))
    with own_server.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        connection.execute("INSERT INTO shop.customer (email) VALUES ('a@example.org')")

    def kill(event: Event) -> None:
        if isinstance(event, StepStarted) and event.number == 3:
            own_server.kill()

    with pytest.raises(ConnectionLost), own_server.connect(autocommit=True) as connection:
        apply_layer(connection, target, listener=kill)
    own_server.start()
    with own_server.connect(autocommit=True) as connection:
        apply_layer(connection, target)
        assert plan_layer(connection, target).steps == ()
        assert connection.execute("SELECT count(*) FROM shop.customer").fetchone() == (1,)


def test_interrupted_first_apply_needs_no_flag(database: Database) -> None:
    name = f"{database.name}_reader"
    grant = Grant(on="table", target=("shop", "orders"), grantee=name, privileges=("SELECT",))
    target = sample(Extra(Role(role=name), grant))

    def kill(event: Event) -> None:
        if isinstance(event, StepStarted) and event.title.startswith("grant SELECT"):
            raise _Killed

    with database.connect(autocommit=True) as connection:
        with pytest.raises(_Killed):
            apply_layer(connection, target, listener=kill)
        (step,) = apply_layer(connection, target).steps
        assert (step.change.title.startswith("grant SELECT"), step.flag) == (True, "")
        assert plan_layer(connection, target).steps == ()


def test_interrupted_later_apply_needs_no_flag_but_for_what_is_declared_since(database: Database) -> None:
    reader, stranger = f"{database.name}_reader", f"{database.name}_stranger"

    def grant(role: str) -> Grant:
        return Grant(on="table", target=("shop", "orders"), grantee=role, privileges=("SELECT",))

    target = sample(Extra(Role(role=reader), grant(reader)))

    def kill(event: Event) -> None:
        if isinstance(event, StepStarted) and event.title.startswith("grant SELECT"):
            raise _Killed

    with database.connect(autocommit=True) as connection:
        apply_layer(connection, sample())
        with pytest.raises(_Killed):
            apply_layer(connection, target, listener=kill)
        connection.execute(f"CREATE ROLE {stranger}".encode())
        other = sample(Extra(Role(role=reader), grant(reader), Role(role=stranger), grant(stranger)))
        assert [step.flag for step in plan_layer(connection, other).steps] == ["", "--allow-weaker-guard"]
        (step,) = apply_layer(connection, target).steps
        assert (step.change.title.startswith("grant SELECT"), step.flag) == (True, "")
        assert plan_layer(connection, target).steps == ()
        wider = sample(Extra(Role(role=reader), replace(grant(reader), privileges=("INSERT", "SELECT"))))
        assert [step.flag for step in plan_layer(connection, wider).steps] == ["--allow-weaker-guard"]
