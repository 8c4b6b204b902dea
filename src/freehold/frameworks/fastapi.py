"""FastAPI's dependencies: the request's transaction, reads that follow its writes, and requests that are done once."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    AsyncExitStack,
    ExitStack,
    asynccontextmanager,
)
from typing import Any

import sqlalchemy as sa
from fastapi import Depends, FastAPI, Request
from fastapi.encoders import jsonable_encoder
from fastapi.exceptions import RequestValidationError
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from freehold.errors import PositionInvalid
from freehold.frameworks import starlette
from freehold.frameworks.problem import invalid_request
from freehold.frameworks.starlette import (
    POSITION,
    Identify,
    drop_position,
    leave_position,
    position_of,
    problem_page,
    refuse_nobody,
)
from freehold.layer import DataLayer
from freehold.runtime import AsyncDatabase, AsyncSession, Database, Session
from freehold.runtime.reading import Mode

Lifespan = Callable[[FastAPI], AbstractAsyncContextManager[None]]


def lifespan(layer: DataLayer, url: str | sa.URL, *, blocking: bool = False, **options: Any) -> Lifespan:
    """Connect when the application starts and close when it ends: ``FastAPI(lifespan=lifespan(layer, url))``.

    Parameters
    ----------
    blocking
        Connect a second time for endpoints without ``async``; each way in has pools of its own.
    options
        Those of :meth:`DataLayer.connect`.
    """

    @asynccontextmanager
    async def connected(app: FastAPI) -> AsyncIterator[None]:
        app.state.freehold = await layer.connect_async(url, **options)
        try:
            if blocking:
                app.state.freehold_blocking = await run_in_threadpool(layer.connect, url, **options)
            yield
        finally:
            if hasattr(app.state, "freehold_blocking"):
                await run_in_threadpool(app.state.freehold_blocking.dispose)
            await app.state.freehold.dispose()

    return connected


def install(app: FastAPI, identify: Identify, *, debug: bool = False, position_cookie: str = "") -> None:
    """Put the middleware and the error pages on an application, those of invalid requests among them."""
    starlette.install(app, identify, debug=debug, position_cookie=position_cookie)
    app.state.freehold_cookie = position_cookie
    app.add_exception_handler(RequestValidationError, _invalid)


def database(request: Request) -> AsyncDatabase:
    """The application's database, for a request that somebody makes."""
    found: AsyncDatabase = request.app.state.freehold
    refuse_nobody()
    return found


def blocking_database(request: Request) -> Database:
    """The same, for endpoints without ``async``."""
    found: Database = request.app.state.freehold_blocking
    refuse_nobody()
    return found


def transaction(*, workload: str = "default", read_only: bool = False) -> Any:
    """Depend on a transaction of the request: ``session: Annotated[AsyncSession, transaction()]``.

    It is committed before the response is sent, and rolled back when an exception leaves the endpoint, so that a
    client is never told of what is not stored.
    """

    async def opened(request: Request) -> AsyncIterator[AsyncSession]:
        async with database(request).transaction(workload=workload, read_only=read_only) as session:
            yield session
        leave_position(request, session.position)

    return Depends(opened, scope="function")


def blocking_transaction(*, workload: str = "default", read_only: bool = False) -> Any:
    """:func:`transaction` for endpoints without ``async``: ``session: Annotated[Session, blocking_transaction()]``."""

    def opened(request: Request) -> Iterator[Session]:
        with blocking_database(request).transaction(workload=workload, read_only=read_only) as session:
            yield session
        leave_position(request, session.position)

    return Depends(opened, scope="function")


def read(*, max_staleness: float | None = None, mode: Mode = "session", workload: str = "default") -> Any:
    """Depend on a read: on a replica where one is fresh enough, and never behind what the client has seen.

    The client sends the header ``Freehold-Position`` (or the cookie) that its last request was answered with. A cookie
    that is no good any more, since keys were retired or the cluster is another one, is expired and not heeded.

    Parameters
    ----------
    max_staleness, mode
        Those of :meth:`freehold.Database.read`.
    """

    async def opened(request: Request) -> AsyncIterator[AsyncSession]:
        db = database(request)

        def begun(after: str | None) -> AbstractAsyncContextManager[AsyncSession]:
            return db.read(max_staleness=max_staleness, after=after, mode=mode, workload=workload)

        async with AsyncExitStack() as stack:
            try:
                session = await stack.enter_async_context(begun(_position(request)))
            except PositionInvalid as error:
                _drop_cookie(request, error)
                session = await stack.enter_async_context(begun(None))
            yield session
        leave_position(request, session.position)

    return Depends(opened, scope="function")


def blocking_read(*, max_staleness: float | None = None, mode: Mode = "session", workload: str = "default") -> Any:
    """:func:`read` for endpoints without ``async``."""

    def opened(request: Request) -> Iterator[Session]:
        db = blocking_database(request)

        def begun(after: str | None) -> AbstractContextManager[Session]:
            return db.read(max_staleness=max_staleness, after=after, mode=mode, workload=workload)

        with ExitStack() as stack:
            try:
                session = stack.enter_context(begun(_position(request)))
            except PositionInvalid as error:
                _drop_cookie(request, error)
                session = stack.enter_context(begun(None))
            yield session
        leave_position(request, session.position)

    return Depends(opened, scope="function")


def _position(request: Request) -> str | None:
    return position_of(request, cookie=getattr(request.app.state, "freehold_cookie", ""))


def _drop_cookie(request: Request, error: PositionInvalid) -> None:
    """Go on without the cookie's position; one from the header is answered with the error."""
    if POSITION in request.headers:
        raise error
    drop_position(request)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    errors = [{name: each[name] for name in ("type", "loc", "msg") if name in each} for each in error.errors()]
    return problem_page(invalid_request(jsonable_encoder(errors)))
