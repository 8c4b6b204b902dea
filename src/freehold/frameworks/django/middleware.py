"""The middleware that says of each request who acts for which tenant, and answers typed errors as problem details."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.core.exceptions import BadRequest, ImproperlyConfigured, PermissionDenied
from django.db import Error
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.module_loading import import_string

from freehold.errors import FreeholdError
from freehold.frameworks.problem import MEDIA_TYPE, REQUEST_ID, Problem, log, problem_of, request_id_of
from freehold.runtime.scope import acting

Respond = Callable[[HttpRequest], Any]
Identify = Callable[[HttpRequest], tuple[Any, str]]


class FreeholdMiddleware:
    """Runs the rest of a request inside :func:`freehold.acting`.

    ``settings.FREEHOLD_SCOPE`` is a function of the request, or the dotted path of one, that gives tenant and actor;
    an empty actor means that nobody acts, and the database then refuses every statement. It may raise ``BadRequest`` or
    ``PermissionDenied``, whose text the client is told. Put the middleware behind the one that authenticates.
    Freehold's errors are answered as ``application/problem+json`` (RFC 9457), those of the function too.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, respond: Respond) -> None:
        self._respond = respond
        self._identify = _identify()
        self._asynchronous = iscoroutinefunction(respond)
        if self._asynchronous:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponse | Awaitable[HttpResponse]:
        """Answer a request, or give the coroutine that does."""
        if self._asynchronous:
            return self._answer(request)
        request_id = request_id_of(request.headers.get(REQUEST_ID))
        with acting(request_id=request_id):
            who = self._identified(request)
            if isinstance(who, HttpResponse):
                response = who
            else:
                with who:
                    response = self._respond(request)
        response.headers[REQUEST_ID] = request_id
        return response

    async def _answer(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.headers.get(REQUEST_ID))
        with acting(request_id=request_id):
            who = self._identified(request)
            if isinstance(who, HttpResponse):
                response = who
            else:
                with who:
                    response = await self._respond(request)
        response.headers[REQUEST_ID] = request_id
        return response

    def _identified(self, request: HttpRequest) -> acting | HttpResponse:
        """Who acts, or the page that says why nobody can."""
        try:
            tenant, actor = self._identify(request)
        except (BadRequest, PermissionDenied) as error:
            status = HTTPStatus.BAD_REQUEST if isinstance(error, BadRequest) else HTTPStatus.FORBIDDEN
            return _page(Problem(status, "", str(error)))
        except (FreeholdError, Error) as error:
            page = self.process_exception(request, error)
            if page is None:
                raise
            return page
        return acting(tenant=tenant, actor=actor)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The page of a typed error; others go on to Django."""
        if not isinstance(error, FreeholdError | Error):
            return None
        problem = problem_of(error, debug=settings.DEBUG)
        if problem is None:
            return None
        log(problem, error)
        return _page(problem)


def _identify() -> Identify:
    try:
        given = settings.FREEHOLD_SCOPE
    except AttributeError as error:
        hint = "Set FREEHOLD_SCOPE to a function of the request that gives (tenant, actor)."
        raise ImproperlyConfigured(hint) from error
    found: Identify = import_string(given) if isinstance(given, str) else given
    return found


def _page(problem: Problem) -> HttpResponse:
    return JsonResponse(problem.document(), status=problem.status, content_type=MEDIA_TYPE, headers=problem.headers())
