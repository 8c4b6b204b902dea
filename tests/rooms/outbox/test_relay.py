"""Relays deliver what committed, in the order of its keys, once as long as nothing breaks."""

from __future__ import annotations

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict

from freehold.errors import InputError, LoginRefused, MessageNotTaken, MessageRefused, PrivilegeMissing
from freehold.events import MessageDead, MessageDelivered, MessageFailed
from freehold.runtime.outbox import Message
from freehold.runtime.relay import Relay
from freehold.runtime.scope import current
from freehold.runtime.targets import Notify
from freehold.runtime.workload import Retry
from tests.rooms.outcomes.test_functions import wait_until_blocked

from .conftest import SEND, Inbox, Post, until
from .layer import ONE, TWO


def test_a_function_gets_what_was_sent(post: Post) -> None:
    inbox = Inbox()
    post.send("a", topic="invoice.paid", key="invoice 1")
    assert post.relay(inbox).run_once() == 1
    [message] = inbox.taken
    assert (message.owner, message.actor, message.topic) == (str(ONE), "ana", "invoice.paid")
    assert (message.key, message.payload, message.attempts) == ("invoice 1", "a", 1)
    assert message.token == f"msg_{message.transaction.hex}_{message.id}"
    [told] = post.events(MessageDelivered)
    assert (told.message_id, told.attempt) == (message.id, 1)
    assert post.states == (1, 1, 0)
    assert post.relay(inbox).run_once() == 0


def test_a_rollback_sends_nothing(post: Post) -> None:
    ground = post.ground
    with ground.login() as connection, pytest.raises(ZeroDivisionError), ground.acting(connection, ONE):
        connection.execute(SEND, ("t", None, "never"))
        raise ZeroDivisionError
    assert post.relay(Inbox()).run_once() == 0
    assert post.states == (0, 0, 0)


def test_the_first_pattern_that_fits_takes_it(post: Post) -> None:
    special, rest = Inbox(), Inbox()
    for topic in ("net_price.new", "netXprice.new", "net_price"):
        post.send(topic, topic=topic)
    assert post.relay({"net_price.*": special, "net*": rest}).run_once() == 3
    assert special.payloads == ["net_price.new"]
    assert rest.payloads == ["netXprice.new", "net_price"]


def test_topics_without_a_target_wait_for_another_relay(post: Post) -> None:
    mine, other = Inbox(), Inbox()
    post.send("a", topic="mine")
    post.send("b", topic="other")
    assert post.relay({"mine": mine}).run_once() == 1
    assert post.relay({"other": other}).run_once() == 1
    assert (mine.payloads, other.payloads) == (["a"], ["b"])


def test_messages_of_a_key_stay_in_order_when_one_fails(post: Post) -> None:
    inbox = Inbox(fails={"2": 2})
    post.send("1", "2", "3", key="k")
    post.send("free")
    post.relay(inbox).run_once()
    assert [p for p in inbox.payloads if p != "free"] == ["1", "2", "3"]
    assert inbox.payloads.index("free") < inbox.payloads.index("2")
    assert [event.attempt for event in post.events(MessageFailed)] == [1, 2]


def test_a_dead_letter_lets_the_next_one_go(post: Post) -> None:
    inbox = Inbox(fails={"1": 99})
    post.send("1", "2", key="k")
    post.relay(inbox).run_once()
    assert inbox.payloads == ["2"]
    [dead] = post.events(MessageDead)
    assert (dead.attempt, dead.error) == (3, "ValueError: not now")
    assert post.states == (2, 1, 1)


def test_what_is_refused_is_a_dead_letter_at_once_and_can_be_requeued(post: Post) -> None:
    inbox = Inbox(fails={"1": 1}, error=MessageRefused("unknown customer"))
    post.send("1")
    assert post.relay(inbox).run_once() == 1
    assert post.states == (1, 0, 1)
    with post.ground.login("jobs") as jobs:
        requeue = "SELECT freehold.requeue_messages_v1(%s, %s)"
        assert jobs.execute(requeue, (["other"], None)).fetchone() == (0,)
        assert jobs.execute(requeue, (["t"], [0])).fetchone() == (0,)
        assert jobs.execute(requeue, (["t"], None)).fetchone() == (1,)
    assert post.relay(inbox).run_once() == 1
    assert (inbox.payloads, post.states) == (["1"], (1, 1, 0))


def test_two_tenants_do_not_share_a_key(post: Post) -> None:
    inbox = Inbox(fails={"one": 99})
    post.send("one", key="k", tenant=ONE)
    post.send("two", key="k", tenant=TWO)
    post.send("nobody", key="k", tenant="")
    post.relay(inbox, draw=lambda: 1.0).run_once()
    assert sorted(inbox.payloads) == ["nobody", "two"]


def test_a_later_sender_of_a_key_waits_for_the_earlier_one(post: Post) -> None:
    ground = post.ground
    with ground.login() as first, ThreadPoolExecutor(1) as pool:
        with ground.acting(first, ONE):
            first.execute(SEND, ("t", "k", "first"))
            second = pool.submit(post.send, "second", key="k")
            wait_until_blocked(ground)
            post.send("other", key="other")
        second.result(10)
    inbox = Inbox()
    post.relay(inbox).run_once()
    assert inbox.payloads.index("first") < inbox.payloads.index("second")


def test_two_relays_share_the_work_and_deliver_each_message_once(post: Post) -> None:
    inboxes = Inbox(), Inbox()
    with post.running(*(post.relay(inbox) for inbox in inboxes)):
        for number in range(60):
            post.send(f"{number} a", f"{number} b", f"{number} c", key=f"k{number % 7}" if number % 2 else None)
        until(lambda: post.states == (180, 180, 0))
    taken = Counter(message.token for inbox in inboxes for message in inbox.taken)
    assert len(taken) == 180
    assert set(taken.values()) == {1}
    assert all(inbox.taken for inbox in inboxes)


