"""Work queues with Procrastinate: a job is queued by the tenant's transaction and run in one of the same tenant."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping
from typing import Any, Generic, ParamSpec, Protocol, TypeVar

import procrastinate
import psycopg
from procrastinate.exceptions import ConnectorException
from psycopg import sql

from freehold.errors import InputError
from freehold.frameworks.job_envelope import Envelope, opened
from freehold.frameworks.job_schema import PACKAGE, SCHEMA
from freehold.kernel.template import read_sql
from freehold.runtime import AsyncDatabase, AsyncSession, Database, KeyRing, Session
from freehold.servers.faults import translate

P = ParamSpec("P")
Work = TypeVar("Work", bound=Callable[..., Any])
LOCKS = ("lock", "queueing_lock")


class Enveloped(Protocol):
    """What Procrastinate calls with a job's arguments."""

    def __call__(self, *, freehold: Mapping[str, Any]) -> Any:
        """Open the envelope and do the work."""


class Jobs:
    """The tenants' side of a Procrastinate app.

    >>> jobs = Jobs(app, keys="context.keys")  # doctest: +SKIP
    >>> @jobs.task(db, queue="mail")  # doctest: +SKIP
    ... def welcome(session, customer_id): ...
    >>> with db.transaction(tenant=tenant, actor="ana") as session:  # doctest: +SKIP
    ...     welcome.defer(session, {"customer_id": 7})

    Parameters
    ----------
    app
        The app whose worker runs the jobs; see :func:`worker_connector`.
    keys
        The context keys, since the application and its workers trust each other by them: the queue has no row security,
        and who can write it must not choose a tenant.
    schema
        Where :func:`freehold.frameworks.job_schema.install_jobs` put the tables.
    """

    def __init__(
        self,
        app: procrastinate.App,
        keys: KeyRing | str | os.PathLike[str] | None = None,
        *,
        schema: str = SCHEMA,
    ) -> None:
        self.app = app
        self.keys = KeyRing.find(keys)
        # An app of its own: the worker's may be open, and would then take its own connections.
        self.deferring = procrastinate.App(connector=_Deferring(schema))
        self.deferring_async = procrastinate.App(connector=_AsyncDeferring(schema))

    def task(
        self,
        db: Database | AsyncDatabase,
        *,
        name: str = "",
        workload: str = "default",
        once: bool = False,
        **options: Any,
    ) -> Callable[[Work], TenantTask[Work]]:
        """Make a task of a function of a session and keyword arguments; a coroutine function needs an `AsyncDatabase`.

        Parameters
        ----------
        db
            Where the worker runs it, by ``db.run`` under tenant and actor of the transaction that deferred the job.
        name
            The task's name in the queue; the function's module and name where it is not given.
        once
            Run it under a key of the job (this needs `Outcomes`): what it wrote is written once, though the worker dies
            before it says so and the job is run again.
        options
            Procrastinate's own: ``queue``, ``retry``, ``priority`` …

        Raises
        ------
        InputError
            Function and database do not fit together.
        """

        def decorate(function: Work) -> TenantTask[Work]:
            if inspect.iscoroutinefunction(function) != isinstance(db, AsyncDatabase):
                raise InputError(
                    f"The task {function.__qualname__} and its database do not fit together",
                    hint="Give a coroutine function an AsyncDatabase, and a plain one a Database.",
                )
            title = name or f"{function.__module__}.{function.__qualname__}"
            run = self._runner(db, function, title, workload, once)
            register: Any = self.app.task(name=title, **options)
            register(run)
            return TenantTask(self, title, function)

        return decorate

    def _runner(
        self, db: Database | AsyncDatabase, function: Callable[..., Any], title: str, workload: str, once: bool
    ) -> Enveloped:
        def about(job: Envelope) -> dict[str, Any]:
            key = f"job {job.number}" if once else None
            return {"tenant": job.tenant or None, "actor": job.actor, "workload": workload, "key": key}

        if isinstance(db, AsyncDatabase):

            async def run_async(*, freehold: Mapping[str, Any]) -> Any:
                job = opened(self.keys, freehold, title)

                async def work_async(session: AsyncSession) -> Any:
                    return await function(session, **job.arguments)

                return await db.run(work_async, **about(job))

            return run_async

        def run(*, freehold: Mapping[str, Any]) -> Any:
            job = opened(self.keys, freehold, title)
            return db.run(lambda session: function(session, **job.arguments), **about(job))

        return run


