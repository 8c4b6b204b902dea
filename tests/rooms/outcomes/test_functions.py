"""Claiming, recording and resolving keys as the application does it, alone and at the same time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from freehold.errors import OutcomeKeyInvalid, OutcomeTaken, ResultTooLarge
from freehold.servers.faults import translate

from .conftest import Ground
from .layer import ONE, TWO, Connection

CLAIM = "SELECT state, request_hash, result FROM freehold.claim_outcome_v1(%s)"
RECORD = "SELECT freehold.record_outcome_v1(%s, %s, %s)"
RESOLVE = "SELECT state, request_hash, result FROM freehold.resolve_outcome_v1(%s)"
RESULT = psycopg.types.json.Jsonb({"invoice": 7})


def claim(connection: Connection, key: str = "k") -> list[Any]:
    return connection.execute(CLAIM, (key,)).fetchall()


def record(connection: Connection, key: str = "k", result: Any = RESULT) -> None:
    connection.execute(RECORD, (key, b"hash", result))


def resolve(connection: Connection, key: str = "k") -> Any:
    return connection.execute(RESOLVE, (key,)).fetchone()


def wait_until_blocked(ground: Ground) -> None:
    """Until a session of the database waits for another's lock."""
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0"
    )
    while not ground.admin.execute(query).fetchone():
        threading.Event().wait(0.01)


def later(pool: ThreadPoolExecutor, ground: Ground, work: Callable[[Connection], Any], level: str) -> Future[Any]:
    """Work in a transaction of another connection, begun now."""

    def run() -> Any:
        with ground.login() as connection, ground.acting(connection, ONE, level) as acting:
            return work(acting)

    return pool.submit(run)


def test_a_key_is_claimed_recorded_and_found(ground: Ground) -> None:
    with ground.login() as connection:
        with ground.acting(connection, ONE):
            assert claim(connection) == []
            record(connection)
        with ground.acting(connection, ONE):
            assert claim(connection) == [("committed", b"hash", {"invoice": 7})]
            assert resolve(connection) == ("committed", b"hash", {"invoice": 7})
        for stranger in (TWO, ""):
            with ground.acting(connection, stranger):
                assert claim(connection) == []
                record(connection, result=None)
    rows = ground.admin.execute("SELECT owner, state, actor FROM freehold.outcome ORDER BY owner").fetchall()
    assert rows == [(owner, "committed", "ana") for owner in ("", str(ONE), str(TWO))]


def test_what_was_rolled_back_is_free(ground: Ground) -> None:
    with ground.login() as connection:
        with ground.acting(connection, ONE) as acting:
            record(acting)
            raise_rollback = psycopg.Rollback()
            raise raise_rollback
        with ground.acting(connection, ONE):
            assert claim(connection) == []


@pytest.mark.parametrize(
    ("key", "result", "kind"),
    [
        ("k", psycopg.types.json.Jsonb("x" * 99), ResultTooLarge),
        ("", RESULT, OutcomeKeyInvalid),
        ("k" * 513, RESULT, OutcomeKeyInvalid),
        (None, RESULT, OutcomeKeyInvalid),
    ],
)
def test_what_cannot_be_kept_is_refused(ground: Ground, key: Any, result: Any, kind: type[Exception]) -> None:
    with ground.login() as connection, pytest.raises(psycopg.Error) as caught, ground.acting(connection, ONE):
        record(connection, key, result)
    assert type(translate(caught.value)) is kind


def test_a_result_of_just_the_largest_size_is_kept(ground: Ground) -> None:
    with ground.login() as connection, ground.acting(connection, ONE):
        record(connection, result=psycopg.types.json.Jsonb("x" * 98))


def test_a_tombstone_ends_an_attempt_that_is_still_working(ground: Ground) -> None:
    with ground.login() as first, ground.login() as second:
        with pytest.raises(psycopg.Error) as caught, ground.acting(first, ONE):
            claim(first)
            with ground.acting(second, ONE):
                assert resolve(second) == ("aborted", None, None)
            record(first)
        assert type(translate(caught.value)) is OutcomeTaken
        with ground.acting(second, ONE):
            assert claim(second) == [("aborted", None, None)]


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
@pytest.mark.parametrize("commits", [True, False])
def test_the_resolver_waits_for_an_attempt_that_is_ending(ground: Ground, level: str, commits: bool) -> None:
    with ground.login() as first, ThreadPoolExecutor(1) as pool:
        with ground.acting(first, ONE, level):
            record(first)
            found = later(pool, ground, resolve, "read committed")
            wait_until_blocked(ground)
            if not commits:
                raise psycopg.Rollback
        expected = ("committed", b"hash", {"invoice": 7}) if commits else ("aborted", None, None)
        assert found.result(10) == expected


def test_a_second_call_waits_for_the_first_and_reads_its_result(ground: Ground) -> None:
    with ground.login() as first, ThreadPoolExecutor(1) as pool:
        with ground.acting(first, ONE):
            claim(first)
            found = later(pool, ground, claim, "read committed")
            wait_until_blocked(ground)
            record(first)
        assert found.result(10) == [("committed", b"hash", {"invoice": 7})]


@pytest.mark.parametrize("level", ["repeatable read", "serializable"])
def test_an_old_snapshot_is_told_to_run_again(ground: Ground, level: str) -> None:
    def claim_and_record(connection: Connection) -> None:
        connection.execute("SELECT 1 FROM shop.company")
        claim(connection)
        record(connection)

    with ground.login() as first, ThreadPoolExecutor(1) as pool:
        with ground.acting(first, ONE):
            claim(first)
            found = later(pool, ground, claim_and_record, level)
            wait_until_blocked(ground)
            record(first)
        with pytest.raises(psycopg.errors.SerializationFailure):
            found.result(10)


def test_keys_of_two_tenants_do_not_wait_for_each_other(ground: Ground) -> None:
    with ground.login() as first, ground.login() as second, ground.acting(first, ONE), ground.acting(second, TWO):
        claim(first)
        second.execute("SET LOCAL lock_timeout = '1s'")
        claim(second)
        record(first)
        record(second)


def test_old_outcomes_are_forgotten_in_batches(ground: Ground) -> None:
    insert = (
        "INSERT INTO freehold.outcome (owner, key, state, actor, transaction, created_at)"
        " SELECT 't', g, 'committed', 'a', gen_random_uuid(), now() - g * interval '10 days'"
        " FROM generate_series(0, 5) AS g"
    )
    ground.admin.execute(insert.encode())
    with ground.login("jobs") as jobs:
        forgotten = [jobs.execute("SELECT freehold.forget_outcomes_v1(2)").fetchone() for _ in range(3)]
    assert forgotten == [(2,), (1,), (0,)]
    assert ground.admin.execute("SELECT array_agg(key ORDER BY key) FROM freehold.outcome").fetchone() == (
        ["0", "1", "2"],
    )
