"""The fast path: Core statements in as few messages as they allow, without the ORM."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import Transformer
from psycopg.pq.abc import PGresult
from sqlalchemy.util.concurrency import greenlet_spawn

from freehold.errors import NestedTransaction
from freehold.runtime.connections import raise_typed
from freehold.runtime.exchange import Command
from freehold.runtime.link import IDLE
from freehold.runtime.locks import lock_command
from freehold.runtime.outbox import SEND, sending
from freehold.runtime.outcome import decode, encode
from freehold.runtime.pools import Lease
from freehold.runtime.statement import TENANT, Compiler, CoreResult, Form
from freehold.runtime.unit import Unit

Item = Any
"""A statement, or a pair of a statement and its parameters by name."""
NOTHING: Mapping[str, Any] = {}
SAVEPOINT, RELEASE, BACK = (
    Command(text)
    for text in (b"SAVEPOINT freehold_run", b"RELEASE SAVEPOINT freehold_run", b"ROLLBACK TO SAVEPOINT freehold_run")
)


class CoreWork:
    """What both kinds of core transaction do, as generators over one connection."""

    def __init__(self, unit: Unit, compiler: Compiler, lease: Lease) -> None:
        self.unit = unit
        self._compiler = compiler
        self._lease: Lease | None = lease
        self._link: Any = lease.link
        self._transformer = Transformer(self._link)
        self.stored: Any = None
        unit.attach(self._link)

    @property
    def tenant(self) -> Any:
        """The tenant as it was given, or None."""
        return self.unit.tenant

    @property
    def position(self) -> str:
        """After the block: the position token that later reads can ask for; "" where no position was learned."""
        return self.unit.position_token

    def after_commit(self, function: Callable[[], Any]) -> None:
        """Call a function once the commit is durable; one that fails is told as ``AfterCommitFailed``."""
        self.unit.after_commit.append(function)

    def after_rollback(self, function: Callable[[], Any]) -> None:
        """Call a function once nothing of this transaction can be stored any more."""
        self.unit.after_rollback.append(function)

    def external(self, what: str) -> None:
        """Declare a side effect outside of the database: from here on this transaction never runs again by itself."""
        self.unit.external.append(what)

    def ending(self, items: Sequence[Item], result: Any) -> tuple[list[Form], PQGen[list[PGresult]] | None]:
        """What runs the statements and COMMIT in one message; None where there is nothing to commit."""
        forms, commands = self._prepared(items)
        if self.unit.joined:
            raise NestedTransaction(
                "finish() inside a run that is a part of another one's transaction",
                hint="Give the last statements to batch(); the outer run commits.",
            )
        if self.unit.claim is not None:
            self.stored = decode(encode(result))
            self.unit.store(result)
        self._link.release()
        if not commands and not self._link.closing.before and self._link.pgconn.transaction_status == IDLE:
            return forms, None
        return forms, self._link.finish(commands)

    def savepoint(self, *commands: Command) -> PQGen[None]:
        """Set a savepoint, release it, or go back to it."""
        yield from self._typed(commands)

    def begin(self) -> PQGen[None]:
        """Begin with no statement."""
        yield from self._typed([])

    def _typed(self, commands: Sequence[Command]) -> PQGen[list[PGresult]]:
        try:
            answers: list[PGresult] = yield from self._link.send(commands)
        except psycopg.Error as error:
            self._raise(error)
        return answers

    def _raise(self, error: psycopg.Error) -> NoReturn:
        raise_typed(error, self._link, self.unit.frame.faults)

    def _prepared(self, items: Sequence[Item]) -> tuple[list[Form], list[Command]]:
        if self.unit.over or self.unit.closing.told is not None:
            self.unit.refuse_over()
        tenant = self.unit.tenant
        forms, commands = [], []
        for item in items:
            statement, parameters = item if isinstance(item, tuple) else (item, NOTHING)
            form = self._compiler.form(statement, parameters, tenant=tenant is not None)
            if form.fills_tenant:
                parameters = {**parameters, TENANT: self._compiler.tenant(tenant)}
            forms.append(form)
            commands.append(form.command(parameters, self._transformer))
            self._link.log.append(form.sql)
        return forms, commands

    def _results(self, forms: Sequence[Form], answers: Sequence[PGresult]) -> list[CoreResult]:
        return [form.result(answer, self._transformer) for form, answer in zip(forms, answers, strict=True)]

    def _lock(self, name: str, shared: bool, wait: bool) -> Command:
        self.unit.refuse_over()
        return lock_command(name, tenant=self.unit.context.tenant, shared=shared, wait=wait)

    def give_back(self) -> None:
        """Give the connection back, once."""
        lease, self._lease = self._lease, None
        if lease is not None:
            lease.give_back()


class CoreTransaction(CoreWork):
    """One transaction on the fast path.

    Statements are built with SQLAlchemy Core; those that stand in a module are compiled once. Row security keeps the
    tenant's rows apart; inserts into tenant tables that do not name the tenant are given it.
    """

    def execute(self, statement: Any, parameters: Mapping[str, Any] = NOTHING) -> CoreResult:
        """Run one statement; the first one takes BEGIN and the context with it.

        Parameters
        ----------
        statement
            A statement of SQLAlchemy Core, or ``freehold.sql("...")``.
        parameters
            Values of its bind parameters, or of an insert's columns, by name.
        """
        return self.batch((statement, parameters))[0]

    def batch(self, *items: Item) -> list[CoreResult]:
        """Run independent statements in one message; where one fails, none after it runs.

        Parameters
        ----------
        items
            Statements, or pairs of a statement and its parameters.
        """
        forms, commands = self._prepared(items)
        return self._results(forms, self._sent(commands))

    def finish(self, *items: Item, result: Any = None) -> list[CoreResult]:
        """Run the last statements and COMMIT in one message; the transaction is over.

        Parameters
        ----------
        result
            What a keyed transaction stores for those who ask again, and gives.
        """
        forms, ending = self.ending(items, result)
        answers: Sequence[PGresult] = ()
        if ending is not None:
            try:
                answers = self._link.patiently(ending)
            except psycopg.Error as error:
                self._raise(error)
        results = self._results(forms, answers)
        self.give_back()
        self.unit.committed()
        return results

    def send(self, topic: str, payload: Any, *, key: str | None = None) -> int:
        """Write a message that is relayed once this transaction has committed; see :mod:`freehold.runtime.outbox`."""
        return int(self.execute(SEND, sending(topic, payload, key)).scalar_one())

    def lock(self, name: str, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the advisory lock of a name until the transaction ends; see :func:`freehold.runtime.locks`."""
        return self._sent([self._lock(name, shared, wait)])[0].get_value(0, 0) == b"t"

    def _sent(self, commands: Sequence[Command]) -> list[PGresult]:
        try:
            answers: list[PGresult] = self._link.wait(self._link.send(commands))
        except psycopg.Error as error:
            self._raise(error)
        return answers


