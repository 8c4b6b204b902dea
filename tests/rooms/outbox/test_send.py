"""Messages sent through the application's own way in: session, fast path, and under asyncio."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from freehold import AsyncSession, Database, sql
from freehold.errors import MessageInvalid, MessageTooLarge
from freehold.runtime.outbox import SEND, send, sending
from tests.rooms.outcomes.conftest import RING

from .conftest import Inbox, Post
from .layer import ONE, TWO


@pytest.fixture
def db(post: Post) -> Iterator[Database]:
    found = post.ground.layer.connect(post.url("app_a"), keys=RING)
    yield found
    found.dispose()


def relayed(post: Post) -> list[tuple[str, str | None, Any]]:
    inbox = Inbox()
    post.relay(inbox).run_once()
    return [(message.owner, message.key, message.payload) for message in inbox.taken]


def test_a_session_sends(post: Post, db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ana") as session:
        assert send(session, "t", {"id": 1, "name": "☃"}, key="k") > 0
        send(session, "t", None)
    with db.transaction(tenant=None, actor="night") as session:
        send(session, "t", [1.5])
    found = relayed(post)
    assert len(found) == 3
    for expected in (("", None, [1.5]), (str(ONE), "k", {"id": 1, "name": "☃"}), (str(ONE), None, None)):
        assert expected in found


def test_a_rollback_and_a_savepoint_send_nothing(post: Post, db: Database) -> None:
    with pytest.raises(ZeroDivisionError), db.transaction(tenant=ONE, actor="ana") as session:
        send(session, "t", "never")
        raise ZeroDivisionError
    with db.transaction(tenant=ONE, actor="ana") as session:
        with pytest.raises(ZeroDivisionError), session.begin_nested():
            send(session, "t", "never")
            raise ZeroDivisionError
        send(session, "t", "sent")
    assert [payload for _, _, payload in relayed(post)] == ["sent"]


def test_the_fast_path_sends(post: Post, db: Database) -> None:
    with db.core(tenant=TWO, actor="ana") as tx:
        tx.execute(SEND, sending("t", {"a": 1}, "k")).one()
    assert relayed(post) == [(str(TWO), "k", {"a": 1})]


def test_a_run_that_is_repeated_sends_once(post: Post, db: Database) -> None:
    attempts: list[int] = []

    def work(session: Any) -> None:
        attempts.append(1)
        send(session, "t", len(attempts))
        if len(attempts) == 1:
            session.psycopg().cursor().execute("DO $$BEGIN RAISE EXCEPTION 'again' USING ERRCODE = '40001'; END$$")

    db.run(work, tenant=ONE, actor="ana")
    assert [payload for _, _, payload in relayed(post)] == [2]


@pytest.mark.parametrize(
    ("topic", "payload", "key", "kind"),
    [
        ("", "a", None, MessageInvalid),
        ("t" * 256, "a", None, MessageInvalid),
        ("t", "a", "", MessageInvalid),
        ("t", "a", "k" * 513, MessageInvalid),
        ("t", "a" * 20000, None, MessageTooLarge),
    ],
)
def test_what_cannot_be_sent_is_refused(db: Database, topic: str, payload: str, key: str | None, kind: Any) -> None:
    with pytest.raises(kind) as caught, db.transaction(tenant=ONE, actor="ana") as session:
        send(session, topic, payload, key)
    assert caught.value.hint


def test_asyncio(post: Post) -> None:
    async def run() -> None:
        db = await post.ground.layer.connect_async(post.url("app_a"), keys=RING)
        async with db.transaction(tenant=ONE, actor="ana") as session:
            assert isinstance(session, AsyncSession)
            await session.run_sync(lambda plain: send(plain, "t", "a"))
        await db.dispose()

    asyncio.run(run())
    assert [payload for _, _, payload in relayed(post)] == ["a"]


def test_a_key_is_no_lock_of_the_applications(post: Post, db: Database) -> None:
    with db.transaction(tenant=ONE, actor="ana") as holder:
        assert holder.lock("k")
        with db.transaction(tenant=ONE, actor="ben") as session:
            session.execute(sql("SET LOCAL lock_timeout = '1s'"))
            assert send(session, "t", {}, key="k") > 0
