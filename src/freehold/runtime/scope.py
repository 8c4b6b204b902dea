"""Who acts, for whose rows, under which request: what every call below may take for granted."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, replace
from enum import Enum
from types import TracebackType
from typing import Any, Final, Literal


class Unset(Enum):
    """Stands where nothing was given, since None means "no tenant"."""

    UNSET = "unset"


UNSET: Final = Unset.UNSET
Given = Literal[Unset.UNSET]


@dataclass(frozen=True, slots=True)
class Scope:
    """What a transaction takes where it is not told otherwise."""

    tenant: Any = None
    actor: str = ""
    request_id: str = ""


NOBODY = Scope()

_scope: ContextVar[Scope] = ContextVar("freehold_scope", default=NOBODY)


def current() -> Scope:
    """The scope of this task or thread; an empty one outside :class:`acting`."""
    return _scope.get()


class acting:
    """Name tenant, actor and request for every transaction inside the block.

    What is not given stays as the block around it has it; ``tenant=None`` says that there is no tenant. It holds for
    the task or thread that enters it and for tasks started inside; a thread started inside begins with an empty scope.

    >>> with acting(tenant="t1", actor="ana"):
    ...     with acting(actor="ben"):
    ...         current().tenant, current().actor
    ('t1', 'ben')
    """

    def __init__(self, *, tenant: Any = UNSET, actor: str | Given = UNSET, request_id: str | Given = UNSET) -> None:
        named = {"tenant": tenant, "actor": actor, "request_id": request_id}
        self._given = {name: value for name, value in named.items() if value is not UNSET}
        self._before: list[Scope] = []

    def __enter__(self) -> Scope:
        before = current()
        self._before.append(before)
        scope = replace(before, **self._given)
        _scope.set(scope)
        return scope

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # Not a token's reset(): frameworks enter and leave in different copies of one context (asgiref does).
        _scope.set(self._before.pop())

    async def __aenter__(self) -> Scope:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)
