"""One connection whatever way it waits: BEGIN folded into the first statement, and what is known of every COMMIT."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, NamedTuple, NoReturn, TypeVar

import psycopg
from psycopg import pq
from psycopg._connection_base import BaseConnection
from psycopg.abc import Params, PQGen, Query

from freehold.errors import (
    FreeholdError,
    TransactionBusy,
    TransactionTimeout,
)
from freehold.runtime.commits import (
    commit_inside,
    ended_inside,
    not_durable,
    refused_commit,
    unknown_commit,
)
from freehold.runtime.context import Backend
from freehold.runtime.exchange import FATAL, Command, Statements, exchange, is_dead, listen, raise_failed
from freehold.runtime.outcome import Place
from freehold.runtime.position import Position

Results = Sequence[pq.abc.PGresult]
T = TypeVar("T")
IDLE, FAILED = pq.TransactionStatus.IDLE, pq.TransactionStatus.INERROR
COMMIT = Command(b"COMMIT")
SYNC_WAIT = "syncrep.c"
"""The server's source file that warns, with a general SQLSTATE, of a wait for a standby that was cut short."""


def _unheard(results: Results) -> None:
    """Nobody asked for these results."""


def _tell(opening: Opening | None, results: Results) -> None:
    """Tell the opening its results before any failure behind it: they may say why it failed."""
    if opening is None or len(results) < len(opening.commands):
        return
    own = results[: len(opening.commands)]
    if own[-1].status != FATAL:
        opening.received(own)


class Opening(NamedTuple):
    """What travels before the first statement of a transaction: BEGIN, the context, and what else it needs to know."""

    commands: Sequence[Command]
    received: Callable[[Results], None] = _unheard


@dataclass(slots=True)
class Closing:
    """What travels around COMMIT: commands of the transaction's end, and questions asked right after it."""

    before: list[Command] = field(default_factory=list)
    after: list[Command] = field(default_factory=list)
    received: Callable[[Results], None] = _unheard
    """Told the results of ``after``, once COMMIT is confirmed."""
    asked: bool = False
    """Whether COMMIT was, or may have been, sent."""
    confirmed: bool = False
    """Whether the server has answered it with COMMIT."""
    interrupted: BaseException | None = None
    """An interrupt or cancellation that came while the answer was waited for."""
    told: FreeholdError | None = None
    """What the caller was told of COMMIT, where it is not simply done; told again to a caller who goes on."""
    round_trips: int = 0
    """How often the transaction has waited for the server."""


