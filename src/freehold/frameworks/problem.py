"""Errors as HTTP problem details (RFC 9457): one table says which status, and whose fault it was."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import psycopg

from freehold import errors
from freehold.errors import FreeholdError
from freehold.runtime.faults import Faults
from freehold.runtime.scope import current
from freehold.servers.faults import translate

MEDIA_TYPE = "application/problem+json"
REQUEST_ID = "X-Request-ID"
RETRY_AFTER = 1
"""Seconds; what can be tried again fails for moments, not minutes."""
CLASSES = {4: "Client Error", 5: "Server Error"}
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:/=+-]{1,200}")

STATUSES: Mapping[type[FreeholdError], HTTPStatus] = {
    FreeholdError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.ServerDown: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooManyConnections: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ServerFull: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ConnectionLost: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PoolExhausted: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TransactionAborted: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.PlanChanged: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ReplicaError: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ReportStale: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.RowRefused: HTTPStatus.FORBIDDEN,
    errors.UniqueViolated: HTTPStatus.CONFLICT,
    errors.ForeignKeyViolated: HTTPStatus.CONFLICT,
    errors.ExclusionViolated: HTTPStatus.CONFLICT,
    errors.RowHeld: HTTPStatus.CONFLICT,
    errors.KeyChanged: HTTPStatus.CONFLICT,
    errors.TransitionRefused: HTTPStatus.CONFLICT,
    errors.LimitReached: HTTPStatus.CONFLICT,
    errors.DataRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.PositionInvalid: HTTPStatus.BAD_REQUEST,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.OutcomeKeyInvalid: HTTPStatus.BAD_REQUEST,
    errors.OutcomeAborted: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutcomeLost: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.OutcomeTaken: HTTPStatus.SERVICE_UNAVAILABLE,
}
"""By class; a class that is not here has the status of its nearest base.

A missing grant and a value that the application itself gave (``InputError``) are no fault of the client's.
"""


@dataclass(frozen=True, slots=True)
class Problem:
    """One problem, of the type ``about:blank``: its title is the status's phrase, and ``code`` tells the kind."""

    status: int
    code: str
    detail: str = ""
    hint: str = ""
    members: Mapping[str, Any] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """The JSON object."""
        found = {
            "title": phrase(self.status),
            "status": int(self.status),
            "detail": self.detail,
            "code": self.code,
            "hint": self.hint,
            "request_id": current().request_id,
            **self.members,
        }
        return {name: value for name, value in found.items() if value != ""}

    def headers(self) -> dict[str, str]:
        """When to come again, where that may help."""
        return {"Retry-After": str(RETRY_AFTER)} if self.status == HTTPStatus.SERVICE_UNAVAILABLE else {}


def phrase(status: int) -> str:
    """The name of a status, or of its class where nobody has named it."""
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return CLASSES.get(status // 100, "")


def problem_of(error: BaseException, *, debug: bool = False) -> Problem | None:
    """The problem that an error is to the client, or None where it is none of the database's.

    What the application or its server did wrong (5xx) is told without names of hosts, tables and roles, unless
    ``debug``.
    """
    found = next((each for each in _chain(error) if isinstance(each, FreeholdError)), None)
    if found is not None:
        return _of_freehold(found, debug=debug)
    driver = next((each for each in _chain(error) if isinstance(each, psycopg.Error)), None)
    return _of_freehold(Faults(()).fault(driver) or translate(driver), debug=debug) if driver is not None else None


def log(problem: Problem, error: BaseException) -> None:
    """Write what the client is not told to the log ``freehold.frameworks``."""
    if problem.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        logging.getLogger(__package__).error("%s, request %s", problem.code, current().request_id, exc_info=error)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what it stands for: SQLAlchemy's ``orig`` is psycopg's error, Django's cause is."""
    while error is not None:
        yield error
        original = getattr(error, "orig", None)
        error = original if isinstance(original, BaseException) else error.__cause__


def _of_freehold(error: FreeholdError, *, debug: bool) -> Problem:
    status = _status(error)
    open_ = debug or status < HTTPStatus.INTERNAL_SERVER_ERROR
    detail = ": ".join(part for part in (error.message, error.detail) if part)
    return Problem(
        status,
        error.code,
        detail if open_ else _first_line(error),
        error.hint if open_ or status is HTTPStatus.SERVICE_UNAVAILABLE else "",
        dict(_members(error)),
    )


def _members(error: FreeholdError) -> Iterator[tuple[str, Any]]:
    if isinstance(error, errors.CommitUnknown) and error.token:
        yield "token", error.token
    if isinstance(error, errors.ConstraintViolated):
        yield from (("constraint", error.constraint), ("columns", list(error.columns)))


def _status(error: FreeholdError) -> HTTPStatus:
    scope = current()
    if isinstance(error, errors.ContextMissing) and (not scope.actor or scope.tenant is None):
        # The application asked who acts and for whom, and the request did not say.
        return HTTPStatus.FORBIDDEN
    if isinstance(error, errors.CommitUnknown) and error.token:
        # Under a key the same request may come again, and is then answered by what became of this one.
        return HTTPStatus.SERVICE_UNAVAILABLE
    return next(STATUSES[kind] for kind in type(error).__mro__ if kind in STATUSES)


def _first_line(error: FreeholdError) -> str:
    return (type(error).__doc__ or "").strip().partition("\n")[0]


def invalid_request(errors: Sequence[Any]) -> Problem:
    """The problem of a request that does not have the shape its endpoint asks for."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "request.invalid", members={"errors": errors})


def request_id_of(given: str | None) -> str:
    """The caller's request id where it is one, or a new one."""
    return given if given and _REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
