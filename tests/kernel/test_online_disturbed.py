"""A column that takes its values in batches, and what comes in between: hands, a second apply, a lost connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Backfill, Extra
from freehold.errors import ApplyBusy, ConnectionLost, DeclarationError, FreeholdError
from freehold.events import Event, Progress
from freehold.kernel.compile import Declared
from freehold.kernel.objects import Extension
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer
from tests.kernel.test_online import ALWAYS, ROWS, contract, filled, live, metadata, one, settle, widened

__all__ = ["live"]
Connection = psycopg.Connection[Any]
HANDS = {
    "the column goes": "ALTER TABLE shop.customer DROP COLUMN {column} CASCADE",
    "the trigger goes": "DROP TRIGGER {trigger} ON shop.customer",
    "the function goes": "DROP FUNCTION freehold_coming.{trigger} CASCADE",
    "another type": "ALTER TABLE shop.customer ALTER {column} TYPE text USING {column}::text",
    "a trigger of their own": "CREATE TRIGGER own BEFORE UPDATE ON shop.customer FOR EACH ROW "
    "EXECUTE FUNCTION suppress_redundant_updates_trigger()",
}


def at_batch(number: int, act: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that acts once, when so many batches are done."""
    seen = [0]

    def listen(event: Event) -> None:
        seen[0] += isinstance(event, Progress)
        if seen[0] == number:
            seen[0] += 1
            act()

    return listen


def nullable() -> Declared:
    """Another type of a column that may be empty, so that no check would see a value that is missing."""
    return layer(metadata(sa.Column("score", sa.BigInteger)))


def names(connection: Connection) -> dict[str, str]:
    """The trigger of the change, and the column that it writes."""
    trigger = one(connection, "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'zz\\_freehold\\_%'")
    column = one(
        connection,
        "SELECT attname FROM pg_attribute WHERE attrelid = 'shop.customer'::regclass AND NOT attisdropped "
        "ORDER BY attnum DESC LIMIT 1",
    )
    return {"trigger": f'"{trigger}"', "column": f'"{column}"'}


@pytest.mark.parametrize("hand", HANDS.values(), ids=HANDS.keys())
@pytest.mark.parametrize("change", [nullable, filled], ids=["retyped", "filled"])
def test_a_hand_in_between(
    live: Connection, database: Database, change: Callable[[], Declared], hand: str
) -> None:
    """Told or harmless; the application goes on, nothing is lost, and the same command comes to its end."""
    apply_layer(live, layer(metadata(sa.Column("score", sa.Integer))))
    live.execute("UPDATE shop.customer SET score = id")
    declared = change() if change is nullable else with_score()

    def meddle() -> None:
        with database.connect(autocommit=True) as other:
            other.execute(hand.format(**names(other)).encode())
            if "DROP COLUMN" in hand:  # a trigger that writes it would refuse every row
                other.execute("DROP TRIGGER {trigger} ON shop.customer".format(**names_left(other)).encode())
            other.execute("UPDATE shop.customer SET score = score + 100000 WHERE id < 400")
            other.execute("INSERT INTO shop.customer (mail, score) VALUES ('late', 7)")

    for attempt in range(4):
        try:
            apply_layer(live, declared, budget=ALWAYS, data_loss=True, listener=at_batch(2, meddle) if not attempt else ignore)
        except FreeholdError as error:
            assert error.code
            assert error.hint
        else:
            break
    else:
        pytest.fail(f"{error}")
    assert one(live, "SELECT count(*) FROM shop.customer WHERE score = id + 100000") == 399
    assert one(live, "SELECT score FROM shop.customer WHERE mail = 'late'") == 7
