"""The journal's migrations lead to exactly the schema file."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import psycopg

from freehold import journal
from freehold.kernel.objects import Key, Object
from freehold.kernel.observe import observe
from freehold.kernel.plan import Plan, Step
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import sample


def seen(connection: psycopg.Connection[tuple[object, ...]]) -> dict[Key, Object]:
    """Everything in the database but what names the database itself."""
    return {key: found for key, found in observe(connection).objects.items() if not found.shared}


def test_migrations_lead_to_the_schema_file(make_database: Callable[..., Database]) -> None:
    with make_database("one").connect(autocommit=True) as one, make_database("two").connect(autocommit=True) as two:
        one.execute(files("freehold.journal").joinpath("schema.sql").read_bytes())
        for step in journal.migration_steps(0):
            for statement in step.change.statements:
                two.execute(statement.encode())
        whole, migrated = seen(one), seen(two)
        assert whole == migrated
        assert len([key for key in whole if key.kind == "table"]) == 6
        assert journal.installed_version(one) == journal.installed_version(two) == journal.VERSION


def test_applied_plan_is_told_step_by_step(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        plan = apply_layer(connection, sample())
        rows = connection.execute(
            "SELECT number, title, statements FROM freehold.applied_step ORDER BY number"
        ).fetchall()
        assert rows == [(s.number, s.change.title, list(s.change.statements)) for s in plan.steps]
        last = journal.read_last_plan(connection)
        assert last is not None
        assert (last["layer"], last["steps"]) == ("shop", len(plan.steps))
        assert last["finished_at"] is not None
        assert journal.managed_keys(connection, 1) == plan.managed
        assert plan_layer(connection, sample()).steps == ()


def test_reason_with_line_ends_stays_a_comment(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        plan = plan_layer(connection, sample())
        steps = tuple(
            Step(number=s.number, key=s.key, change=s.change, room=s.room, reason="so\nDROP SCHEMA shop CASCADE;\r\n--")
            for s in plan.steps
        )
        text = Plan(layer="shop", database=plan.database, version=plan.version, steps=steps).as_sql()
        assert "\nDROP SCHEMA" not in text
