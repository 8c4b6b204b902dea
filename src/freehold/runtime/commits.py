"""What can become of a COMMIT: the errors for its answers, and the interrupts that came while it was under way."""

from __future__ import annotations

import asyncio
import re
from typing import NoReturn

from freehold.errors import CommitInside, CommitRefused, CommittedNotDurable, CommitUnknown

_ENDING = re.compile(
    r"\s*(commit|end|abort|rollback(?!(\s+(work|transaction))?\s+to\b)|prepare\s+transaction)\b", re.IGNORECASE
)


class InterruptedAfterCommit(KeyboardInterrupt):
    """Ctrl-C came during COMMIT; the commit was waited for and stands."""


class CancelledAfterCommit(asyncio.CancelledError):
    """The task was cancelled during COMMIT; the commit was waited for and stands."""


def unknown_commit(error: BaseException | None = None) -> CommitUnknown:
    """The error for a COMMIT whose answer was lost."""
    return CommitUnknown(
        "The connection was lost while COMMIT was under way; whether the transaction is stored is not known",
        detail=str(error).strip() if error is not None else "",
        hint="Look before doing it again, or run it with db.run(..., key=...), which gives a definite outcome.",
    )


def refused_commit() -> CommitRefused:
    """The error for a COMMIT that was, or would be, answered with ROLLBACK."""
    return CommitRefused(
        "The transaction failed earlier and cannot be committed; nothing of it is stored",
        hint="Let the error leave the block, or put the statement that may fail into begin_nested().",
    )


def raise_interrupt(interrupt: BaseException, *, confirmed: bool) -> NoReturn:
    """Raise the interrupt that came during a COMMIT, as one that says so where the commit was confirmed."""
    if not confirmed:
        raise interrupt
    if isinstance(interrupt, asyncio.CancelledError):
        raise CancelledAfterCommit("cancelled during COMMIT; the commit stands") from interrupt
    if isinstance(interrupt, KeyboardInterrupt):
        raise InterruptedAfterCommit("interrupted during COMMIT; the commit stands") from interrupt
    raise interrupt


def refuse_ending(statement: str) -> None:
    """Refuse, unsent, a statement that would end its block's transaction.

    Raises
    ------
    CommitInside
    """
    if _ENDING.match(statement):
        raise commit_inside()


def commit_inside() -> CommitInside:
    """The error for a COMMIT or ROLLBACK that its block did not make."""
    return CommitInside(
        "COMMIT inside the transaction's block",
        hint="The block commits when it ends and rolls back when an exception leaves it; begin_nested() undoes a part.",
    )


def detached_inside() -> CommitInside:
    """The error for a connection that was taken out of its pool while its block still has to commit on it."""
    return CommitInside(
        "The transaction's connection was detached from its pool inside the block",
        detail="Nothing of the transaction is stored, and the connection is closed.",
        hint="Take detach() out of the block; a connection of one's own is opened with psycopg.connect().",
    )


def ended_inside() -> CommitInside:
    """The error for a transaction that one of its own statements has ended."""
    return CommitInside(
        "A statement inside the transaction's block has ended the transaction; what came before it may be stored",
        hint="Take COMMIT and ROLLBACK out of the statements of the block; the block itself ends the transaction.",
    )


def not_durable() -> CommittedNotDurable:
    """The error for a COMMIT whose wait for a synchronous standby was cut short."""
    return CommittedNotDurable(
        "The transaction is committed on the primary, but the wait for its synchronous standby was cut short",
        detail="It is visible, and would be lost if the primary failed before the standby has received it.",
        hint="Do not run it again. Find out who cancelled the wait, and whether the standby keeps up.",
    )
