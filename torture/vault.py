"""The ground of the attacks on COMMIT: entries that nothing keeps from being there twice, and each way to write one."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

import psycopg
import sqlalchemy as sa
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from freehold import AsyncDatabase, Database, DataLayer, Outcomes, Roles, Tenancy
from freehold.events import Event, ignore
from freehold.runtime.asynchronous import AsyncSession
from freehold.runtime.body import Body
from freehold.runtime.core import AsyncCoreTransaction, CoreTransaction
from freehold.runtime.session import Session
from freehold.runtime.workload import Retry, Workload
from freehold.servers import Binaries
from freehold.servers.settings import Settings
from torture.ground import TENANT, WHO, Ground, ground

NAME = "vault"
ONCE = Workload("once", retry=Retry(attempts=1))
TWICE = Workload("twice", retry=Retry(attempts=2, base=0.001, cap=0.001))
WORKLOADS = (ONCE, TWICE)
WAYS = ("orm", "core", "core at once", "async orm", "async core", "async core at once")
Arm = Callable[[], None]
"""Called once by a function under attack, when what it sends next is the message to be attacked."""


class Base(DeclarativeBase):
    """The vault's tables."""

    metadata = sa.MetaData(schema=NAME)


class Owner(Base):
    """The tenants."""

    __tablename__ = "owner"
    id: Mapped[int] = mapped_column(sa.BigInteger, primary_key=True, autoincrement=False)


class Entry(Base):
    """What a transaction leaves behind."""

    __tablename__ = "entry"
    tenant_id: Mapped[int] = mapped_column(sa.BigInteger, sa.ForeignKey(Owner.id), primary_key=True)
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(), primary_key=True)
    mark: Mapped[str] = mapped_column(sa.Text)


ADD = sa.insert(Entry)


def layer() -> DataLayer:
    """The layer, new each time: a layer remembers what it compiled to."""
    return DataLayer(Base.metadata, Tenancy(Owner), Roles(), Outcomes(keep="30 days"), name=NAME)


@contextmanager
def vault(*, binaries: Binaries | None = None, settings: Settings | None = None) -> Iterator[Ground]:
    """A new server with the vault on it; removed at the end."""
    with ground(layer(), binaries=binaries, settings={"synchronous_commit": True, **(settings or {})}) as made:
        with made.admin() as admin:
            admin.execute("INSERT INTO vault.owner VALUES (%s)", (TENANT,))
        yield made


def counted(admin: psycopg.Connection[Any]) -> dict[str, int]:
    """How often each mark is in the vault."""
    found = admin.execute("SELECT mark, count(*) FROM vault.entry GROUP BY mark").fetchall()
    return {str(mark): int(count) for mark, count in found}


@dataclass(frozen=True, kw_only=True)
class Attempted:
    """One call under attack.

    Parameters
    ----------
    early
        Attack the work's own message, and not the one that carries COMMIT.
    every
        Attack each attempt, and not the first alone.
    """

    way: str
    mark: str
    key: str | None = None
    workload: str = "default"
    early: bool = False
    every: bool = False


async def _several(db: AsyncDatabase) -> None:
    async with db.engine.connect(), db.engine.connect(), db.engine.connect():
        return


@dataclass
class Clients:
    """An application in this process: one database for threads and one for asyncio, made when first asked for.

    Parameters
    ----------
    body
        Puts a body of another kind in place, to plant a defect.
    """

    where: Ground
    url: str
    body: Callable[[Body], None] | None = None
    resolving: float = 10.0
    told: list[Event] = field(default_factory=list)
    hear: Callable[[Event], None] = ignore
    calls: int = 0
    _db: Database | None = None
    _async: AsyncDatabase | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _thread: threading.Thread = field(default_factory=threading.Thread)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._db is not None:
            self._db.dispose()
        if self._loop is not None:
            if self._async is not None:
                self.wait(self._async.dispose())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()

    @property
    def db(self) -> Database:
        """The database for threads."""
        if self._db is None:
            self._db = self.where.connect(self.url, workloads=WORKLOADS, listener=self._listen, pool_size=3)
            self._change(self._db._body)
        return self._db

    @property
    def async_db(self) -> AsyncDatabase:
        """The database for asyncio, on a loop of its own in another thread."""
        if self._async is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
            self._thread.start()
            options: dict[str, Any] = {"workloads": WORKLOADS, "listener": self._listen, "pool_size": 3}
            self._async = self.wait(self.where.connect_async(self.url, **options))
            self._change(self._async._body)
        return self._async

    def open(self, way: str) -> None:
        """Connect now, for what a way needs."""
        assert (self.async_db if way.startswith("async") else self.db) is not None

    def open_several(self, way: str) -> None:
        """Let the pool have three connections, as that of a busy application has."""
        if not way.startswith("async"):
            with self.db.engine.connect(), self.db.engine.connect(), self.db.engine.connect():
                return
        self.wait(_several(self.async_db))

    def _listen(self, event: Event) -> None:
        self.told.append(event)
        self.hear(event)

    def _change(self, body: Body) -> None:
        body.settling.patience = self.resolving
        if self.body is not None:
            self.body(body)

    def wait(self, work: Coroutine[Any, Any, Any]) -> Any:
        """The result of a coroutine on the loop."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def call(self, what: Attempted, arm: Arm) -> Any:
        """Write an entry in the way that is asked for; ``arm`` is called before the attacked message."""
        if what.way.startswith("async"):
            assert self.async_db is not None
            return self.wait(self.started(what, arm))
        work, options = self._prepared(what, arm)
        return self.db.run_core(work, **options) if "core" in what.way else self.db.run(work, **options)

    def started(self, what: Attempted, arm: Arm) -> Coroutine[Any, Any, Any]:
        """The same as a coroutine for the loop of :attr:`async_db`."""
        work, options = self._prepared(what, arm)
        db = self.async_db
        return db.run_core(work, **options) if "core" in what.way else db.run(work, **options)

    def _prepared(self, what: Attempted, arm: Arm) -> tuple[Callable[..., Any], dict[str, Any]]:
        self.calls = 0
        options = {**WHO, "key": what.key, "workload": what.workload}

        def started() -> None:
            self.calls += 1

        def ready(here: bool) -> None:
            if here and (what.every or self.calls == 1):
                arm()

        return _work(what, started, ready), options


def _work(what: Attempted, started: Arm, ready: Callable[[bool], None]) -> Callable[..., Any]:
    mark, early = what.mark, what.early

    def orm(session: Session) -> str:
        started()
        session.add(Entry(mark=mark))
        ready(early)
        session.flush()
        ready(not early)
        return mark

    def core(tx: CoreTransaction) -> str:
        started()
        ready(early)
        tx.execute(ADD, {"mark": mark})
        ready(not early)
        return mark

    def core_at_once(tx: CoreTransaction) -> str:
        started()
        ready(True)
        tx.finish((ADD, {"mark": mark}), result=mark)
        return mark

    async def async_orm(session: AsyncSession) -> str:
        started()
        session.add(Entry(mark=mark))
        ready(early)
        await session.flush()
        ready(not early)
        return mark

    async def async_core(tx: AsyncCoreTransaction) -> str:
        started()
        ready(early)
        await tx.execute(ADD, {"mark": mark})
        ready(not early)
        return mark

    async def async_core_at_once(tx: AsyncCoreTransaction) -> str:
        started()
        ready(True)
        await tx.finish((ADD, {"mark": mark}), result=mark)
        return mark

    ways: tuple[Callable[..., Any], ...] = (orm, core, core_at_once, async_orm, async_core, async_core_at_once)
    return dict(zip(WAYS, ways, strict=True))[what.way]
