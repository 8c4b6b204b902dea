"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest
from psycopg import sql

from freehold.kernel.objects import Function
from freehold.operations import plan_layer, prove_layer
from tests.rooms.outcomes.conftest import Ground

from .layer import broken

SABOTAGES = [
    ("send_v1", "> 20000 THEN", "> 200000 THEN", {"a payload of more than 20000 bytes is refused"}),
    (
        "send_v1",
        "SELECT COALESCE(c.tenant, '') AS owner, c.actor, c.transaction INTO bound FROM freehold.context_v1() AS c;",
        "SELECT '' AS owner, session_user::text AS actor, pg_catalog.gen_random_uuid() AS transaction INTO bound;",
        {
            "no message is sent without a context",
            "a message names the tenant and the actor of its context",
            "what is not delivered is not purged",
        },
    ),
    ("take_messages_v1", "m.id = (", "0 < (", {"a later message of a key waits for the earlier one"}),
    (
        "take_messages_v1",
        "AND first.delivered_at IS NULL",
        "",
        {"the next message of a key follows a delivered one"},
    ),
    (
        "take_messages_v1",
        "AND m.available_at <= pg_catalog.statement_timestamp()",
        "",
        {"a message in the hands of a relay is not taken"},
    ),
    (
        "take_messages_v1",
        "m.delivered_at IS NULL AND m.dead_at IS NULL\n",
        "m.attempts = 0\n",
        {"a message whose relay is gone is taken again"},
    ),
    (
        "deliver_message_v1",
        "SET delivered_at = pg_catalog.clock_timestamp(), lease = NULL",
        "SET lease = NULL, available_at = '-infinity'",
        {"a delivered message is not taken"},
    ),
    (
        "deliver_message_v1",
        "AND o.lease = $2",
        "",
        {"a relay that lost its lease cannot mark the message"},
    ),
    (
        "purge_messages_v1",
        "WHERE old.created_at < limit_of_time AND old.delivered_at < limit_of_time",
        "",
        {"what is not delivered is not purged"},
    ),
]


def test_everything_holds_on_a_fresh_layer(ground: Ground) -> None:
    found = prove_layer(ground.admin, ground.layer.declared)
    assert [(v.room, v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert len([v for v in found if v.room == "outbox"]) == 20
    assert plan_layer(ground.admin, ground.layer.declared).steps == ()


def test_each_function_sabotaged(ground: Ground) -> None:
    for name, right, wrong, promises in SABOTAGES:
        found = (item for item in ground.layer.declared.objects.values() if item.key.name[:2] == ("freehold", name))
        whole = next(item for item in found if isinstance(item, Function))
        assert right in whole.definition, (name, right)
        ground.admin.execute(whole.definition.replace(right, wrong).encode())
        assert set(broken(ground.admin, ground.layer, "outbox")) == promises, (name, right)
        ground.admin.execute(whole.definition.encode())
    assert broken(ground.admin, ground.layer, "outbox") == []


@pytest.mark.parametrize(
    ("right", "verb"), [("SELECT", "read"), ("INSERT", "write"), ("UPDATE", "change"), ("DELETE", "remove")]
)
def test_a_right_of_the_application_on_the_table(ground: Ground, right: str, verb: str) -> None:
    role = sql.Identifier(f"{ground.layer.name}_rw")
    words = sql.SQL(right if right in {"SELECT", "INSERT"} else f"SELECT, {right}")
    ground.admin.execute(sql.SQL("GRANT {} ON freehold.outbox TO {}").format(words, role))
    assert f"the application cannot {verb} messages by itself" in broken(ground.admin, ground.layer, "outbox")
    ground.admin.execute(sql.SQL("REVOKE {} ON freehold.outbox FROM {}").format(words, role))
    assert broken(ground.admin, ground.layer, "outbox") == []


def test_the_rights_of_a_relay(ground: Ground) -> None:
    role = sql.Identifier(f"{ground.layer.name}_rw")
    names = {
        "take": "take_messages_v1",
        "keep": "renew_messages_v1",
        "mark": "deliver_message_v1",
        "fail": "fail_message_v1",
        "requeue": "requeue_messages_v1",
        "purge": "purge_messages_v1",
    }
    for verb, name in names.items():
        function = sql.Identifier("freehold", name)
        ground.admin.execute(sql.SQL("GRANT EXECUTE ON FUNCTION {} TO {}").format(function, role))
        expected = [f"the application cannot {verb} messages of a relay"]
        assert broken(ground.admin, ground.layer, "outbox") == expected
        ground.admin.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION {} FROM {}").format(function, role))
    assert broken(ground.admin, ground.layer, "outbox") == []
