"""A column that takes its values in batches, and what comes in between: hands, a second apply, a lost connection."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Backfill, Extra, Rename
from freehold.errors import ApplyBusy, ConnectionLost, DeclarationError, FreeholdError, StepFailed
from freehold.events import Event, Progress, StepApplied, ignore
from freehold.kernel.compile import Declared
from freehold.kernel.objects import Extension
from freehold.operations import apply_layer, plan_layer
from freehold.testing.database import Database
from tests.kernel.sample import layer
from tests.kernel.test_online import ALWAYS, ROWS, metadata, one, settle

Connection = psycopg.Connection[Any]
WRITES = (
    "UPDATE shop.customer SET score = score + 100000 WHERE id < 400",
    "INSERT INTO shop.customer (mail, score) VALUES ('late', 7)",
)
COLUMN = "ALTER TABLE shop.customer DROP COLUMN {column} CASCADE"
TRIGGER = "DROP TRIGGER {trigger} ON shop.customer"
HANDS = {
    "the trigger goes": (TRIGGER,),
    "the function goes": ("DROP FUNCTION freehold_coming.{trigger} CASCADE",),
    "the column goes with its trigger": (TRIGGER, COLUMN),
    "the column has another type": ("ALTER TABLE shop.customer ALTER {column} TYPE text USING {column}::text",),
}


def retyped() -> Declared:
    """A column that may be empty, so that no constraint would see a value that is missing."""
    return layer(metadata(sa.Column("score", sa.BigInteger)))


def filled() -> Declared:
    """One more column, which must have a value."""
    data = metadata(sa.Column("score", sa.Integer), sa.Column("domain", sa.Text, nullable=False))
    table = data.tables["shop.customer"]
    return layer(data, Backfill(table, "domain", sa.func.upper(table.c.mail)))


def at_batch(act: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that acts once, when the first batch is done."""
    waiting = [act]

    def listen(event: Event) -> None:
        if waiting and isinstance(event, Progress):
            waiting.pop()()

    return listen


def at_step(title: str, act: Callable[[], object]) -> Callable[[Event], None]:
    """A listener that acts when a step has ended."""

    def listen(event: Event) -> None:
        if isinstance(event, StepApplied) and event.title.startswith(title):
            act()

    return listen


@pytest.fixture
def live(database: Database) -> Iterator[Connection]:
    """Customers with a score each."""
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(metadata(sa.Column("score", sa.Integer))))
        rows = "INSERT INTO shop.customer (mail, score) SELECT 'c' || i, i FROM generate_series(1, %s) AS i"
        connection.execute(rows, (ROWS,))
        yield connection


def nothing_lost(connection: Connection) -> None:
    """What the application wrote meanwhile is there."""
    assert one(connection, "SELECT count(*) FROM shop.customer") == ROWS + 1
    assert one(connection, "SELECT count(*) FROM shop.customer WHERE score = id + 100000") == 399
    assert one(connection, "SELECT score FROM shop.customer WHERE mail = 'late'") == 7


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
@pytest.mark.parametrize("change", [retyped, filled], ids=["retyped", "filled"])
def test_hands_in_between(
    live: Connection, database: Database, change: Callable[[], Declared], hand: tuple[str, ...]
) -> None:
    """Told, or harmless: the application writes on, nothing of it is lost, and the same command comes to its end."""
    declared, told = change(), []

    def meddle() -> None:
        with database.connect(autocommit=True) as other:
            found = names(other)
            for statement in (*(text.format(**found) for text in hand), *WRITES):
                other.execute(statement.encode())

    listener = at_batch(meddle)
    for _ in range(3):
        try:
            apply_layer(live, declared, budget=ALWAYS, data_loss=True, listener=listener)
        except FreeholdError as error:
            told.append(error)
        nothing_lost(live)
    for contracts in (False, True):
        apply_layer(live, declared, budget=ALWAYS, data_loss=True, contract=contracts)
    nothing_lost(live)
    assert plan_layer(live, declared, budget=ALWAYS).steps == ()
    assert all(error.hint for error in told)


def test_a_second_apply_in_between(live: Connection, database: Database) -> None:
    told: list[str] = []

    def second() -> None:
        with database.connect(autocommit=True) as other, pytest.raises(ApplyBusy) as caught:
            apply_layer(other, filled(), budget=ALWAYS)
        told.append(caught.value.code)
        with database.connect(autocommit=True) as other:
            for statement in WRITES:
                other.execute(statement.encode())

    apply_layer(live, retyped(), budget=ALWAYS, listener=at_batch(second))
    assert told == ["apply.busy"]
    nothing_lost(live)
    settle(live, retyped())


@pytest.mark.parametrize("change", [retyped, filled], ids=["retyped", "filled"])
def test_a_connection_lost_in_between(live: Connection, database: Database, change: Callable[[], Declared]) -> None:
    def cut() -> None:
        with database.connect(autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (live.info.backend_pid,))

    with pytest.raises(ConnectionLost):
        apply_layer(live, change(), budget=ALWAYS, listener=at_batch(cut))
    with database.connect(autocommit=True) as again:
        for statement in WRITES:
            again.execute(statement.encode())
        settle(again, change())
        nothing_lost(again)


def test_an_extension_that_the_server_lacks(live: Connection) -> None:
    """Nothing is half done, though the declaration changes a column too."""
    data = metadata(sa.Column("score", sa.BigInteger))
    with pytest.raises(DeclarationError, match="extension no_such_thing") as caught:
        apply_layer(live, layer(data, Extra(Extension(extension="no_such_thing"))), budget=ALWAYS)
    assert caught.value.hint
    assert one(live, "SELECT count(*) FROM freehold.applied_plan") == 1
    settle(live, retyped())


@pytest.mark.parametrize("moment", ["before the contraction", "between its steps"])
def test_a_mirror_that_goes_loses_nothing(live: Connection, moment: str) -> None:
    """Which side is newer cannot be known, so that both stay until somebody says."""
    data = metadata(sa.Column("score", sa.Integer), mail="email")
    declared = layer(data, Rename(data.tables["shop.customer"], column="email", was="mail"))
    apply_layer(live, declared, budget=ALWAYS)
    trigger = one(live, "SELECT tgname FROM pg_trigger WHERE tgname LIKE 'zz\\_freehold\\_%'")

    def by_hand() -> None:
        live.execute(f'DROP TRIGGER "{trigger}" ON shop.customer'.encode())
        live.execute("UPDATE shop.customer SET mail = 'newer' WHERE id = 5")

    if moment == "before the contraction":
        by_hand()
    listener = ignore if moment == "before the contraction" else at_step("compare both names", by_hand)
    with pytest.raises(StepFailed):
        apply_layer(live, declared, budget=ALWAYS, contract=True, listener=listener)
    with pytest.raises(StepFailed):
        apply_layer(live, declared, budget=ALWAYS, contract=True)
    live.execute("UPDATE shop.customer SET email = mail WHERE email <> mail")
    apply_layer(live, declared, budget=ALWAYS, contract=True)
    assert one(live, "SELECT email FROM shop.customer WHERE id = 5") == "newer"
    assert plan_layer(live, declared).steps == ()
