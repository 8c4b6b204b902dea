"""A context that is forged, cut, expired or another's shows no row and writes none, in SQL as through the way in."""

from __future__ import annotations

import string
import time
from collections.abc import Callable, Iterator
from typing import Any, LiteralString

import psycopg
import pytest
from psycopg import sql

from freehold import Database
from freehold.errors import ContextError, ContextExpired, ContextForged, ContextMissing, ContextReplayed
from freehold.runtime import Context, Key, KeyRing
from freehold.runtime.context import Backend, sign
from freehold.runtime.literal import sql as literal
from freehold.servers import translate
from tests.bad_input.ground import ONE, PASSWORD, TWO, Ground

Connection = psycopg.Connection[Any]
DELETE = sql.SQL("DELETE FROM {}.invoice")
COUNT = sql.SQL("SELECT count(*) FROM {}.invoice")
BIND = "SELECT set_config('freehold.context', %s, true)"
STATEMENTS: tuple[LiteralString, ...] = (
    "SELECT * FROM {}.customer",
    "INSERT INTO {}.customer (tenant_id, name) VALUES ('" + TWO + "', 'intruder')",
    "UPDATE {}.customer SET name = 'intruder'",
    "DELETE FROM {}.invoice",
    "SELECT freehold.tenant_v1(), freehold.actor_v1()",
)


@pytest.fixture
def application(ground: Ground) -> Iterator[Connection]:
    """A raw connection as the application."""
    with ground.database.connect(user=f"{ground.name}_app_a", password=PASSWORD) as connection:
        yield connection


def held(ground: Ground) -> Key:
    """The key that signs."""
    return KeyRing.read(ground.keys).signing


def good(ground: Ground, connection: Connection, tenant: str = ONE) -> str:
    """A context that is valid on this connection."""
    return sign(held(ground), Context(tenant, "ada"), Backend(connection.info.backend_pid))


def refused(ground: Ground, connection: Connection, token: str | None, statement: LiteralString) -> ContextError:
    """The typed error of a statement under a bad context."""
    query = sql.SQL(statement).format(sql.Identifier(ground.name))
    with pytest.raises(psycopg.Error) as caught, connection.transaction():
        connection.execute(BIND, (token,))
        connection.execute(query)
    error = translate(caught.value)
    assert isinstance(error, ContextError), error
    assert error.hint
    return error


def test_a_good_one_is_taken(ground: Ground, application: Connection) -> None:
    with application.transaction():
        application.execute(BIND, (good(ground, application),))
        found = application.execute(sql.SQL("SELECT count(*) FROM {}.customer").format(sql.Identifier(ground.name)))
        assert found.fetchone() == (3,)


def test_every_statement_refuses_every_bad_context(ground: Ground, application: Connection) -> None:
    before = ground.contents()
    key, now, pid = held(ground), time.time(), Backend(application.info.backend_pid)
    whole = good(ground, application)
    bad = {
        None: ContextMissing,
        "": ContextMissing,
        TWO: ContextForged,
        whole[: len(whole) // 2]: ContextForged,
        sign(Key(key.key_id, bytes(64)), Context(TWO, "eve"), pid): ContextForged,
        sign(Key("unknown", key.secret), Context(TWO, "eve"), pid): ContextForged,
        sign(key, Context(ONE, "ada"), pid, now=now - 3600): ContextExpired,
        sign(key, Context(ONE, "ada"), pid, now=now + 3600): ContextExpired,
        sign(key, Context(ONE, "ada"), Backend(1)): ContextReplayed,
    }
    for statement in STATEMENTS:
        for token, kind in bad.items():
            assert type(refused(ground, application, token, statement)) is kind, (statement, token)
    assert ground.contents() == before


def test_no_truncation_is_taken(ground: Ground, application: Connection) -> None:
    token = good(ground, application)
    for length in range(1, len(token)):
        error = refused(ground, application, token[:length], STATEMENTS[0])
        assert type(error) is ContextForged, token[:length]


def test_no_change_of_one_character_is_taken(ground: Ground, application: Connection) -> None:
    token = good(ground, application)
    for at, was in enumerate(token):
        for sign_ in {"0", "A", "|", " ", "=", string.ascii_letters[at % 52]} - {was}:
            error = refused(ground, application, token[:at] + sign_ + token[at + 1 :], STATEMENTS[0])
            assert type(error) is ContextForged, (at, sign_)


def test_one_that_was_seen_serves_no_other_connection(
    ground: Ground, connect: Callable[..., Database], application: Connection
) -> None:
    """While its transaction runs, after it, and on any connection but its own."""
    with connect().transaction(tenant=TWO, actor="bob") as session:
        seen = str(session.scalar(literal("SELECT current_setting('freehold.context')")))
        assert type(refused(ground, application, seen, STATEMENTS[0])) is ContextReplayed
    assert type(refused(ground, application, seen, STATEMENTS[1])) is ContextReplayed


def test_the_way_in_refuses_too(ground: Ground, connect: Callable[..., Database]) -> None:
    db = connect(lifetime=0.3)
    with pytest.raises(ContextForged), db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(literal(sql.SQL("SELECT set_config('freehold.context', {}, true)").format(TWO)))
        session.execute(literal(DELETE.format(sql.Identifier(ground.name))))
    with pytest.raises(ContextMissing), db.transaction(actor="ada") as session:
        session.execute(literal(DELETE.format(sql.Identifier(ground.name))))
    with pytest.raises(ContextExpired), db.transaction(tenant=ONE, actor="ada") as session:
        kept = session.scalar(literal("SELECT current_setting('freehold.context')"))
        time.sleep(0.4)
        session.psycopg().execute(b"ROLLBACK; BEGIN")
        session.psycopg().execute("SELECT set_config('freehold.context', %s, true)", (kept,))
        session.psycopg().execute(DELETE.format(sql.Identifier(ground.name)))
    assert ground.ask("SELECT count(*) FROM {layer}.invoice") == [(6,)]
    with db.transaction(tenant=ONE, actor="ada") as session:
        assert session.scalar(literal(COUNT.format(sql.Identifier(ground.name)))) == 3


def test_a_retired_key_signs_nothing_more(ground: Ground, connect: Callable[..., Database]) -> None:
    old = held(ground).key_id
    db = connect()
    assert ground.command("keys", "rotate").status == 0
    assert ground.command("keys", "retire", old).status == 0
    with pytest.raises(ContextForged), db.transaction(tenant=ONE, actor="ada") as session:
        session.execute(literal(DELETE.format(sql.Identifier(ground.name))))
    assert ground.ask("SELECT count(*) FROM {layer}.invoice") == [(6,)]
