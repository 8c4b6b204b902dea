"""Rows, periods and time against a model: in whatever order they come, rows are where they belong, or were refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

import psycopg
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from freehold.rooms.partitions.runtime import partitions_of, retire

from .conftest import Built
from .layer import NOW, ONE

WINDOW = 3
"""Days that are kept, and two are made ahead."""


class Log(RuleBasedStateMachine):
    """The live periods by their day's number from the beginning, and the rows that were taken."""

    built: Built

    def __init__(self) -> None:
        super().__init__()
        self.built.clock.now = NOW
        self.built.extend()
        retire(self.built.connection, self.built.events)
        self.built.connection.execute("DELETE FROM shop.event")
        self.today = 0
        self.days = {found.end for found in partitions_of(self.built.connection, self.built.events)}
        self.rows: list[int] = []
        self.number = 0

    @rule(offset=st.integers(-6, 4))
    def add(self, offset: int) -> None:
        at = NOW + timedelta(days=self.today + offset)
        end = at.replace(hour=0, minute=0) + timedelta(days=1)
        self.number += 1
        try:
            self.built.add(at, self.number)
        except psycopg.errors.CheckViolation:
            assert end not in self.days
        else:
            assert end in self.days
            self.rows.append(self.today + offset)

    @rule(days=st.integers(1, 4))
    def time_goes_on(self, days: int) -> None:
        self.today += days
        self.built.clock.now = NOW + timedelta(days=self.today)

    @rule()
    def extend(self) -> None:
        self.built.extend()
        midnight = self.built.clock.now.replace(hour=0, minute=0)
        # What is kept reaches back from the present moment, not from midnight.
        self.days |= {midnight + timedelta(days=offset + 1) for offset in range(-WINDOW, 3)}

    @rule()
    def retire(self) -> None:
        retire(self.built.connection, self.built.events)
        cutoff = self.built.clock.now - timedelta(days=WINDOW)
        self.days = {end for end in self.days if end is not None and end > cutoff}
        midnight = NOW.replace(hour=0, minute=0)
        self.rows = [day for day in self.rows if midnight + timedelta(days=day + 1) > cutoff]

    def teardown(self) -> None:
        live = {found.end for found in partitions_of(self.built.connection, self.built.events)}
        assert live == self.days
        assert self.built.moments() == sorted(NOW + timedelta(days=day) for day in self.rows)
        stored = self.built.connection.execute("SELECT count(*) FROM shop.event WHERE tenant_id = %s", (ONE,))
        assert stored.fetchone() == (len(self.rows),)
        # The next example begins at the beginning, whose periods may be gone.
        self.built.connection.execute("DELETE FROM shop.event")


def test_against_a_model(make_built: Callable[[], Built]) -> None:
    built = make_built()

    class OnThis(Log):
        pass

    OnThis.built = built
    quick = settings(max_examples=12, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(OnThis, settings=quick)