def test_a_relay_is_woken_by_the_commit(post: Post) -> None:
    inbox = Inbox()
    with post.running(post.relay(inbox, poll=60.0)):
        post.send("first")
        until(lambda: inbox.payloads == ["first"])
        began = time.monotonic()
        post.send("second")
        until(lambda: len(inbox.payloads) == 2, 10)
        assert time.monotonic() - began < 5


def test_a_long_delivery_keeps_its_lease(post: Post) -> None:
    release, rival = threading.Event(), Inbox()
    slow: list[Message] = []

    def wait(message: Message) -> None:
        slow.append(message)
        release.wait(20)

    post.send("slow")
    with post.running(post.relay(wait, lease=0.5)):
        until(lambda: bool(slow))
        deadline = time.monotonic() + 1.5
        while time.monotonic() < deadline:
            assert post.relay(rival).run_once() == 0
            time.sleep(0.05)
        release.set()
        until(lambda: post.states == (1, 1, 0))
    assert (len(slow), rival.taken) == (1, [])


def test_new_messages_do_not_wait_for_a_slow_one(post: Post) -> None:
    release = threading.Event()
    inbox = Inbox()

    def take(message: Message) -> None:
        if message.payload == "slow":
            release.wait(20)
        inbox(message)

    with post.running(post.relay(take)):
        post.send("slow")
        post.send("quick")
        until(lambda: inbox.payloads == ["quick"])
        release.set()
        until(lambda: post.states == (2, 2, 0))


def test_a_function_acts_for_the_tenant_of_the_message(post: Post) -> None:
    seen: list[Any] = []
    post.send("a")
    post.relay(lambda message: seen.append(current())).run_once()
    assert [(scope.tenant, scope.actor) for scope in seen] == [(str(ONE), "ana")]


def test_a_receiver_that_asks_for_time_gets_it(post: Post) -> None:
    inbox = Inbox(fails={"a": 1}, error=MessageNotTaken("busy", retry_after=7.0))
    post.send("a")
    assert post.relay(inbox, retry=Retry(attempts=3, base=1.0, cap=60.0)).run_once() == 1
    [failed] = post.events(MessageFailed)
    assert failed.wait_seconds == 7.0
    assert post.relay(inbox).run_once() == 0


def test_an_awaitable_is_no_delivery(post: Post) -> None:
    async def later(message: Message) -> None: ...

    made: list[Any] = []

    def deceive(message: Message) -> Any:
        made.append(later(message))
        return made[-1]

    post.send("a")
    post.relay(deceive).run_once()
    for coroutine in made:
        coroutine.close()
    [dead] = post.events(MessageDead)
    assert "awaitable" in dead.error
    with pytest.raises(InputError, match="plain function"):
        post.relay(later)


def test_a_relay_without_a_target_is_refused() -> None:
    with pytest.raises(InputError, match="no target"):
        Relay("postgresql://", {})


def test_its_connections_notice_a_silent_peer() -> None:
    with pytest.raises(InputError, match="address"):
        Relay("postgresql://me@/any?nothing=1", {"*": Inbox()})
    found = conninfo_to_dict(Relay("postgresql+psycopg://me@db.example.org/any", {"*": Inbox()})._conninfo)
    assert (found["host"], found["user"], found["dbname"]) == ("db.example.org", "me", "any")
    assert {"keepalives_idle", "tcp_user_timeout"} <= set(found)


def test_the_wrong_login_is_told(post: Post) -> None:
    with pytest.raises(PrivilegeMissing):
        Relay(post.url("app_a"), {"*": Inbox()}).run()
    with pytest.raises(LoginRefused):
        Relay(post.url("nobody"), {"*": Inbox()}).run()


def test_channels_hear_each_message_once(post: Post) -> None:
    with post.ground.database.connect(autocommit=True) as listener:
        listener.execute("LISTEN shop")
        post.send("a", "b" * 15000, topic="stock.low")
        assert post.relay(Notify("shop")).run_once() == 2
        heard = list(listener.notifies(timeout=5, stop_after=2))
    assert '"data":"a"' in heard[0].payload
    assert set(json.loads(heard[1].payload)) == {"id", "type", "number"}
    assert post.states == (2, 2, 0)


def test_a_channel_that_cannot_be_is_a_failure(post: Post) -> None:
    post.send("a")
    post.relay(Notify("c" * 64)).run_once()
    assert post.states == (1, 0, 1)
    assert [type(event) for event in post.told] == [MessageFailed, MessageFailed, MessageDead]


def test_delivered_messages_are_purged_after_their_time(post: Post) -> None:
    post.send("old", "young", "undelivered")
    post.relay(Inbox(fails={"undelivered": 99})).run_once()
    age = "UPDATE freehold.outbox SET created_at = %s, delivered_at = %s WHERE payload = to_jsonb(%s::text)"
    for payload, created, delivered in (
        ("old", "2020-01-01", "2020-01-02"),
        ("young", "2020-01-01", "2999-01-01"),
        ("undelivered", "2020-01-01", None),
    ):
        post.ground.admin.execute(age, (created, delivered, payload))
    with post.ground.login("jobs") as jobs:
        assert jobs.execute("SELECT freehold.purge_messages_v1(10)").fetchone() == (1,)
        assert jobs.execute("SELECT freehold.purge_messages_v1(10)").fetchone() == (0,)
    assert post.states == (2, 1, 1)
