"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import psycopg
import pytest
from psycopg import sql

from freehold.kernel.objects import Function, Key
from freehold.operations import plan_layer, prove_layer

from .conftest import Ground
from .layer import broken

RESULT = "RETURNS TABLE (state text, request_hash bytea, result jsonb, epoch integer)"
HEAD = "LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS"
NOT_OWNED = (
    f"CREATE OR REPLACE FUNCTION freehold.claim_outcome_v1(key text) {RESULT} {HEAD}"
    " $$SELECT o.state, o.request_hash, o.result, o.epoch FROM freehold.outcome o WHERE o.key = $1$$"
)
SHARED = (
    f"CREATE OR REPLACE FUNCTION freehold.resolve_outcome_v1(key text) {RESULT} {HEAD}"
    " $$SELECT o.state, o.request_hash, o.result, o.epoch FROM freehold.outcome o WHERE o.key = $1$$"
)
OVERWRITES = (
    "CREATE OR REPLACE FUNCTION freehold.record_outcome_v1(key text, request_hash bytea, result jsonb,"
    f" epoch integer DEFAULT 0) RETURNS void {HEAD}"
    " $$INSERT INTO freehold.outcome (owner, key, state, actor, transaction, result)"
    " SELECT coalesce(c.tenant, ''), $1, 'committed', c.actor, c.transaction, $3 FROM freehold.context_v1() c"
    " ON CONFLICT (owner, key) DO UPDATE SET state = 'committed'$$"
)
FORGETS_ALL = (
    "CREATE OR REPLACE FUNCTION freehold.forget_outcomes_v1(batch bigint) RETURNS bigint"
    f" {HEAD} $$WITH gone AS (DELETE FROM freehold.outcome RETURNING 1) SELECT count(*) FROM gone$$"
)
LIES = (
    "CREATE OR REPLACE FUNCTION freehold.position_v1(OUT system_identifier bigint, OUT timeline integer,"
    f" OUT lsn pg_lsn, OUT in_recovery boolean, OUT streaming boolean) RETURNS record {HEAD}"
    " $$SELECT 1::bigint, 1, '1/1'::pg_lsn, false, false$$"
)
SABOTAGES = {
    "claim_outcome_v1": (
        NOT_OWNED,
        {"no key is claimed without a context", "an outcome of another tenant is not seen"},
    ),
    "resolve_outcome_v1": (
        SHARED,
        {"a key that another tenant uses is free", "what was declared aborted never commits"},
    ),
    "record_outcome_v1": (
        OVERWRITES,
        {
            "a recorded outcome is not written again",
            "what was declared aborted never commits",
            "a result of more than 100 bytes is refused",
        },
    ),
    "forget_outcomes_v1": (FORGETS_ALL, {"an outcome is kept for its time"}),
    "position_v1": (LIES, {"the application learns the server's position"}),
}


def test_everything_holds_on_a_fresh_layer(ground: Ground) -> None:
    found = prove_layer(ground.admin, ground.layer.declared)
    assert [(v.room, v.promise, v.detail) for v in found if v.verdict != "held"] == []
    assert len([v for v in found if v.room == "outcomes"]) == 14
    assert plan_layer(ground.admin, ground.layer.declared).steps == ()


def test_each_function_gutted(ground: Ground) -> None:
    for function, (sabotage, promises) in SABOTAGES.items():
        ground.admin.execute(sabotage.encode())
        assert set(broken(ground.admin, ground.layer)) == promises, function
        found = [item for item in ground.layer.declared.objects.values() if item.key.name[:2] == ("freehold", function)]
        whole = next(item for item in found if isinstance(item, Function))
        ground.admin.execute(whole.definition.encode())
        assert broken(ground.admin, ground.layer) == [], function


@pytest.mark.parametrize(
    ("right", "verb"), [("SELECT", "read"), ("INSERT", "write"), ("UPDATE", "change"), ("DELETE", "remove")]
)
def test_a_right_of_the_application_on_the_table(ground: Ground, right: str, verb: str) -> None:
    role = sql.Identifier(f"{ground.layer.name}_rw")
    # Changing and removing rows reads them too, so that SELECT is given beside.
    words = sql.SQL(right if right in {"SELECT", "INSERT"} else f"SELECT, {right}")
    ground.admin.execute(sql.SQL("GRANT {} ON freehold.outcome TO {}").format(words, role))
    assert f"the application cannot {verb} outcomes by itself" in broken(ground.admin, ground.layer)
    ground.admin.execute(sql.SQL("REVOKE {} ON freehold.outcome FROM {}").format(words, role))
    assert broken(ground.admin, ground.layer) == []


def test_the_application_may_forget(ground: Ground) -> None:
    role = sql.Identifier(f"{ground.layer.name}_rw")
    ground.admin.execute(sql.SQL("GRANT EXECUTE ON FUNCTION freehold.forget_outcomes_v1 TO {}").format(role))
    assert broken(ground.admin, ground.layer) == ["the application cannot forget outcomes"]
    ground.admin.execute(sql.SQL("REVOKE EXECUTE ON FUNCTION freehold.forget_outcomes_v1 FROM {}").format(role))
    assert broken(ground.admin, ground.layer) == []


def test_a_resolver_that_overwrites(ground: Ground) -> None:
    whole = ground.layer.declared.objects[Key("function", ("freehold", "resolve_outcome_v1", "text"))]
    assert isinstance(whole, Function)
    sabotage = whole.definition.replace("SET epoch", "SET state = 'aborted', epoch").replace(
        "WHERE o.state = 'aborted';", ";"
    )
    assert sabotage.count("SET state = 'aborted', epoch") == 1
    ground.admin.execute(sabotage.encode())
    assert broken(ground.admin, ground.layer) == ["a recorded outcome stays when it is resolved"]
    ground.admin.execute(whole.definition.encode())
    assert broken(ground.admin, ground.layer) == []


def test_the_server_refuses_what_the_probes_try(ground: Ground) -> None:
    with ground.login() as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
        connection.execute("SELECT * FROM freehold.outcome")
