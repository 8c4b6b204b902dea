"""Defects for the harness of false success: drivers and runtimes that believe too much, or wait too little."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from psycopg import pq, waiting
from psycopg.abc import PQGen

from freehold.runtime.driver import AsyncConnection, Connection
from freehold.runtime.exchange import Command, exchange
from freehold.runtime.link import COMMIT, Link
from torture.field import Field
from torture.injections import cancelled_task, cancelled_wait, interrupted_commit, swallowed_error


@dataclass(frozen=True)
class Defect:
    """A method of a connection that does something else, and the injection that shows it."""

    name: str
    kind: type[Any]
    method: str
    instead: Callable[..., Any]
    injection: Callable[[Field], None]

    @contextmanager
    def planted(self) -> Iterator[None]:
        """Every connection with the defect in it."""
        good = self.kind.__dict__[self.method]
        setattr(self.kind, self.method, self.instead)
        try:
            yield
        finally:
            setattr(self.kind, self.method, good)


def _deaf(self: Link, diagnostic: Any) -> None:
    """Hear no warning."""


def _trusting(self: Link, commands: Sequence[Command] = ()) -> PQGen[list[pq.abc.PGresult]]:
    """Take any answer to COMMIT for a commit."""
    opening, self.opening = self.opening, None
    first = list(opening.commands) if opening else []
    results = yield from exchange(self.pgconn, self.statements, [*first, *commands, *self.closing.before, COMMIT])
    return results[len(first) : len(first) + len(commands)]


def _impatient(self: Connection, generator: PQGen[Any]) -> Any:
    """Let an interrupt end the wait for COMMIT's answer."""
    try:
        return waiting.wait(generator, self.pgconn.socket, 0.1)
    except KeyboardInterrupt:
        self.close()
        raise


async def _impatient_task(self: AsyncConnection, generator: PQGen[Any]) -> Any:
    """Let a cancellation end the wait for COMMIT's answer."""
    try:
        return await waiting.wait_async(generator, self.pgconn.socket, 0.1)
    except asyncio.CancelledError:
        self.pgconn.finish()
        raise


DEFECTS = (
    Defect("deaf to the warning", Link, "_hear", _deaf, cancelled_wait),
    Defect("any answer is a commit", Link, "finish", _trusting, swallowed_error),
    Defect("an interrupt ends the wait", Connection, "patiently", _impatient, interrupted_commit),
    Defect("a cancellation ends the wait", AsyncConnection, "patiently", _impatient_task, cancelled_task),
)
