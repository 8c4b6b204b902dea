"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest
from psycopg import sql

from freehold.kernel.objects import Key

from .conftest import Built
from .layer import broken

T = "shop.line"
KEPT = f"a deleted row of {T} is kept with who and when, and its keys are free at once"
NOWHERE = f"a deleted row of {T} is nowhere in the table"
BACK = f"a deleted row of {T} comes back exactly as it was"
ARMED = f"DELETE and TRUNCATE of {T} fire their triggers"
FOREIGN = [f"another tenant's deleted rows of {T} cannot be {verb}" for verb in ("restored", "forgotten")]


def test_everything_holds_on_a_fresh_layer(built: Built) -> None:
    assert broken(built.connection, built.layer.declared) == []


@pytest.mark.parametrize("verb", ["move", "refuse"])
def test_a_disabled_trigger(built: Built, verb: str) -> None:
    switch = "ALTER TABLE shop.line {} TRIGGER freehold_soft_delete_{}"
    built.connection.execute(switch.format("DISABLE", verb).encode())
    found = broken(built.connection, built.layer.declared)
    assert found == ([KEPT, NOWHERE, BACK, ARMED, *FOREIGN] if verb == "move" else [ARMED])
    built.connection.execute(switch.format("ENABLE", verb).encode())
    assert broken(built.connection, built.layer.declared) == []


@pytest.mark.parametrize("right", ["INSERT", "UPDATE", "DELETE", "TRUNCATE"])
def test_a_right_of_the_application_on_deleted_rows(built: Built, right: str) -> None:
    role = sql.Identifier(f"{built.name}_rw")
    built.connection.execute(sql.SQL("GRANT {} ON shop.line_deleted TO {}").format(sql.SQL(right), role))
    assert broken(built.connection, built.layer.declared) == [f"the application cannot {right} deleted rows of {T}"]
    built.connection.execute(sql.SQL("REVOKE {} ON shop.line_deleted FROM {}").format(sql.SQL(right), role))
    assert broken(built.connection, built.layer.declared) == []


@pytest.mark.parametrize(
    ("verb", "old", "new", "expected"),
    [
        ("move", "who, which FROM gone", "'x', which FROM gone", [KEPT, NOWHERE]),
        ("revive", "d.customer_id", "NULL", [BACK]),
        ("forget", "(SELECT freehold.tenant_v1())", "d.tenant_id", [FOREIGN[1]]),
        ("restore", "'FH041'", "'P0001'", [FOREIGN[0]]),
    ],
)
def test_a_changed_function(built: Built, verb: str, old: str, new: str, expected: list[str]) -> None:
    arguments = {"move": "", "restore": "bigint"}.get(verb, "bigint[]")
    whole = built.layer.declared.objects[Key("function", ("shop", f"{verb}_line_deleted_v1", arguments))]
    text = whole.definition  # type: ignore[attr-defined]
    assert old in text
    built.connection.execute(text.replace(old, new).encode())
    assert [p for p in broken(built.connection, built.layer.declared) if T in p] == expected
    built.connection.execute(text.encode())
    assert broken(built.connection, built.layer.declared) == []


def test_a_row_that_a_trigger_brings_back(built: Built) -> None:
    built.connection.execute(
        "CREATE FUNCTION shop.undo() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
        " 'BEGIN INSERT INTO shop.line SELECT (old).*; RETURN NULL; END';"
        "CREATE TRIGGER undo AFTER DELETE ON shop.line FOR EACH ROW EXECUTE FUNCTION shop.undo()"
    )
    assert NOWHERE in broken(built.connection, built.layer.declared)
    built.connection.execute("DROP TRIGGER undo ON shop.line")
    assert broken(built.connection, built.layer.declared) == []
