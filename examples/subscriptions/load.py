"""A made-up year of a subscription business, driven by several clients at once; all names and numbers are generated."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any
from uuid import UUID, uuid5

from examples.subscriptions import business
from examples.subscriptions.business import Refused
from examples.subscriptions.models import Account, Invoice, Member
from sqlalchemy import func, select

from freehold import Database, deleted
from freehold.errors import ConstraintViolated, FreeholdError, LimitReached

GENERATED = UUID("6f1c8f6e-5a0e-4f43-9a1d-3f5a1c0f7b11")
"""The namespace of every generated account: one look at its identifier tells that it is made up."""
PLANS = ("free", "team", "team", "business")


@dataclass(frozen=True)
class Size:
    """How much is generated: accounts, months, and events of each account in each month."""

    accounts: int
    months: int
    events: int


SIZES = {"small": Size(4, 2, 40), "medium": Size(40, 6, 400), "large": Size(400, 12, 1_000)}


@dataclass
class Tally:
    """What the clients saw, to be compared with what the tables say."""

    done: Counter[str] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    units: int = 0
    references: set[tuple[UUID, str]] = field(default_factory=set)
    seconds: float = 0.0

    @property
    def transactions(self) -> int:
        """Committed and refused ones together."""
        return self.done.total() + self.refused.total()


@dataclass(frozen=True)
class Customer:
    """A generated account."""

    number: int
    seed: int

    @property
    def tenant(self) -> UUID:
        """Its identifier, which follows from its number and the seed."""
        return uuid5(GENERATED, f"{self.seed}/{self.number}")

    @property
    def acting(self) -> dict[str, Any]:
        """Who acts, for whom."""
        return {"tenant": self.tenant, "actor": f"generated-{self.number}"}


Task = Callable[[], tuple[str, Any]]


class Load:
    """A run over some months up to one.

    Parameters
    ----------
    db
        The application's way in.
    size, seed
        What is generated; the same again for the same numbers.
    clients
        How many act at once.
    last
        The first day of the last month.
    """

    def __init__(self, db: Database, size: Size, last: date, *, seed: int = 1, clients: int = 4) -> None:
        self.db = db
        self.size = size
        self.clients = clients
        self.last = last
        self.draw = random.Random(seed)  # noqa: S311
        self.customers = [Customer(number, seed) for number in range(1, size.accounts + 1)]
        self.months = _months(last, size.months)
        self.tally = Tally()

    def run(self) -> Tally:
        """Sign up, and then month by month: use, come and go, be billed, pay, change plans."""
        started = time.monotonic()
        with ThreadPoolExecutor(self.clients) as self._pool:
            self._all(self._sign_up(customer) for customer in self.customers for _ in range(2))
            for month in self.months:
                self._all(task for customer in self.customers for task in self._usage(customer, month))
                self._all(task for customer in self.customers for task in self._team(customer, month))
                self._all(self._bill(customer, month) for customer in self.customers for _ in range(2))
                self._all(task for customer in self.customers for task in self._payments(customer))
                self._all(task for customer in self.customers for task in self._changes(customer, month))
        self.tally.seconds = time.monotonic() - started
        return self.tally

    def _all(self, tasks: Iterable[Task]) -> None:
        """Every task of a phase, in no order, some against each other."""
        shuffled = list(tasks)
        self.draw.shuffle(shuffled)
        for what, result in self._pool.map(_attempt, shuffled):
            if isinstance(result, str) and result.startswith("refused: "):
                self.tally.refused[f"{what}, {result.removeprefix('refused: ')}"] += 1
                continue
            self.tally.done[what] += 1
            if what == "use":
                self.tally.units += result
            elif what == "pay":
                self.tally.references.add(result)

    def _sign_up(self, customer: Customer) -> Task:
        """Sent twice under one key, as a client does that has lost the answer."""
        plan, name = PLANS[customer.number % len(PLANS)], f"Generated account {customer.number}"
        login = f"owner-{customer.number}@generated.example"
        run = partial(self.db.run, business.sign_up, name, login, plan, self.months[0], key="sign up")
        return partial(_named, "sign up", partial(run, **customer.acting))

    def _usage(self, customer: Customer, month: date) -> Iterable[Task]:
        begin = datetime(month.year, month.month, 1, tzinfo=UTC)
        moments = [
            (begin + timedelta(seconds=self.draw.randrange(28 * 86_400)), self.draw.randrange(1, 2_000))
            for _ in range(self.size.events)
        ]
        for first in range(0, len(moments), 100):
            batch = moments[first : first + 100]
            yield partial(_named, "use", partial(self._record, customer, batch))

    def _record(self, customer: Customer, batch: Sequence[tuple[datetime, int]]) -> int:
        self.db.run(business.use, batch, **customer.acting)
        return sum(units for _, units in batch)

    def _team(self, customer: Customer, month: date) -> Iterable[Task]:
        """More invitations than a small plan has seats, and members who leave and come back."""
        for number in range(3):
            login = f"member-{month:%Y%m}-{number}@generated.example"
            invite = partial(self.db.run, business.invite, login, ("billing", "usage"), month)
            yield partial(_named, "invite", partial(invite, **customer.acting))
        contact = partial(
            self.db.run, business.add_contact, f"Contact of {month:%B}", f"{month:%Y%m}@generated.example"
        )
        yield partial(_named, "add contact", partial(contact, **customer.acting))
        yield partial(_named, "leave", partial(self._leave, customer))
        yield partial(_named, "come back", partial(self._come_back, customer))

    def _leave(self, customer: Customer) -> None:
        with self.db.transaction(**customer.acting) as session:
            someone = session.scalar(select(Member.id).where(Member.role == "member").order_by(Member.id).limit(1))
            if someone is None:
                raise Refused("nobody could leave")
            business.remove(session, someone)

    def _come_back(self, customer: Customer) -> int:
        gone = deleted(Member)
        with self.db.transaction(**customer.acting) as session:
            someone = session.scalar(select(gone.id).order_by(gone.id).limit(1))
            if someone is None:
                raise Refused("nobody has left")
            return business.bring_back(session, someone)

    def _bill(self, customer: Customer, month: date) -> Task:
        """Sent twice without a key: the database takes one."""
        return partial(_named, "bill", partial(self.db.run, business.bill, month, **customer.acting))

    def _payments(self, customer: Customer) -> Iterable[Task]:
        """Reported twice under one key; some pay in two parts, some later."""
        with self.db.transaction(read_only=True, **customer.acting) as session:
            query = select(Invoice.id, Invoice.number, Invoice.total).where(
                Invoice.status == "issued", Invoice.total > 0
            )
            open_ = session.execute(query.order_by(Invoice.number)).all()
        for invoice, number, total in open_:
            if self.draw.random() < 0.2:
                continue
            parts = [total] if self.draw.random() < 0.7 else [total - 1, Decimal(1)]
            for part, amount in enumerate(parts):
                for _ in range(2):
                    yield partial(_named, "pay", partial(self._pay, customer, invoice, amount, f"{number}/{part}"))

    def _pay(self, customer: Customer, invoice: UUID, amount: Decimal, reference: str) -> tuple[UUID, str]:
        key = f"payment {reference}"
        self.db.run(business.pay, invoice, amount, reference, key=key, request=str(amount), **customer.acting)
        return customer.tenant, reference

    def _changes(self, customer: Customer, month: date) -> Iterable[Task]:
        """Two people change the plan at once."""
        if self.draw.random() < 0.3:
            for plan in self.draw.sample(("free", "team", "business"), 2):
                change = partial(self.db.run, business.change_plan, plan, month + timedelta(days=20))
                yield partial(_named, "change plan", partial(change, **customer.acting))

    def there(self) -> int:
        """How many of the accounts exist already."""
        return sum(self._opened(customer) for customer in self.customers)

    def _opened(self, customer: Customer) -> bool:
        with self.db.transaction(read_only=True, **customer.acting) as session:
            return bool(session.scalar(select(func.count()).select_from(Account)))


def _named(what: str, function: Callable[[], Any]) -> tuple[str, Any]:
    return what, function()


def _attempt(task: Task) -> tuple[str, Any]:
    """A refusal is an answer; anything else ends the load."""
    what = getattr(task, "args", ("?",))[0]
    try:
        return task()
    except (Refused, LimitReached, ConstraintViolated) as refused:
        return what, f"refused: {_reason(refused)}"


def _reason(refused: Exception) -> str:
    if isinstance(refused, FreeholdError):
        return getattr(refused, "constraint", "") or refused.code
    return str(refused).split(";")[0]


def _months(last: date, count: int) -> list[date]:
    found = [last]
    while len(found) < count:
        found.append((found[-1] - timedelta(days=1)).replace(day=1))
    return found[::-1]
