"""Two sessions write in turn what a state machine says: what is committed adds up as it does in a model."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from decimal import Decimal
from typing import Any, LiteralString

import psycopg
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from freehold.testing.layers import LayerDatabase

PROJECTS = (1, 2, 3)
BOARDS = {1: 1, 2: 1, 3: 2}
SESSIONS = st.integers(0, 1)
TASKS = st.integers(1, 6)
Row = tuple[int, bool, Decimal]
Rows = dict[int, Row]


class Session:
    """One open transaction, what it has seen from its first statement on, and what it would leave behind."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self.connection = connection
        self.written: dict[int, Row | None] = {}
        self.snapshot: Rows | None = None

    def end(self) -> None:
        self.written.clear()
        self.snapshot = None

    def seen(self, committed: Rows) -> Rows:
        both: dict[int, Row | None] = {**committed, **self.written}
        return {number: row for number, row in both.items() if row is not None}


@pytest.mark.parametrize("level", ["READ COMMITTED", "REPEATABLE READ", "SERIALIZABLE"])
def test_two_sessions(freehold_database: LayerDatabase, level: LiteralString) -> None:
    class Writers(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.stack = ExitStack()
            self.admin = self.stack.enter_context(freehold_database.admin())
            for statement in _beginning():
                self.admin.execute(statement)
            self.committed: Rows = {}
            self.sessions = [Session(self.open()) for _ in range(2)]

        def open(self) -> psycopg.Connection[Any]:
            made = self.stack.enter_context(freehold_database.admin())
            made.execute("SET lock_timeout = '30ms'")
            made.execute("SET default_transaction_isolation = '" + level + "'")
            made.autocommit = False
            return made

        def write(
            self, at: int, statement: LiteralString, given: dict[str, Any], changed: dict[int, Row | None]
        ) -> None:
            """A statement that meets the other session's lock, or comes too late, ends its transaction."""
            session = self.sessions[at]
            try:
                session.connection.execute(statement, given)
            except (psycopg.errors.LockNotAvailable, psycopg.errors.SerializationFailure):
                self.roll_back(at)
            else:
                session.written.update(changed)

        def view(self, at: int) -> Rows:
            """What the session's next statement sees."""
            session = self.sessions[at]
            if session.snapshot is None or level == "READ COMMITTED":
                session.snapshot = self.committed
            return session.seen(session.snapshot)

        @rule(at=SESSIONS, number=TASKS, project=st.sampled_from(PROJECTS), keys=st.integers(-3, 3))
        def put(self, at: int, number: int, project: int, keys: int) -> None:
            statement = "INSERT INTO shop.task VALUES (%(number)s, %(project)s, false, %(keys)s) ON CONFLICT (id)"
            given = {"number": number, "project": project, "keys": keys}
            self.view(at)
            row = (project, False, Decimal(keys))
            change = " DO UPDATE SET project_id = excluded.project_id, done = false, keys = excluded.keys"
            self.write(at, statement + change, given, {number: row})

        @rule(at=SESSIONS, number=TASKS)
        def remove(self, at: int, number: int) -> None:
            gone: dict[int, Row | None] = {number: None} if number in self.view(at) else {}
            self.write(at, "DELETE FROM shop.task WHERE id = %(number)s", {"number": number}, gone)

        @rule(at=SESSIONS)
        def turn_all(self, at: int) -> None:
            seen = self.view(at)
            numbers = sorted(seen)
            changed: dict[int, Row | None] = {
                number: (project % 3 + 1, not done, keys * 2) for number, (project, done, keys) in seen.items()
            }
            statement = (
                "UPDATE shop.task SET project_id = project_id % 3 + 1, done = NOT done, keys = keys * 2"
                " WHERE id = ANY (%(numbers)s)"
            )
            self.write(at, statement.replace(" % 3", " %% 3"), {"numbers": numbers}, changed)

        @rule(at=SESSIONS)
        def commit(self, at: int) -> None:
            session = self.sessions[at]
            try:
                session.connection.commit()
            except psycopg.errors.SerializationFailure:
                self.roll_back(at)
                return
            self.committed = session.seen(self.committed)
            session.end()

        @rule(at=SESSIONS)
        def roll_back(self, at: int) -> None:
            self.sessions[at].connection.rollback()
            self.sessions[at].end()

        @invariant()
        def what_is_committed_adds_up(self) -> None:
            found = self.admin.execute("SELECT id, open_tasks, weight FROM shop.project ORDER BY id").fetchall()
            expected = [(project, *_added(self.committed, project)) for project in PROJECTS]
            assert found == expected
            boards = self.admin.execute("SELECT id, last FROM shop.board ORDER BY id").fetchall()
            assert boards == [
                (board, sum(open_tasks for project, open_tasks, _ in expected if BOARDS[project] == board))
                for board in (1, 2)
            ]

        def teardown(self) -> None:
            for session in self.sessions:
                session.connection.rollback()
            self.stack.close()

    run_state_machine_as_test(
        Writers,
        settings=settings(
            max_examples=12, stateful_step_count=30, deadline=None, suppress_health_check=list(HealthCheck)
        ),
    )


def _added(rows: Rows, project: int) -> tuple[int, Decimal]:
    of = [row for row in rows.values() if row[0] == project]
    return sum(not done for _, done, _ in of), sum((keys for _, _, keys in of), Decimal())


def _beginning() -> Iterator[LiteralString]:
    yield "DELETE FROM shop.task"
    yield "DELETE FROM shop.project"
    yield "DELETE FROM shop.board"
    yield "INSERT INTO shop.board VALUES (1), (2)"
    yield "INSERT INTO shop.project (id, board_id) VALUES (1, 1), (2, 1), (3, 2)"
