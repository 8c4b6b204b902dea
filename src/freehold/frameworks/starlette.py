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

from freehold.errors import ContextMissing, FreeholdError
from freehold.frameworks.problem import MEDIA_TYPE, REQUEST_ID, Problem, log, problem_of, request_id_of
from freehold.runtime.scope import acting, current

POSITION = "Freehold-Position"
TRACE = "freehold.trace"
Identity = tuple[Any, str]
Identify = Callable[[HTTPConnection], Identity | Awaitable[Identity]]
Handler = Callable[[Request, Exception], Response]


@dataclass(slots=True)
class Trace:
    """What a request leaves for its response: the position that its last write reached."""

    position: str = ""


class FreeholdMiddleware:
    """Runs each request inside :func:`freehold.acting`, and returns its request id and its position.

    Parameters
    ----------
    identify
        Gives tenant and actor of a request; it may be a coroutine function, and may raise ``HTTPException``. An empty
        actor means that nobody acts, and every transaction of the request is then refused with 403.
    position_cookie
        The name of a cookie that carries the position beside the header ``Freehold-Position``, for browsers.
    """

    def __init__(self, app: ASGIApp, identify: Identify, *, position_cookie: str = "") -> None:
        self.app = app
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
            if message["type"] == "http.response.start":
                self._mark(MutableHeaders(scope=message), request_id, trace)
            await send(message)

        with acting(request_id=request_id):
            try:
                tenant, actor = await self._identity(connection)
            except HTTPException as error:
                await http_error(Request(scope), error)(scope, receive, answer)
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
            if self._cookie:
                headers.append("Set-Cookie", f"{self._cookie}={trace.position}; Path=/; HttpOnly; Secure; SameSite=Lax")


def install(app: Starlette, identify: Identify, *, debug: bool = False, position_cookie: str = "") -> None:
    """Put the middleware and the error pages on an application."""
    app.add_middleware(FreeholdMiddleware, identify=identify, position_cookie=position_cookie)
    for kind, handler in error_pages(debug=debug).items():
        app.add_exception_handler(kind, handler)


def error_pages(*, debug: bool = False) -> Mapping[type[Exception], Handler]:
    """Handlers of Freehold's, SQLAlchemy's, psycopg's and HTTP errors; ``debug`` tells what the server said too."""

    def page(request: Request, error: Exception) -> Response:
        problem = problem_of(error, debug=debug)
        if problem is None:
            raise error
        log(problem, error)
        return problem_page(problem)

    return {FreeholdError: page, sa.exc.DBAPIError: page, psycopg.Error: page, HTTPException: http_error}


def http_error(request: Request, error: Exception) -> Response:
    """The page of an ``HTTPException``."""
    assert isinstance(error, HTTPException)
    status = HTTPStatus(error.status_code)
    detail = "" if error.detail == status.phrase else str(error.detail)
    page = problem_page(Problem(status, "", detail))
    page.headers.update(error.headers or {})
    return page


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
    """The position that the client has seen, from its header or cookie."""
    return connection.headers.get(POSITION) or connection.cookies.get(cookie) or None


def leave_position(connection: HTTPConnection, position: str) -> None:
    """Let the response carry the position of a write."""
    trace: Trace | None = connection.scope.get(TRACE)
    if trace is not None and position:
        trace.position = position
