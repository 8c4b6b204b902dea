"""Attack the live database as the roles concerned, in transactions that are rolled back, and judge what happens."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

import psycopg
from psycopg import sql

from freehold.events import Listener, ProbeJudged, ignore
from freehold.kernel.names import ddl, ident
from freehold.kernel.observe import Connection
from freehold.kernel.room import Affects, Probe, Raises, Returns
from freehold.kernel.witness import NoWitness, Witness, Witnesses

PROBE_TIMEOUT = "10s"
"""An attack that takes longer has not run."""


INTERRUPTED = ("40", "53", "55P03", "57P")
"""SQLSTATEs that say nothing of a promise: a conflict with other transactions, no resources, no lock, a shutdown."""


class Outcome(StrEnum):
    """What a probe showed. *Not run* is never shown as held."""

    HELD = "held"
    BROKEN = "broken"
    NOT_RUN = "not run"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The outcome of one probe, with the evidence."""

    room: str
    subject: str
    promise: str
    verdict: Outcome
    detail: str
    seconds: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The verdict in JSON's types."""
        return asdict(self)


def run_probes(connection: Connection, probes: Sequence[Probe], *, listener: Listener = ignore) -> list[Verdict]:
    """Run every probe.

    Parameters
    ----------
    connection
        In autocommit mode, as a superuser or a member of every role that attacks.
    probes
        The attacks.

    Raises
    ------
    psycopg.OperationalError
        The connection was lost; a single failing attack never raises.
    """
    witnesses = Witnesses(connection)
    verdicts = []
    for number, probe in enumerate(probes, 1):
        verdict = run_probe(connection, probe, witnesses)
        listener(ProbeJudged(number, len(probes), probe.room, probe.promise, verdict.verdict))
        verdicts.append(verdict)
    return verdicts


def run_batches(
    connection: Connection, batches: Sequence[Sequence[Probe]], *, listener: Listener = ignore
) -> list[list[Verdict]]:
    """Run probes that need the same two tenants in one transaction a batch, each undone before the next.

    Where tenants have to be planted, that is done once a batch: a thousand empty tables are attacked in seconds.

    Parameters
    ----------
    connection
        As `run_probes`.
    batches
        The probes of a batch all name the ``rows_in`` of the first.
    """
    witnesses = Witnesses(connection)
    total, number, found = sum(map(len, batches)), 0, []
    for batch in batches:
        verdicts = _run_batch(connection, batch, witnesses)
        found.append(verdicts)
        for verdict in verdicts:
            number += 1
            listener(ProbeJudged(number, total, verdict.room, verdict.promise, verdict.verdict))
    return found


def _run_batch(connection: Connection, batch: Sequence[Probe], witnesses: Witnesses) -> list[Verdict]:
    verdicts = []
    with connection.transaction(force_rollback=True):
        witness = _witness(batch[0], witnesses)
        for probe in batch:
            started = time.monotonic()
            with connection.transaction(force_rollback=True):
                outcome, detail = _attack(connection, probe, witness)
            verdicts.append(_verdict(probe, outcome, detail, started))
    return verdicts


def _witness(probe: Probe, witnesses: Witnesses) -> Witness | NoWitness:
    """The two tenants, or why there is no attack."""
    if probe.withheld:
        return NoWitness(probe.withheld)
    try:
        return witnesses.of(probe.rows_in) if probe.rows_in else Witness()
    except NoWitness as missing:
        return missing


def _verdict(probe: Probe, outcome: Outcome, detail: str, started: float) -> Verdict:
    return Verdict(probe.room, str(probe.subject), probe.promise, outcome, detail, time.monotonic() - started)


def run_probe(connection: Connection, probe: Probe, witnesses: Witnesses) -> Verdict:
    """Run one probe in a transaction that is rolled back."""
    started = time.monotonic()
    with connection.transaction(force_rollback=True):
        outcome, detail = _attack(connection, probe, _witness(probe, witnesses))
    return _verdict(probe, outcome, detail, started)


