"""What waits behind a message of its key is set aside, so that a long queue of one key costs the others nothing."""

from __future__ import annotations

from typing import Any

from .conftest import Inbox, Post
from .layer import Connection

DUE = "SELECT array_agg(id ORDER BY id) FROM freehold.outbox WHERE delivered_at IS NULL AND available_at <= now()"
TAKE = "SELECT id, lease FROM freehold.take_messages_v1('{t}', 10, '1 hour')"
DELIVER = "SELECT freehold.deliver_message_v1(%s, %s)"
FAIL = "SELECT freehold.fail_message_v1(%s, %s, 'no', %s)"


def due(post: Post) -> list[int]:
    """The messages that a relay would look at, numbered from 1."""
    row: Any = post.ground.admin.execute(DUE).fetchone()
    return row[0] or []


def take(jobs: Connection) -> list[Any]:
    """What is taken."""
    return jobs.execute(TAKE).fetchall()


def test_messages_behind_one_that_is_delivered_come_one_by_one(post: Post) -> None:
    post.send(*"abcd", key="k")
    post.send("free")
    with post.ground.login("jobs") as jobs:
        first, free = take(jobs)
        assert (first[0], free[0]) == (1, 5)
        assert due(post) == []
        jobs.execute(DELIVER, first)
        assert due(post) == [2]
        post.send("later", key="k")
        assert due(post) == [2, 6]
        [second] = take(jobs)
        assert (second[0], due(post)) == (2, [])


def test_messages_behind_one_that_failed_wait_with_it(post: Post) -> None:
    post.send(*"abc", key="k")
    post.send("other", key="other")
    with post.ground.login("jobs") as jobs:
        first, other = take(jobs)
        jobs.execute(FAIL, (*first, "1 hour"))
        jobs.execute(DELIVER, other)
        assert due(post) == []
        post.ground.admin.execute("UPDATE freehold.outbox SET available_at = now() WHERE id = 1")
        [again] = take(jobs)
        assert again[0] == 1
        jobs.execute(FAIL, (*again, None))
        assert due(post)[-2:] == [2, 3]
        assert [taken[0] for taken in take(jobs)] == [2]


def test_a_long_queue_of_one_key_is_worked_off(post: Post) -> None:
    post.send(*map(str, range(400)), key="k")
    inbox = Inbox()
    assert post.relay(inbox).run_once() == 400
    assert inbox.payloads == [str(number) for number in range(400)]