class TenantTask(Generic[Work]):
    """A task that is deferred in a transaction; called, it is the plain function."""

    def __init__(self, jobs: Jobs, name: str, function: Work) -> None:
        self.name = name
        self.function = function
        self._jobs = jobs

    def __call__(self, *arguments: Any, **options: Any) -> Any:
        """Call the function itself, in this process and transaction."""
        return self.function(*arguments, **options)

    def defer(self, session: Session, arguments: Mapping[str, Any] | None = None, **options: Any) -> int:
        """Queue a job with this transaction; its number.

        Parameters
        ----------
        arguments
            The function's keyword arguments, as JSON can hold them.
        options
            Procrastinate's own: ``schedule_in``, ``priority``, ``lock``, ``queueing_lock`` … Locks are the tenant's.

        Raises
        ------
        procrastinate.exceptions.AlreadyEnqueued
            A job with the same ``queueing_lock`` waits; the transaction goes on.
        PrivilegeMissing
            The queue was not installed, or its rights are gone with a migration: run ``install_jobs``.
        """
        context = session.context
        try:
            with session.begin_nested():
                # Asked for in here: only the use of its connection makes the savepoint.
                configured = self._configured(self._jobs.deferring, context.tenant, session.psycopg(), options)
                return int(configured.defer(freehold=self._sealed(context.tenant, context.actor, arguments)))
        except ConnectorException as error:
            raise _typed(error) from error

    async def defer_async(
        self, session: AsyncSession, arguments: Mapping[str, Any] | None = None, **options: Any
    ) -> int:
        """The asynchronous twin of `defer`."""
        context = session.sync_session.context
        try:
            async with session.begin_nested():
                raw = await session.psycopg()
                configured = self._configured(self._jobs.deferring_async, context.tenant, raw, options)
                sealed = self._sealed(context.tenant, context.actor, arguments)
                return int(await configured.defer_async(freehold=sealed))
        except ConnectorException as error:
            raise _typed(error) from error

    def _configured(self, app: procrastinate.App, tenant: str, connection: Any, options: Mapping[str, Any]) -> Any:
        task = self._jobs.app.tasks[self.name]
        plain = {"queue": task.queue, "priority": task.priority, "lock": task.lock, "queueing_lock": task.queueing_lock}
        asked = {**plain, **options, "connection": connection}
        for lock in LOCKS:
            # A lock of one tenant holds up no other, and tells it nothing.
            asked[lock] = f"{tenant}:{asked[lock]}" if asked[lock] is not None else None
        return app.configure_task(self.name, **asked)

    def _sealed(self, tenant: str, actor: str, arguments: Mapping[str, Any] | None) -> dict[str, str]:
        return Envelope.of(self.name, tenant, actor, arguments or {}).sealed(self._jobs.keys.signing)


def worker_connector(url: str, *, schema: str = SCHEMA) -> procrastinate.PsycopgConnector:
    """The connector for an app's worker: the layer's jobs login, directly and not through a pooler."""
    path = sql.Identifier(schema).as_string()
    return procrastinate.PsycopgConnector(conninfo=url, kwargs={"options": f"-c search_path=pg_catalog,{path}"})


class _Deferring(procrastinate.SyncPsycopgConnector):
    """Queues on a connection that it is given, by the library's statement, which names its function without schema."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._path = sql.Identifier(schema).as_string()

    def execute_query_all_with_connection(
        self, connection: psycopg.Connection[Any], query: Any, **arguments: Any
    ) -> list[dict[str, Any]]:
        with connection.cursor() as cursor:
            before = cursor.execute(_query("read_search_path")).fetchone()
            cursor.execute(_query("set_search_path"), {"path": self._path})
            text: Any = sql.SQL(query)
            found: list[dict[str, Any]] = super().execute_query_all_with_connection(connection, text, **arguments)
            cursor.execute(_query("set_search_path"), {"path": before[0] if before else ""})
        return found


class _AsyncDeferring(procrastinate.PsycopgConnector):
    """The same under asyncio."""

    def __init__(self, schema: str) -> None:
        super().__init__()
        self._path = sql.Identifier(schema).as_string()

    async def execute_query_all_async_with_connection(
        self, connection: psycopg.AsyncConnection[Any], query: Any, **arguments: Any
    ) -> list[dict[str, Any]]:
        async with connection.cursor() as cursor:
            before = await (await cursor.execute(_query("read_search_path"))).fetchone()
            await cursor.execute(_query("set_search_path"), {"path": self._path})
            text: Any = sql.SQL(query)
            found: list[dict[str, Any]] = await super().execute_query_all_async_with_connection(
                connection, text, **arguments
            )
            await cursor.execute(_query("set_search_path"), {"path": before[0] if before else ""})
        return found


def _query(name: str) -> sql.SQL:
    return sql.SQL(read_sql(PACKAGE, name))


def _typed(error: ConnectorException) -> Exception:
    cause = error.__cause__
    return translate(cause, doing="queue a job") if isinstance(cause, psycopg.Error) else error


__all__ = ["Jobs", "TenantTask", "worker_connector"]
