"""A change of the catalogue applied in a process of its own, which is killed in the middle of it."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from multiprocessing.connection import Connection as Pipe
from typing import Any

import psycopg
from benchmarks.changes.catalogue import CASES, Case
from benchmarks.changes.shape import NAME, Shape

from freehold.errors import ApplyBusy, FreeholdError
from freehold.events import Event, Listener, StepStarted, ignore
from freehold.kernel.budget import LockBudget, Pace
from freehold.kernel.compile import Declared
from freehold.operations import apply_layer
from freehold.servers import OwnedServer

BUDGET = LockBudget(hold_seconds=0.0, pace=Pace(batch_seconds=0.01))
"""Whatever can go in batches does, so that there are many points to be cut short at."""
BEGINS = "begins"
PATIENCE = 60.0
"""Seconds until the server must have seen that a client is gone."""
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(["__main__", __name__])
Connection = psycopg.Connection[Any]


def declared_after(case: Case) -> Declared:
    """What is declared once the case has changed it."""
    shape = Shape()
    case.edit(shape)
    return shape.layer().declared


def at_first_step(act: Callable[[], object]) -> Listener:
    """A listener that acts when the first step begins."""
    waiting = [act]

    def listen(event: Event) -> None:
        if waiting and isinstance(event, StepStarted):
            waiting.pop()()

    return listen


def apply_case(connection: Connection, case: Case, declared: Declared, listener: Listener = ignore) -> None:
    """Expand, then contract."""
    for contract in (False, True):
        apply_layer(
            connection,
            declared,
            contract=contract,
            data_loss=case.loses,
            weaker_guard="torture" if case.weaker else "",
            budget=BUDGET,
            listener=listener,
        )


class ProcessFailed(Exception):
    """The process was refused something before it was killed."""


def apply_until_killed(server: OwnedServer, case: Case, seconds: float) -> bool:
    """Apply in a process and kill that so many seconds after its first step began; whether it was before its end.

    The server learns that its client is gone when it next writes to it, so that a statement may still run.

    Raises
    ------
    ProcessFailed
    """
    here, there = _processes.Pipe()
    process = _processes.Process(target=_run, args=(server.url(NAME), CASES.index(case), there))
    process.start()
    there.close()
    said = here.recv()
    if said == BEGINS:
        said = here.recv() if here.poll(seconds) else None
    process.kill()
    process.join()
    if said:
        raise ProcessFailed(said)
    return said is None


def apply_when_free(connection: Connection, case: Case, declared: Declared, listener: Listener = ignore) -> int:
    """Apply as soon as nobody else does; how often it was told that somebody does."""
    deadline, told = time.monotonic() + PATIENCE, 0
    while True:
        try:
            apply_case(connection, case, declared, listener)
        except ApplyBusy:
            if time.monotonic() > deadline:
                raise
            told += 1
            time.sleep(0.05)
        else:
            return told


def _run(url: str, number: int, told: Pipe) -> None:
    """The process: it tells when its first step begins, and at its end what it was refused."""
    case = CASES[number]
    declared = declared_after(case)
    with psycopg.connect(url, autocommit=True) as connection:
        try:
            apply_when_free(connection, case, declared, at_first_step(lambda: told.send(BEGINS)))
        except (FreeholdError, psycopg.Error) as error:
            told.send(f"{error}")
        else:
            told.send("")
