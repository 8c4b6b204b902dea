"""Verdicts: held, broken and not run are told apart, and nothing that an attack did stays."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from freehold.kernel.objects import Key
from freehold.kernel.prove import Outcome, run_batches, run_probes
from freehold.kernel.room import Affects, Expectation, Probe, Raises, Returns
from freehold.testing.database import Database

SUBJECT = Key("table", ("public", "t"))
TABLE = "CREATE TABLE t (tenant integer, n integer, note text NOT NULL)"


def probe(attack: str, expect: Expectation, **facts: object) -> Probe:
    """An attack on the table ``public.t``."""
    return replace(Probe(promise="it holds", subject=SUBJECT, attack=attack, expect=expect, room="test"), **facts)  # type: ignore[arg-type]


CASES = [
    (probe("SELECT 1 / 0", Raises("22012")), Outcome.HELD),
    (probe("SELECT 1", Raises("22012")), Outcome.BROKEN),
    (probe("SELECT 1 / 0", Raises("42501")), Outcome.BROKEN),
    (probe("SELECT 1 / 0", Returns(())), Outcome.BROKEN),
    (probe("SELECT 1, 'a'", Returns(((1, "a"),))), Outcome.HELD),
    (probe("SELECT 2", Returns(((1,),))), Outcome.BROKEN),
    (probe("UPDATE public.t SET n = 1", Affects(0)), Outcome.HELD),
    (probe("INSERT INTO public.t VALUES (1, 1, '%%')", Affects(0)), Outcome.BROKEN),
    (probe("SELECT 1", Returns(((1,),)), role="no such role"), Outcome.NOT_RUN),
    (probe("SELECT 1", Returns(((1,),)), prepare=("SELECT no_such_function()",)), Outcome.NOT_RUN),
    (probe("SELECT pg_sleep(9)", Returns((("",),)), prepare=("SET LOCAL statement_timeout = 50",)), Outcome.NOT_RUN),
    (probe("SELECT FROM t", Raises("42P01")), Outcome.HELD),
    (
        probe(
            "SELECT tenant::text FROM public.t WHERE tenant::text = %(other)s",
            Returns((("-32002",),)),
            rows_in=("public", "t", "tenant"),
        ),
        Outcome.HELD,
    ),
    (probe("SELECT session_user <> current_user", Returns(((True,),)), role="pg_monitor"), Outcome.HELD),
]


def test_verdicts(database: Database) -> None:
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
        found = run_probes(connection, [case for case, _ in CASES])
        wrong = [seen for seen, (_, expected) in zip(found, CASES, strict=True) if seen.verdict is not expected]
        assert wrong == []
        assert all(verdict.detail for verdict in found)
        assert connection.execute("SELECT count(*) FROM t").fetchone() == (0,)
        assert connection.execute("SELECT current_user = session_user").fetchone() == (True,)


def test_batches_are_told_as_they_came(database: Database) -> None:
    """Each probe is rolled back before the next one of its batch, and every batch has its verdicts in order."""
    write = probe("INSERT INTO public.t VALUES (1, 1, 'x')", Affects(1))
    count = probe("SELECT count(*) FROM public.t", Returns(((0,),)))
    wrong, refused = probe("SELECT 1", Returns(((2,),))), probe("SELECT 1 / 0", Raises("22012"))
    with database.connect(autocommit=True) as connection:
        connection.execute(TABLE)
        found = run_batches(connection, [[write, count], [wrong, refused, count]])
    held, broken = Outcome.HELD, Outcome.BROKEN
    assert [[verdict.verdict for verdict in batch] for batch in found] == [[held, held], [broken, held, held]]


def test_lost_connection_is_no_verdict(database: Database) -> None:
    fatal = probe("SELECT pg_terminate_backend(pg_backend_pid())", Returns(()))
    with database.connect(autocommit=True) as connection, pytest.raises(psycopg.OperationalError):
        run_probes(connection, [fatal, CASES[0][0]])
