"""Tellers and an auditor of the bank: keyed transfers that decide by what they read, and sums over one snapshot."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from freehold import Database
from freehold.errors import CommitUnknown
from freehold.runtime.core import CoreTransaction
from freehold.runtime.outcome import Settled, Verdict
from torture.ground import TENANT, WHO, Failures
from torture.model import ACCOUNT, TRANSFER

ACCOUNTS = 20
START = 100
LEDGER, SNAPSHOT = "ledger", "snapshot"
"""Workloads of the tellers and of the auditor."""

_ID = sa.bindparam("account", type_=sa.BigInteger)
BALANCE = sa.select(ACCOUNT.c.balance).where(ACCOUNT.c.id == _ID)
SET_BALANCE = sa.update(ACCOUNT).where(ACCOUNT.c.id == _ID).values(balance=sa.bindparam("becomes", type_=sa.BigInteger))
ADD_TRANSFER = sa.insert(TRANSFER)
PART = sa.select(sa.func.sum(ACCOUNT.c.balance), sa.func.min(ACCOUNT.c.balance))
HALVES = tuple(PART.where(ACCOUNT.c.id % 2 == half) for half in (0, 1))


@dataclass(frozen=True)
class Told:
    """What a teller was told of a request: the transfer's number, 0 where there was too little, None for nothing."""

    request: str
    transfer: int | None
    token: str = ""


@dataclass
class Books:
    """What the tellers were told, and what the auditor saw that cannot be."""

    told: list[Told] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    audits: int = 0


def transfer(tx: CoreTransaction, source: int, target: int, amount: int, request: str) -> int:
    """Move an amount where there is enough; gives the transfer's number, new with each attempt, or 0."""
    here, there = (result.scalar_one() for result in tx.batch(*((BALANCE, {"account": a}) for a in (source, target))))
    if here < amount:
        return 0
    number = uuid.uuid4().int >> 66
    row = {"id": number, "source": source, "target": target, "amount": amount, "request": request}
    tx.batch(
        (SET_BALANCE, {"account": source, "becomes": here - amount}),
        (SET_BALANCE, {"account": target, "becomes": there + amount}),
        (ADD_TRANSFER, {"tenant_id": TENANT, **row}),
    )
    return number


@dataclass
class Teller:
    """Transfers between accounts drawn at random, each under a key of its own."""

    db: Database
    draw: random.Random
    books: Books

    def work(self) -> None:
        """One transfer."""
        source, target = self.draw.sample(range(1, ACCOUNTS + 1), 2)
        amount, request = self.draw.randint(1, START // 2), str(uuid.UUID(int=self.draw.getrandbits(128)))
        asked: tuple[Any, ...] = (source, target, amount, request)
        try:
            number = self.db.run_core(transfer, *asked, workload=LEDGER, key=request, request=[*asked], **WHO)
        except CommitUnknown as error:
            self.books.told.append(Told(request, None, error.token))
            raise
        self.books.told.append(Told(request, number))


@dataclass
class Auditor:
    """Adds up all balances in two statements of one snapshot."""

    db: Database
    books: Books

    def work(self) -> None:
        """One audit."""
        with self.db.transaction(workload=SNAPSHOT, **WHO) as session:
            parts = [tuple(session.execute(half).one()) for half in HALVES]
        total, lowest = sum(part[0] for part in parts), min(part[1] for part in parts)
        self.books.audits += 1
        if total != ACCOUNTS * START:
            self.books.wrong.append(f"a snapshot adds up to {total} and not {ACCOUNTS * START}")
        if lowest < 0:
            self.books.wrong.append(f"a snapshot holds a balance of {lowest}")


def settled(db: Database, told: Told) -> Settled:
    """What the resolver says of a request whose COMMIT was not answered."""
    try:
        return db.resolve(told.token)
    except Failures as error:
        return Settled(Verdict.UNKNOWN, reason=repr(error))