def _attack(connection: Connection, probe: Probe, witness: Witness | NoWitness) -> tuple[Outcome, str]:
    if isinstance(witness, NoWitness):
        return Outcome.NOT_RUN, str(witness)
    parameters = witness.parameters
    try:
        connection.execute(
            "SELECT set_config('statement_timeout', %s, true), set_config('search_path', '', true)", (PROBE_TIMEOUT,)
        )
        for statement in probe.prepare:
            _execute(connection, statement, parameters)
        if probe.role:
            connection.execute(sql.SQL(ddl("SET LOCAL ROLE {}", ident(probe.role))))
    except psycopg.Error as error:
        if connection.broken:
            raise
        return Outcome.NOT_RUN, f"the attack could not be prepared: {_told(error)}"
    return _strike(connection, probe, parameters)


def _strike(connection: Connection, probe: Probe, parameters: Mapping[str, Any]) -> tuple[Outcome, str]:
    """The attack itself, behind a savepoint so that a refusal leaves the transaction usable for its rollback."""
    try:
        with connection.transaction():
            rows, count = _answer(connection, probe.attack, parameters)
    except psycopg.Error as error:
        if connection.broken:
            raise
        return _judge_error(probe, error)
    return _judge_success(probe, rows, count)


def _execute(connection: Connection, text: str, parameters: Mapping[str, Any]) -> psycopg.Cursor[tuple[Any, ...]]:
    return connection.execute(sql.SQL(text), dict(parameters))


def _answer(
    connection: Connection, attack: str, parameters: Mapping[str, Any]
) -> tuple[Sequence[tuple[Any, ...]], int]:
    """What an attack gives back; a COPY has a protocol of its own: what comes in is read, and nothing is sent."""
    if not attack.startswith("COPY "):
        cursor = _execute(connection, attack, parameters)
        return (cursor.fetchall() if cursor.description else [], cursor.rowcount)
    with connection.cursor() as cursor:
        with cursor.copy(sql.SQL(attack), dict(parameters)) as copy:
            rows = list(copy.rows()) if attack.endswith(" TO STDOUT") else []
        return (rows, cursor.rowcount)


def _judge_error(probe: Probe, error: psycopg.Error) -> tuple[Outcome, str]:
    told = _told(error)
    if isinstance(probe.expect, Raises) and error.sqlstate == probe.expect.sqlstate:
        return Outcome.HELD, f"refused as promised: {told}"
    if error.sqlstate == "57014":
        return Outcome.NOT_RUN, f"the attack took longer than {PROBE_TIMEOUT}"
    if error.sqlstate and error.sqlstate.startswith(INTERRUPTED):
        return Outcome.NOT_RUN, f"the attack met something else: {told}"
    return Outcome.BROKEN, f"expected {probe.expect}, got {told}"


def _judge_success(probe: Probe, rows: Sequence[tuple[Any, ...]], count: int) -> tuple[Outcome, str]:
    expect = probe.expect
    if isinstance(expect, Raises):
        return Outcome.BROKEN, f"expected {expect}, but the attack succeeded ({count} rows)"
    if isinstance(expect, Affects):
        held, seen = count == expect.count, f"{count} rows touched"
    else:
        held, seen = _same(rows, expect), f"rows {rows[:5]}{' and more' if len(rows) > 5 else ''}"
    if held:
        return Outcome.HELD, f"as promised: {seen}"
    return Outcome.BROKEN, f"expected {expect}, got {seen}"


def _same(rows: Sequence[tuple[Any, ...]], expect: Returns) -> bool:
    return [tuple(row) for row in rows] == [tuple(row) for row in expect.rows]


def _told(error: psycopg.Error) -> str:
    message = error.diag.message_primary or str(error)
    return f"SQLSTATE {error.sqlstate}: {message}"
