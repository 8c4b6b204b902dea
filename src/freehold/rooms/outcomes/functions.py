"""The functions of the room: the only way in which anybody reaches an outcome."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.names import Sql, literal, trusted
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.outcomes.declare import Outcomes

PACKAGE = __package__ or ""
SCHEMA = "freehold"
READERS = ("ro", "auditor", "monitor", "jobs")
"""The purposes of the logins that may ask where the server is, beside the application."""


@dataclass(frozen=True)
class Made:
    """A function, the purpose of the role that owns it, and of those that may execute it."""

    function: Function
    owner: str
    executed_by: tuple[str, ...]


def outcome_functions(declaration: Outcomes) -> Iterator[Made]:
    """Claim, record and resolve for the application; forget for an operator; the server's position for everybody."""
    owner = Sql(read_sql(PACKAGE, "owner").rstrip())
    largest = trusted(str(declaration.largest_result))
    yield _application("claim_outcome_v1", "text", fill(PACKAGE, "create_claim_outcome", owner=owner))
    record = fill(PACKAGE, "create_record_outcome", owner=owner, largest=largest)
    yield _application("record_outcome_v1", "text, bytea, jsonb, integer", record)
    yield _application("resolve_outcome_v1", "text", fill(PACKAGE, "create_resolve_outcome", owner=owner))
    forget = fill(PACKAGE, "create_forget_outcomes", keep=literal(declaration.keep))
    why = f"removes outcomes older than {declaration.keep}"
    yield Made(_function("forget_outcomes_v1", "bigint", forget, why, callers=("jobs",)), "definer", ("owner",))
    why = "tells where the server is in its log, so that a reader knows what it has not seen yet"
    position = _function("position_v1", "", fill(PACKAGE, "create_position"), why, callers=READERS)
    yield Made(position, "observer", ("rw", "definer"))


def _application(name: str, arguments: str, definition: Sql) -> Made:
    why = "settles what became of a keyed transaction, under the verified context"
    return Made(_function(name, arguments, definition, why, callers=("jobs",)), "definer", ("rw",))


def _function(name: str, arguments: str, definition: Sql, reason: str, callers: tuple[str, ...] = ()) -> Function:
    return Function(
        schema=SCHEMA,
        function=name,
        arguments=arguments,
        definition=definition,
        definer=True,
        settings=PINNED,
        callers=callers,
        reason=reason,
        after=(Key("schema", (SCHEMA,)),),
    )
