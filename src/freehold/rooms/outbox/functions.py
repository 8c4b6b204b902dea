"""The functions of the room: the application sends, and the jobs login relays."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.names import Sql, literal, trusted
from freehold.kernel.objects import Function, Key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill, read_sql
from freehold.rooms.outbox.declare import Outbox

PACKAGE = __package__ or ""
SCHEMA = "freehold"


@dataclass(frozen=True)
class Made:
    """A function, and the purpose of the role that executes it beside the jobs login; empty for none."""

    function: Function
    executed_by: str = ""


def outbox_functions(declaration: Outbox) -> Iterator[Made]:
    """Send for the application; take, renew, deliver and fail for a relay; requeue and purge for an operator too."""
    send = fill(
        PACKAGE,
        "create_send",
        largest=trusted(str(declaration.largest_payload)),
        wake=Sql(read_sql(PACKAGE, "wake").rstrip()) if declaration.wake else Sql(""),
    )
    yield Made(_function("send_v1", "text, text, jsonb", send, "writes a message of the running transaction"), "rw")
    relay = "delivers messages once their transaction committed"
    for name, arguments in (
        ("take_messages", "text[], integer, interval"),
        ("renew_messages", "bigint[], uuid[], interval"),
        ("deliver_message", "bigint, uuid"),
        ("fail_message", "bigint, uuid, text, interval"),
    ):
        yield Made(_function(f"{name}_v1", arguments, fill(PACKAGE, f"create_{name}"), relay))
    requeue = fill(PACKAGE, "create_requeue_messages")
    yield Made(_function("requeue_messages_v1", "text[], bigint[]", requeue, "gives dead letters another try"), "owner")
    purge = fill(PACKAGE, "create_purge_messages", keep=literal(declaration.keep))
    why = f"removes messages that were delivered {declaration.keep} ago"
    yield Made(_function("purge_messages_v1", "bigint", purge, why), "owner")


def _function(name: str, arguments: str, definition: Sql, reason: str) -> Function:
    return Function(
        schema=SCHEMA,
        function=name,
        arguments=arguments,
        definition=definition,
        definer=True,
        settings=PINNED,
        callers=("jobs",),
        reason=reason,
        after=(Key("schema", (SCHEMA,)),),
    )
