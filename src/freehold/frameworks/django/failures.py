"""Freehold's errors as Django's own: caught as either, with code, detail and hint."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from types import TracebackType
from typing import Any

import psycopg
from django.db.utils import (
    DatabaseError,
    DatabaseErrorWrapper,
    DataError,
    IntegrityError,
    OperationalError,
    ProgrammingError,
)

from freehold.errors import (
    CommitUnknown,
    ConstraintViolated,
    DataRefused,
    FreeholdError,
    ServerError,
    StatementFailed,
    TransactionAborted,
)
from freehold.runtime.faults import Faults
from freehold.runtime.link import Link

CLASSES: Mapping[type[FreeholdError], type[DatabaseError]] = {
    ConstraintViolated: IntegrityError,
    DataRefused: DataError,
    ServerError: OperationalError,
    TransactionAborted: OperationalError,
    CommitUnknown: OperationalError,
    StatementFailed: ProgrammingError,
}
"""The first that fits, else ``DatabaseError``."""


class ErrorWrapper(DatabaseErrorWrapper):
    """Django's translation of driver errors, with Freehold's before it."""

    wrapper: Any

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        found = self._found(error) if isinstance(error, psycopg.Error) else error
        if isinstance(found, FreeholdError) and not isinstance(found, DatabaseError):
            if not isinstance(found, DataRefused):
                # Django looks at the connection, when the request is over, only where this is set.
                self.wrapper.errors_occurred = True
            raise as_django(found) from error
        super().__exit__(kind, error, trace)

    def _found(self, error: psycopg.Error) -> FreeholdError | None:
        faults: Faults = self.wrapper.faults
        link: Link | None = self.wrapper.connection
        return faults.fault(error) if link is None else faults.of(error, link)


def as_django(error: FreeholdError) -> DatabaseError:
    """The error with Django's class beside its own, so that ``atomic`` and callers handle it as they do others."""
    base = next((django for ours, django in CLASSES.items() if isinstance(error, ours)), DatabaseError)
    kind = _both(type(error), base)  # type: ignore[arg-type]  # classes are hashable
    made = kind.__new__(kind, *error.args)
    made.__dict__.update(error.__dict__)
    return made


@cache
def _both(kind: type[FreeholdError], base: type[DatabaseError]) -> type[DatabaseError]:
    # Not of this package: the list of error codes holds the tree's own classes alone.
    return type(kind.__name__, (kind, base), {"__module__": base.__module__, "__doc__": kind.__doc__})
