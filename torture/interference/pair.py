"""Runs a statement as one tenant in two databases, and compares all that the tenant can see of the answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from psycopg import pq

from freehold.kernel.names import Sql, ddl, ident, literal
from torture.interference.catalog import Connection

FIELDS = (
    pq.DiagnosticField.SQLSTATE,
    pq.DiagnosticField.MESSAGE_PRIMARY,
    pq.DiagnosticField.MESSAGE_DETAIL,
    pq.DiagnosticField.MESSAGE_HINT,
    pq.DiagnosticField.CONSTRAINT_NAME,
    pq.DiagnosticField.TABLE_NAME,
    pq.DiagnosticField.COLUMN_NAME,
)
"""What of an error a client is told."""
TOO_LONG = b"57014"
PATIENCE = "5s"


@dataclass(frozen=True, slots=True)
class Answer:
    """All that a client sees of a statement: its rows in any order, the command's tag, an error, and notices."""

    rows: tuple[tuple[bytes | None, ...], ...] = ()
    tag: str = ""
    error: tuple[bytes | None, ...] = ()
    notices: tuple[bytes, ...] = ()

    @property
    def inconclusive(self) -> bool:
        """Whether it took longer than the harness waits."""
        return TOO_LONG in self.error[:1]

    def __str__(self) -> str:
        shown = [str(part) for part in (self.error, self.notices, self.tag, self.rows[:6]) if part]
        return "; ".join(shown)


@dataclass(frozen=True, slots=True)
class Difference:
    """A statement to which the two databases gave different answers."""

    number: int
    statement: str
    left: Answer
    right: Answer

    def __str__(self) -> str:
        return f"statement {self.number}: {self.statement}\n  left:  {self.left}\n  right: {self.right}"


@dataclass
class Side:
    """One database: the administrator's connection, from which each statement takes the tenant's place."""

    connection: Connection
    role: str
    token: str
    nested: bool = False
    _notices: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pg = self.connection.pgconn
        self._pg.notice_handler = lambda result: self._notices.append(_told(result)[1] or b"")
        begin, end = (
            ("SAVEPOINT s", "ROLLBACK TO SAVEPOINT s; RELEASE SAVEPOINT s") if self.nested else ("BEGIN", "ROLLBACK")
        )
        take = ddl(
            "SELECT set_config('freehold.context', {}, true); SET LOCAL statement_timeout = {};"
            " SET LOCAL SESSION AUTHORIZATION {}",
            literal(self.token), literal(PATIENCE), ident(self.role),
        )  # fmt: skip
        self._begin, self._end = f"{begin}; {take}".encode(), end.encode()

    def ask(self, statements: Sequence[Sql]) -> list[Answer]:
        """The answers, each statement in a transaction that is rolled back."""
        return [self._ask(statement) for statement in statements]

    def _ask(self, statement: Sql) -> Answer:
        self._demand(self._begin)
        self._notices.clear()
        result = self._pg.exec_(statement.encode())
        answer = self._answer(result)
        if not answer.error:
            later = self._pg.exec_(b"SET CONSTRAINTS ALL IMMEDIATE")
            answer = self._answer(later) if later.status == pq.ExecStatus.FATAL_ERROR else answer
        self._demand(self._end)
        return answer

    def _demand(self, command: bytes) -> None:
        result = self._pg.exec_(command)
        if result.status == pq.ExecStatus.FATAL_ERROR:
            raise RuntimeError(f"{command!r}: {_told(result)}")

    def _answer(self, result: Any) -> Answer:
        notices = tuple(map(masked, self._notices))
        if result.status == pq.ExecStatus.FATAL_ERROR:
            return Answer(error=tuple(masked(part) if part else None for part in _told(result)), notices=notices)
        rows = sorted(
            (
                tuple(masked_value(result.get_value(row, column)) for column in range(result.nfields))
                for row in range(result.ntuples)
            ),
            key=repr,
        )
        return Answer(tuple(rows), (result.command_status or b"").decode(), (), notices)


def _told(result: Any) -> tuple[bytes | None, ...]:
    return tuple(result.error_field(each) for each in FIELDS)


def _near() -> re.Pattern[bytes]:
    """Moments of the run: a clock that is read twice tells nothing of a tenant."""
    today = datetime.now(UTC).date()
    days = "|".join(str(today + timedelta(days=number)) for number in (-1, 0, 1))
    return re.compile(rf"(?:{days})(?:[ T][0-9:.+]*)?".encode())


NOW = _near()


def masked(text: bytes) -> bytes:
    """The text with moments of the run replaced by a mark."""
    return NOW.sub(b"<now>", text)


def masked_value(value: bytes | None) -> bytes | None:
    """The same for a value that may be null."""
    return None if value is None else masked(value)


@dataclass
class Pair:
    """The two databases."""

    left: Side
    right: Side
    slow: int = 0

    def compare(self, statements: Sequence[Sql], first: int = 1) -> list[Difference]:
        """Where the answers differ; the two databases are asked at the same time."""
        with ThreadPoolExecutor(2) as pool:
            ours, theirs = pool.map(lambda side: side.ask(statements), (self.left, self.right))
        found = []
        for number, (statement, left, right) in enumerate(zip(statements, ours, theirs, strict=True), first):
            if left.inconclusive or right.inconclusive:
                self.slow += 1
            elif left != right:
                found.append(Difference(number, statement, left, right))
        return found
