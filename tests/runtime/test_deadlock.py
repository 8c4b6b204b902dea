"""A deadlock is told with both statements, the order in which each took its tables, and one that both could follow."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold.events import DeadlockMet, Event
from freehold.runtime.context import Backend
from freehold.runtime.deadlock import DeadlockReport, Deadlocks, Tables, ask_beside, numbers_of, report
from freehold.testing.database import Database

METADATA = sa.MetaData(schema="shop")
account = sa.Table("account", METADATA, sa.Column("id", sa.Integer, primary_key=True))
entry = sa.Table(
    "Entry line",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("account", sa.ForeignKey(account.c.id)),
)
TABLES = Tables((account, entry))
FIRST = "UPDATE shop.account SET id = id"
SECOND = 'UPDATE shop."Entry line" SET id = id'


@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("SELECT account.id FROM shop.account FOR UPDATE OF account", ("shop.account",)),
        ('SELECT 1 FROM shop."Entry line" AS e JOIN shop.account ON true', ("shop.Entry line", "shop.account")),
        ('SELECT 1 FROM shop.account, shop."Entry line"', ("shop.account", "shop.Entry line")),
        ("INSERT INTO SHOP . Account (id) VALUES (%(id)s) ON CONFLICT DO UPDATE SET id = 1", ("shop.account",)),
        ("UPDATE account SET note = ' FROM shop.account ' /* FROM shop.x */", ("shop.account",)),
        ("SELECT ' FROM shop.account' -- FROM shop.account", ()),
        ("SELECT $a$ FROM shop.account $a$, account FROM other.account", ()),
    ],
)
def test_tables_are_found_in_statements(statement: str, found: tuple[str, ...]) -> None:
    assert TABLES.named(statement) == found


def test_parents_come_first() -> None:
    assert TABLES.order({"shop.Entry line", "shop.account"}) == ("shop.account", "shop.Entry line")


@pytest.fixture
def ledger(database: Database) -> Database:
    """Two tables of a row each."""
    with database.connect(autocommit=True) as admin:
        admin.execute("CREATE SCHEMA shop")
        admin.execute('CREATE TABLE shop.account (id int); CREATE TABLE shop."Entry line" (id int)')
        admin.execute('INSERT INTO shop.account VALUES (1); INSERT INTO shop."Entry line" VALUES (1)')
    return database


def met(ledger: Database, orders: tuple[list[str], list[str]]) -> tuple[psycopg.Error, int, dict[int, list[str]]]:
    """Two transactions that lock in these orders: the loser's error and backend, and what each has sent."""
    lost: list[tuple[psycopg.Error, int]] = []
    gate = threading.Barrier(2)
    sent: dict[int, list[str]] = {}

    def run(connection: psycopg.Connection[Any], statements: list[str]) -> None:
        log = sent[connection.info.backend_pid] = []
        try:
            for number, statement in enumerate(statements):
                log.append(statement)
                connection.execute(statement.encode())
                if number == 0:
                    gate.wait(10)
            connection.rollback()
        except psycopg.errors.DeadlockDetected as error:
            lost.append((error, connection.info.backend_pid))
            connection.rollback()

    with ledger.connect() as one, ledger.connect() as two:
        threads = [threading.Thread(target=run, args=pair) for pair in zip((one, two), orders, strict=True)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert len(lost) == 1
    return (*lost[0], sent)


def told(ledger: Database, orders: tuple[list[str], list[str]]) -> tuple[DeadlockReport, int]:
    error, pid, sent = met(ledger, orders)
    return report(error, pid, sent, TABLES), pid


def test_both_sides_and_an_order(ledger: Database) -> None:
    found, _ = told(ledger, ([FIRST, SECOND], [SECOND, FIRST]))
    assert {found.statement, found.other_statement} == {FIRST, SECOND}
    assert found.tables == found.other_tables[::-1]
    assert set(found.tables) == {"shop.account", "shop.Entry line"}
    assert found.proposed_order == ("shop.account", "shop.Entry line")
    assert "one order: shop.account, shop.Entry line" in found.advice
    assert found.event().proposed_order == found.proposed_order


def test_rows_of_one_table(ledger: Database) -> None:
    with ledger.connect(autocommit=True) as admin:
        admin.execute("INSERT INTO shop.account VALUES (2)")
    one, two = (f"SELECT 1 FROM shop.account WHERE id = {number} FOR UPDATE" for number in (1, 2))
    found, _ = told(ledger, ([one, two], [two, one]))
    assert found.advice == "Lock the rows of one table in the order of its primary key: shop.account."


def test_the_other_side_in_another_process(ledger: Database) -> None:
    error, pid, sent = met(ledger, ([FIRST, SECOND], [SECOND, FIRST]))
    alone = report(error, pid, {pid: sent[pid]}, TABLES)
    assert (alone.other_statement, alone.other_tables) == ("", ())
    other = next(each for each in sent if each != pid)
    assert {pid, other} <= set(numbers_of(error))


class Sent:
    """A connection of this process, by what it sent."""

    def __init__(self, pid: int, log: list[str]) -> None:
        self.backend = Backend(pid)
        self.log = log


def test_a_process_tells_its_deadlocks(ledger: Database) -> None:
    error, pid, sent = met(ledger, ([FIRST, SECOND], [SECOND, FIRST]))
    told: list[Event] = []
    asked: list[int] = []

    def ask(sender: Sent, pids: Sequence[int], since: float) -> Mapping[int, Sequence[str]]:
        asked.extend(pids)
        return {other: ("UPDATE shop.account SET id = 2",)}

    other = next(each for each in sent if each != pid)
    senders = {each: Sent(each, log) for each, log in sent.items()}
    alone = Deadlocks(TABLES, told.append, ask)
    alone.watch(senders[pid])
    assert alone.tell(error, senders[pid]).other_statement == "UPDATE shop.account SET id = 2"
    assert other in asked
    both = Deadlocks(TABLES, told.append, ask)
    asked.clear()
    for sender in senders.values():
        both.watch(sender)
    assert both.tell(error, senders[pid]).other_statement in {FIRST, SECOND}
    assert asked == []
    assert [type(event) for event in told] == [DeadlockMet, DeadlockMet]


def test_behind_a_pooler_the_own_statements_are_told(ledger: Database) -> None:
    error, pid, sent = met(ledger, ([FIRST, SECOND], [SECOND, FIRST]))
    found = Deadlocks(TABLES, ask=lambda *_: {}).tell(error, Sent(0, sent[pid]))
    assert found.statement == sent[pid][-1]
    assert set(found.tables) == {"shop.account", "shop.Entry line"}


def test_an_event_loop_is_not_held_up_by_a_question(ledger: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    async def ask() -> Mapping[int, Sequence[str]]:
        async with await psycopg.AsyncConnection.connect(ledger.conninfo()) as sender:
            monkeypatch.setattr(psycopg, "connect", lambda *_, **__: pytest.fail("a blocking connection"))
            return ask_beside(sender, [1], 0.0)

    assert asyncio.run(ask()) == {}