class AsyncCoreTransaction(CoreWork):
    """The same under asyncio."""

    async def execute(self, statement: Any, parameters: Mapping[str, Any] = NOTHING) -> CoreResult:
        """Run one statement; see :meth:`CoreTransaction.execute`."""
        return (await self.batch((statement, parameters)))[0]

    async def batch(self, *items: Item) -> list[CoreResult]:
        """Run independent statements in one message; see :meth:`CoreTransaction.batch`."""
        forms, commands = self._prepared(items)
        return self._results(forms, await self._sent(commands))

    async def finish(self, *items: Item, result: Any = None) -> list[CoreResult]:
        """Run the last statements and COMMIT in one message; see :meth:`CoreTransaction.finish`."""
        forms, ending = self.ending(items, result)
        answers: Sequence[PGresult] = ()
        if ending is not None:
            try:
                answers = await self._link.patiently(ending)
            except psycopg.Error as error:
                self._raise(error)
        results = self._results(forms, answers)
        await greenlet_spawn(self.give_back)
        await greenlet_spawn(self.unit.committed)
        return results

    async def send(self, topic: str, payload: Any, *, key: str | None = None) -> int:
        """Write a message that is relayed once this transaction has committed; see :mod:`freehold.runtime.outbox`."""
        return int((await self.execute(SEND, sending(topic, payload, key))).scalar_one())

    async def lock(self, name: str, *, shared: bool = False, wait: bool = True) -> bool:
        """Take the advisory lock of a name until the transaction ends; see :func:`freehold.runtime.locks`."""
        return (await self._sent([self._lock(name, shared, wait)]))[0].get_value(0, 0) == b"t"

    async def _sent(self, commands: Sequence[Command]) -> list[PGresult]:
        try:
            answers: list[PGresult] = await self._link.wait(self._link.send(commands))
        except psycopg.Error as error:
            self._raise(error)
        return answers


class CoreAttempt:
    """A core transaction as the body drives it."""

    def __init__(self, work: CoreTransaction | AsyncCoreTransaction) -> None:
        self.handle = work
        self.unit = work.unit
        self._waits = work.unit.frame.waits
        assert work.unit.link is not None, "it was made on one"
        self._link = work.unit.link

    @classmethod
    def on(
        cls, kind: type[CoreTransaction | AsyncCoreTransaction], unit: Unit, compiler: Compiler, lease: Lease
    ) -> CoreAttempt:
        """An attempt on a connection, which goes back where the transaction cannot begin on it."""
        try:
            return cls(kind(unit, compiler, lease))
        except BaseException:
            lease.give_back()
            raise

    def open(self) -> None:
        """Begin where the server has to be judged first, or its place learned; else the first statement does.

        A keyed transaction that goes in one message would not know, if its answer is lost, where it ran.
        """
        gate, claim = self.unit.gate, self.unit.claim
        if (gate is not None and not gate.passed) or (claim is not None and not self._link.place.known):
            self._waits.drive(self._link, self.handle.begin())

    def finish(self, result: Any) -> Any:
        """Commit, unless the function has done so with its last statements; gives what was stored under a key."""
        if not self.unit.over:
            _, ending = self.handle.ending((), result)
            if ending is not None:
                self._waits.patiently(self._link, ending)
            self.handle.give_back()
            self.unit.committed()
        return self.handle.stored if self.unit.claim is not None else result

    def let_go(self) -> None:
        """Give the connection back, and with it what is not committed."""
        self.handle.give_back()

    def abandon(self) -> None:
        """Let go, and run what is to follow."""
        try:
            self.let_go()
        finally:
            self.unit.ended()

    def join(self, function: Callable[..., Any], arguments: tuple[Any, ...]) -> Any:
        """Call a function inside a savepoint."""
        self._waits.drive(self._link, self.handle.savepoint(SAVEPOINT))
        self.unit.joined += 1
        try:
            result = self._waits.call(function, self.handle, *arguments)
        except BaseException:
            if self._link.pgconn.status == psycopg.pq.ConnStatus.OK:
                # Going back to a savepoint leaves it, and those of the runs around this one have the same name.
                self._waits.drive(self._link, self.handle.savepoint(BACK, RELEASE))
            raise
        finally:
            self.unit.joined -= 1
        self._waits.drive(self._link, self.handle.savepoint(RELEASE))
        return result
