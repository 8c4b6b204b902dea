"""Starlette, and what is built on it: who acts in each request, and every error as a problem document (RFC 9457)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from inspect import isawaitable
from typing import Any

import psycopg
import sqlalchemy as sa
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from freehold.errors import ContextMissing, FreeholdError, PositionInvalid
from freehold.frameworks.problem import MEDIA_TYPE, REQUEST_ID, Problem, log, phrase, problem_of, request_id_of
from freehold.runtime.scope import acting, current

POSITION = "Freehold-Position"
ATTRIBUTES = "Path=/; HttpOnly; Secure; SameSite=Lax"
TRACE = "freehold.trace"
Identity = tuple[Any, str]
Identify = Callable[[HTTPConnection], Identity | Awaitable[Identity]]
Handler = Callable[[Request, Exception], Response]
REFUSALS = (HTTPException, FreeholdError, sa.exc.DBAPIError, psycopg.Error)
STARTS = ("http.response.start", "websocket.http.response.start")
DENIAL = "websocket.http.response"
"""The extension of ASGI by which a server answers a handshake with a response."""
POLICY_VIOLATION = 1008
"""The code of RFC 6455 for a connection that is not wanted."""


@dataclass(slots=True)
class Trace:
    """What a request leaves for its response: the newest position that it reached, or that the cookie's is no good."""

    position: str = ""
    dropped: bool = False


class FreeholdMiddleware:
    """Runs each request inside :func:`freehold.acting`, and returns its request id and its position.

    Parameters
    ----------
    identify
        Gives tenant and actor of a request; it may be a coroutine function, and may raise ``HTTPException`` or an error
        of the database. An empty actor means that nobody acts, and every transaction of the request is then refused
        with 403.
    position_cookie
        The name of a cookie that carries the position beside the header ``Freehold-Position``, for browsers.
    debug
        Whether to tell the client what the server said where ``identify`` failed.
    """

    def __init__(self, app: ASGIApp, identify: Identify, *, position_cookie: str = "", debug: bool = False) -> None:
        self.app = app
        self._debug = debug
        self._identify = identify
        self._cookie = position_cookie

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        connection = HTTPConnection(scope)
        request_id = request_id_of(connection.headers.get(REQUEST_ID))
        trace = scope[TRACE] = Trace()

        async def answer(message: Message) -> None:
            if message["type"] in STARTS:
                self._mark(MutableHeaders(scope=message), request_id, trace)
            await send(message)

        with acting(request_id=request_id):
            try:
                tenant, actor = await self._identity(connection)
            except REFUSALS as error:
                await _refuse(_page_of(error, debug=self._debug), scope, receive, answer)
                return
            with acting(tenant=tenant, actor=actor):
                await self.app(scope, receive, answer)

    async def _identity(self, connection: HTTPConnection) -> Identity:
        found = self._identify(connection)
        return await found if isawaitable(found) else found

    def _mark(self, headers: MutableHeaders, request_id: str, trace: Trace) -> None:
        headers[REQUEST_ID] = request_id
        if trace.position:
            headers[POSITION] = trace.position
        if self._cookie and trace.position:
            headers.append("Set-Cookie", f"{self._cookie}={trace.position}; {ATTRIBUTES}")
        elif self._cookie and trace.dropped:
            headers.append("Set-Cookie", f"{self._cookie}=; Max-Age=0; {ATTRIBUTES}")


def install(app: Starlette, identify: Identify, *, debug: bool = False, position_cookie: str = "") -> None:
    """Put the middleware and the error pages on an application."""
    app.add_middleware(FreeholdMiddleware, identify=identify, position_cookie=position_cookie, debug=debug)
    for kind, handler in error_pages(debug=debug).items():
        app.add_exception_handler(kind, handler)


def error_pages(*, debug: bool = False) -> Mapping[type[Exception], Handler]:
    """Handlers of Freehold's, SQLAlchemy's, psycopg's and HTTP errors; ``debug`` tells what the server said too."""

    def page(request: Request, error: Exception) -> Response:
        if isinstance(error, PositionInvalid) and POSITION not in request.headers:
            drop_position(request)
        return _page_of(error, debug=debug)

    return {FreeholdError: page, sa.exc.DBAPIError: page, psycopg.Error: page, HTTPException: http_error}


def http_error(request: Request, error: Exception) -> Response:
    """The page of an ``HTTPException``; a detail that is no text is told as ``errors``."""
    assert isinstance(error, HTTPException)
    return _http_page(error)


def _http_page(error: HTTPException) -> Response:
    status, detail = error.status_code, error.detail
    if status < HTTPStatus.OK or status in {HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED}:
        return Response(status_code=status, headers=error.headers)
    if isinstance(detail, str):
        problem = Problem(status, "", "" if detail == phrase(status) else detail)
    else:
        problem = Problem(status, "", members={"errors": detail})
    page = problem_page(problem)
    page.headers.update(error.headers or {})
    return page


def _page_of(error: Exception, *, debug: bool) -> Response:
    if isinstance(error, HTTPException):
        return _http_page(error)
    problem = problem_of(error, debug=debug)
    if problem is None:
        raise error
    log(problem, error)
    return problem_page(problem)


async def _refuse(page: Response, scope: Scope, receive: Receive, send: Send) -> None:
    """Answer with the page; a handshake that the server cannot answer so is closed."""
    if scope["type"] == "websocket" and DENIAL not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": phrase(page.status_code)})
    else:
        await page(scope, receive, send)


def problem_page(problem: Problem) -> Response:
    """The response that says it."""
    return JSONResponse(problem.document(), problem.status, problem.headers(), MEDIA_TYPE)


def refuse_nobody() -> None:
    """Refuse a request of which nobody knows who makes it.

    Raises
    ------
    ContextMissing
        ``identify`` gave no actor.
    """
    if not current().actor:
        raise ContextMissing("Nobody is known to make this request", hint="Log in, or send what names who acts.")


def position_of(connection: HTTPConnection, *, cookie: str = "") -> str | None:
    """The position that the client has seen, from its header or else from the cookie of that name."""
    return connection.headers.get(POSITION) or (connection.cookies.get(cookie) if cookie else None) or None


def drop_position(connection: HTTPConnection) -> None:
    """Let the response expire the cookie: its position is of a key or a cluster that is no more."""
    trace: Trace | None = connection.scope.get(TRACE)
    if trace is not None:
        trace.dropped = True


def leave_position(connection: HTTPConnection, position: str) -> None:
    """Let the response carry the position of a write, unless a newer one was left already."""
    trace: Trace | None = connection.scope.get(TRACE)
    if trace is not None and position:
        trace.position = max(trace.position, position, key=_place)


def _place(position: str) -> tuple[int, ...]:
    # Made by this process, so that no key is needed: version, cluster, timeline, place in the log.
    return tuple(int(part, 16) for part in position.split(".", 4)[1:4])
