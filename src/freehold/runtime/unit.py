"""One transaction of one tenant: what opens it, what travels with its COMMIT, and what follows it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from freehold.errors import AfterCommitFailed, TransactionOver
from freehold.events import Listener, TransactionEnded, TransactionSlow, ignore
from freehold.runtime.context import Context
from freehold.runtime.exchange import Command
from freehold.runtime.faults import Faults
from freehold.runtime.gate import POSITION, Gate
from freehold.runtime.ledger import Ledger
from freehold.runtime.link import Closing, Link, Opening, Results
from freehold.runtime.nodes import PRIMARY
from freehold.runtime.outcome import Claim
from freehold.runtime.position import Position
from freehold.runtime.signer import Signer
from freehold.runtime.waits import BLOCKING, Waits
from freehold.runtime.workload import Workload

logger = logging.getLogger("freehold")
COMMITTED, ROLLED_BACK, UNKNOWN, NOT_DURABLE = "committed", "rolled back", "unknown", "committed, not durable"


@dataclass(frozen=True, slots=True)
class Frame:
    """What every transaction of one database has in common."""

    signer: Signer
    workloads: Mapping[str, Workload]
    faults: Faults
    listener: Listener = ignore
    waits: Waits = BLOCKING
    positions: bool = False
    """Whether the position after COMMIT is asked for: there are replicas, or the caller wants tokens."""
    ledger: Ledger = field(default_factory=Ledger)
    info: Mapping[str, Any] = field(default_factory=dict)
    """What every session finds in its ``info``."""


@dataclass(slots=True)
class Unit:
    """One transaction. It is made for one attempt and cannot be used again.

    Parameters
    ----------
    node
        The name of the server that it runs on.
    attempt
        Counts from 1.
    """

    frame: Frame
    workload: Workload
    tenant: Any
    context: Context
    read_only: bool = False
    claim: Claim | None = None
    node: str = PRIMARY
    attempt: int = 1
    position: Position | None = None
    gate: Gate | None = None
    external: list[str] = field(default_factory=list)
    link: Link | None = None
    log: Sequence[str] = ()
    """The statements that were sent."""
    after_commit: list[Callable[[], Any]] = field(default_factory=list)
    after_rollback: list[Callable[[], Any]] = field(default_factory=list)
    began: float = field(default_factory=monotonic)
    over: bool = False
    closing: Closing = field(default_factory=Closing)
    joined: int = 0
    """How many runs inside it have joined and not ended."""

    def attach(self, link: Link) -> None:
        """Let the next statement on the connection begin this transaction."""
        self.link = link
        if self.gate is not None:
            self.gate.before(link)
        signer, context = self.frame.signer, self.context
        token = signer.token(context, link.backend).encode("ascii")
        bind = Command(self.workload.bind(link.server_version), (token, context.request_id.encode()))
        commands = [self.workload.begin(read_only=self.read_only), bind]
        if self.claim is not None:
            self.claim.place = link.place
            commands.append(self.claim.command())
        if self.gate is not None:
            commands += self.gate.commands()
        link.begin(Opening(commands, self._opened))
        if self.workload.transaction_timeout is not None and link.server_version < 170000:
            link.deadline = self.began + self.workload.transaction_timeout
        if self.frame.positions:
            link.closing = Closing(after=[POSITION], received=self._ended)
        self.closing, self.log = link.closing, link.log
        link.read_only_transaction = self.read_only or self.workload.read_only
        link.statement_timeout = self.workload.statement_limit(link.server_version)
        link.holder = (self.context.actor, self.workload.name)

    def _opened(self, results: Results) -> None:
        assert self.link is not None, "its link has opened it"
        if self.gate is not None and self.gate.inside:
            self.gate.received(self.link, results)
        if self.claim is None:
            return
        try:
            self.claim.received(results[2])
        finally:
            self.link.learn(self.claim.place)

    def _ended(self, results: Results) -> None:
        self.position = found = Position.read(results[0]) if results else None
        link = self.link
        if found is not None and link is not None:
            link.seen = found
            if self.node == PRIMARY and link.busy_since is not None:
                self.frame.ledger.note(found, link.busy_since)

    def store(self, result: Any) -> None:
        """Let the outcome travel with COMMIT."""
        if self.claim is not None:
            assert self.link is not None, "a keyed transaction has begun"
            self.link.closing.before.append(self.claim.record(result))

    @property
    def in_doubt(self) -> bool:
        """Whether COMMIT was sent and not confirmed, and there was something to store."""
        return self.closing.asked and not self.closing.confirmed and not (self.read_only or self.workload.read_only)

    @property
    def position_token(self) -> str:
        """The position after COMMIT as signed text; "" where there is none."""
        return self.position.token(self.frame.signer.keys) if self.position else ""

    def refuse_over(self) -> None:
        """Refuse what comes after the end.

        Raises
        ------
        TransactionOver
        CommitUnknown, CommittedNotDurable
            Again, to a caller who has caught it and goes on.
        """
        if self.closing.told is not None:
            raise self.closing.told
        if self.over:
            raise TransactionOver(
                "The transaction is over", hint="Use its session inside its block; begin another for what comes later."
            )

    def committed(self) -> None:
        """Run what was to follow a durable commit.

        Raises
        ------
        AfterCommitFailed
            A function failed; all others ran, and the commit stands.
        """
        self.over = True
        self._tell(COMMITTED)
        failures = self._run(self.after_commit) if self.after_commit else ()
        if failures:
            raise AfterCommitFailed(
                "The transaction is committed, and a function that was to follow it failed",
                detail="; ".join(f"{type(failure).__name__}: {failure}" for failure in failures),
                hint="Do not run the transaction again. What must follow a commit for certain belongs in the outbox.",
            ) from failures[0]

    def ended(self) -> None:
        """Run what is to follow the end that the transaction has come to, whichever it is."""
        if self.over:
            return
        if self.closing.confirmed and self.closing.told is None:
            # What left the block came after COMMIT.
            self.committed()
            return
        self.over = True
        if self.closing.confirmed:
            self._tell(NOT_DURABLE)
        elif self.in_doubt:
            self._tell(UNKNOWN)
        else:
            self._tell(ROLLED_BACK)
            self._run(self.after_rollback)

    def settled(self, *, committed: bool) -> None:
        """Take in the verdict of a COMMIT whose answer was lost, and run what is to follow."""
        self.closing.asked, self.closing.confirmed, self.closing.told = committed, committed, None
        if committed:
            self.committed()
        else:
            self.ended()

    def _run(self, functions: Sequence[Callable[[], Any]]) -> list[Exception]:
        failures: list[Exception] = []
        for function in functions:
            try:
                self.frame.waits.call(function)
            except Exception as error:  # noqa: BLE001  # each runs whatever became of the others
                failures.append(error)
        return failures

    def _tell(self, outcome: str) -> None:
        if self.frame.listener is ignore:
            return
        seconds = monotonic() - self.began
        ended = TransactionEnded(
            workload=self.workload.name,
            tenant=self.context.tenant,
            node=self.node,
            outcome=outcome,
            seconds=seconds,
            attempts=self.attempt,
            statements=len(self.log),
            round_trips=self.closing.round_trips,
        )
        try:
            self.frame.listener(ended)
            if seconds > self.workload.slow:
                self.frame.listener(TransactionSlow(self.workload.name, seconds, tuple(self.log)))
        except Exception:
            # A listener decides nothing: the transaction has ended as it has.
            logger.exception("A listener failed at the end of a transaction")