class Link(BaseConnection[Any]):
    """What both kinds of connection do; every wait is left to them."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.statements = Statements()
        self.server_version = self.pgconn.server_version
        self._poller = listen(self.pgconn)
        self.opening: Opening | None = None
        self.closing = Closing()
        self.backend = Backend()
        self.place = Place()
        self.seen: Position | None = None
        self.log: list[str] = []
        self.busy_since: float | None = None
        self.peer_dead = ""
        self.waited: float | None = None
        self.statement_timeout: float | None = None
        self.read_only_transaction = False
        self.holder: tuple[str, str] = ("", "")
        """Who has it, and for which workload."""
        self.deadline: float | None = None
        self.held = False
        self._begun = False
        self._folding = False
        self._sync_wait_cancelled = False
        self.add_notice_handler(self._hear)

    @property
    def usable(self) -> bool:
        """Whether the connection is alive and in the middle of nothing."""
        return self.pgconn.status == pq.ConnStatus.OK and self.pgconn.pipeline_status == pq.PipelineStatus.OFF

    @property
    def dead(self) -> bool:
        """Whether the server has closed the connection already; nothing is asked of it."""
        return is_dead(self.pgconn, self._poller)

    @property
    def round_trips(self) -> int:
        """How often the transaction has waited for the server."""
        return self.closing.round_trips

    def forget(self) -> None:
        """Know nothing more of the transaction that is over."""
        self.opening = None
        self.closing = Closing()
        self.deadline = None
        self.held = False
        self._begun = False

    def learn(self, place: Place) -> None:
        """Remember where it leads; a pooler's connection may lead elsewhere the next time."""
        if self.backend.pid:
            self.place = place

    def begin(self, opening: Opening) -> None:
        """Let the next statement begin a transaction, in the same message; only its block may end it."""
        self.opening = opening
        self.closing = Closing()
        self.log = []
        self.deadline = None
        self.waited = None
        self.held = True
        self._begun = False

    def release(self) -> None:
        """Open the door for the block's own COMMIT or ROLLBACK.

        Raises
        ------
        CommitInside
            A statement of the block has ended the transaction.
        """
        self.held = False
        if self._begun and self.pgconn.transaction_status == IDLE:
            self._begun = False
            raise ended_inside()

    def send(self, commands: Sequence[Command]) -> PQGen[list[pq.abc.PGresult]]:
        """Run the commands in one message, behind the opening where it still waits; gives a result for each.

        Raises
        ------
        psycopg.Error
            A command failed, or the connection was lost before one could be committed.
        """
        self._refuse_late()
        opening, self.opening = self.opening, None
        self.closing.round_trips += 1
        if opening is None:
            results = yield from exchange(self.pgconn, self.statements, commands)
            if results and results[-1].status == FATAL:
                raise_failed(results, self.pgconn._encoding)
            return results
        self._begun = True
        results = yield from exchange(self.pgconn, self.statements, [*opening.commands, *commands])
        _tell(opening, results)
        if results[-1].status == FATAL:
            raise_failed(results, self.pgconn._encoding)
        return results[len(opening.commands) :]

    def finish(self, commands: Sequence[Command] = ()) -> PQGen[list[pq.abc.PGresult]]:
        """Run the commands and COMMIT in one message; gives the commands' results.

        Raises
        ------
        CommitRefused
            COMMIT was answered with ROLLBACK.
        CommitUnknown
            The connection was lost after COMMIT was sent and before it was answered.
        CommittedNotDurable
            The wait for a synchronous standby was cut short: committed here, and perhaps nowhere else.
        psycopg.Error
            A command, or a constraint at COMMIT, failed; nothing is stored.
        """
        closing = self.closing
        if closing.told is not None:
            raise closing.told
        opening, self.opening = self.opening, None
        if opening is None:
            self.refuse_failed()
        first = opening.commands if opening else ()
        sent = [*first, *commands, *closing.before]
        if self.dead:
            raise psycopg.OperationalError("the server has closed the connection; COMMIT was not sent")
        self._sync_wait_cancelled = False
        closing.round_trips += 1
        closing.asked = True
        try:
            results = yield from exchange(self.pgconn, self.statements, [*sent, COMMIT, *closing.after])
        except psycopg.OperationalError as error:
            closing.told = unknown_commit(error)
            raise closing.told from error
        self._judge(results, len(sent))
        _tell(opening, results)
        if not closing.confirmed or closing.told is not None:
            self._raise_judged(results)
        self._begun = False
        self.deadline = None
        closing.received(results[len(sent) + 1 :])
        return results[len(first) : len(first) + len(commands)]

    def _judge(self, results: Results, place: int) -> None:
        """Learn from the results, of which COMMIT's is at this place, what became of the transaction."""
        closing = self.closing
        failed = bool(results) and results[-1].status == FATAL
        answer = results[place] if len(results) > place else None
        if failed and (answer is None or self.pgconn.status == pq.ConnStatus.OK):
            # COMMIT failed, or something before it, behind which it is not carried out.
            closing.asked = False
        elif failed or answer is None:
            closing.told = unknown_commit()
        elif answer.command_status != b"COMMIT":
            closing.asked = False
        else:
            closing.confirmed = True
            closing.told = not_durable() if self._sync_wait_cancelled else None

    def _raise_judged(self, results: Results) -> NoReturn:
        try:
            raise_failed(results, self.pgconn._encoding)
        except psycopg.Error as error:
            if self.closing.told is not None:
                raise self.closing.told from error
            raise
        raise self.closing.told or refused_commit()

    def refuse_failed(self) -> None:
        """Refuse a COMMIT that the server would answer with ROLLBACK and no error."""
        if self.pgconn.transaction_status == FAILED:
            raise refused_commit()

    def _refuse_late(self) -> None:
        if self.closing.told is not None:
            raise self.closing.told
        if self.deadline is not None and monotonic() > self.deadline:
            raise TransactionTimeout(
                "The transaction takes longer than its workload allows",
                hint="Do less in one transaction, or give the workload a longer transaction_timeout.",
            )
        if self._begun and self.held and self.pgconn.transaction_status == IDLE:
            raise ended_inside()

    def _refuse_second(self) -> None:
        if self.busy_since is not None:
            raise TransactionBusy(
                "Two calls at once on one transaction",
                hint="Await each before the next, or give them to batch(); tasks side by side need a transaction each.",
            )

    def _start_query(self) -> PQGen[None]:
        self._refuse_late()
        if self.opening is None or self.pgconn.transaction_status != IDLE:
            yield from super()._start_query()
        elif not self._folding:
            yield from self._open()

    def _open(self) -> PQGen[None]:
        """Begin on its own: what comes next, such as COPY, cannot share a message."""
        if self._pipeline is None:
            yield from self.send(())
            return
        yield from self._pipeline._sync_gen()
        pipeline, self._pipeline = self._pipeline, None
        self.pgconn.exit_pipeline_mode()
        try:
            yield from self.send(())
        finally:
            self._pipeline = pipeline
            if self.pgconn.status == pq.ConnStatus.OK:
                self.pgconn.enter_pipeline_mode()

    def _commit_gen(self) -> PQGen[None]:
        if self.held:
            raise commit_inside()
        if self.pgconn.transaction_status != IDLE or self.closing.before:
            yield from self.finish()
        self.opening = None

    def _rollback_gen(self) -> PQGen[None]:
        yield from super()._rollback_gen()
        if self.held:
            # Not by the block: whatever the block says next is told that its transaction has ended.
            return
        self.opening = None
        self._begun = False
        self.deadline = None

    def _deallocate(self, name: bytes | None) -> PQGen[None]:
        if name is None:
            self.statements.clear()
        yield from super()._deallocate(name)

    def _hear(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        if (diagnostic.source_file or "").endswith(SYNC_WAIT):
            self._sync_wait_cancelled = True

    def execute_first(self, cursor: Any, query: Query, params: Params | None, binary: bool | None) -> PQGen[None]:
        """Run a cursor's statement in one message with the opening; the cursor then holds its result."""
        self._folding = True
        try:
            yield from cursor._start_query(query)
        finally:
            self._folding = False
        converted = cursor._convert_query(query, params)
        command = Command(converted.query, converted.params or (), tuple(converted.types), converted.formats)
        results = yield from self.send([command])
        cursor._check_results(results)
        cursor._set_results(results)
        cursor._last_query = query
