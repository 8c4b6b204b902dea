"""Relays, servers and connections that die: every message arrives, and a repetition has the token of the first."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from freehold.errors import ServerDown
from freehold.events import MessageDelivered, RelayDisconnected
from freehold.runtime.outbox import Message
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database, fresh_database
from tests.rooms.outcomes.conftest import Ground

from .conftest import Inbox, Post, until
from .layer import ONE, applied

ROOT = Path(__file__).parents[3]


def test_a_relay_killed_between_delivery_and_mark(post: Post, tmp_path: Path) -> None:
    post.send("a", key="k")
    post.send("b", key="k")
    seen = tmp_path / "token"
    command = [sys.executable, "-m", "tests.rooms.outbox.dying_relay", post.url(), str(seen)]
    assert subprocess.run(command, cwd=ROOT, timeout=60, check=False).returncode == -9
    assert post.states == (2, 0, 0)
    inbox = Inbox()
    with post.running(post.relay(inbox)):
        until(lambda: post.states == (2, 2, 0))
    assert inbox.payloads == ["a", "b"]
    assert inbox.taken[0].token == seen.read_text()
    assert inbox.taken[0].attempts == 2


def test_a_relay_that_lost_its_connection_during_a_delivery_marks_it_with_the_next(post: Post) -> None:
    inbox, release = Inbox(), threading.Event()

    def take(message: Message) -> None:
        inbox(message)
        release.wait(20)

    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s"
    with post.running(post.relay(take)):
        post.send("a")
        until(lambda: bool(inbox.taken))
        post.ground.admin.execute(end, (f"{post.ground.layer.name}_jobs",))
        until(lambda: bool(post.events(RelayDisconnected)))
        release.set()
        until(lambda: post.states == (1, 1, 0))
    assert (inbox.payloads, len(post.events(MessageDelivered))) == (["a"], 1)


@contextmanager
def own_post(server: OwnedServer, layer_name: str) -> Iterator[Post]:
    """The layer on a server that may crash."""
    with fresh_database(server, "shop") as database, database.connect(autocommit=True) as admin:
        yield Post(Ground(applied(admin, layer_name), database, admin), [])


def test_no_message_is_lost_when_the_server_crashes(own_server: OwnedServer, layer_name: str) -> None:
    inbox = Inbox()
    committed: list[str] = []
    own_server.restart()  # from now on it keeps its port
    with own_post(own_server, layer_name) as post:
        # What was taken by an answer that never arrived is free when its lease ends.
        with post.running(post.relay(inbox, lease=1.0)):
            for crash in range(3):
                before = len(committed)
                sender = threading.Thread(target=send_until_down, args=(post, f"{crash}", committed))
                sender.start()
                until(lambda: len(committed) > before + 20)  # noqa: B023
                own_server.kill()
                sender.join(30)
                own_server.ensure_running()
            with post.ground.database.connect(autocommit=True) as admin:
                until(lambda: all_done(admin))
                stored = admin.execute("SELECT count(*) FROM freehold.outbox").fetchone()
        assert set(committed) <= set(inbox.payloads)
        assert stored == (len(set(inbox.payloads)),)
        assert len({message.token for message in inbox.taken}) == len(set(inbox.payloads))
        assert post.events(RelayDisconnected)


def all_done(admin: psycopg.Connection[tuple[object, ...]]) -> bool:
    query = "SELECT count(*) FROM freehold.outbox WHERE delivered_at IS NULL"
    return admin.execute(query).fetchone() == (0,)


def send_until_down(post: Post, prefix: str, committed: list[str]) -> None:
    """One message a transaction; what is told committed is written down."""
    for number in range(100_000):
        payload = f"{prefix} {number}"
        try:
            post.send(payload, tenant=ONE)
        except (psycopg.OperationalError, ServerDown):
            return
        committed.append(payload)


def test_a_server_that_is_away_for_long_is_waited_for(database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as admin:
        post = Post(Ground(applied(admin, layer_name), database, admin), [])
        login = psycopg.sql.Identifier(f"{layer_name}_jobs")
        # Nobody of this role may connect: too many connections is what a full server says, and passes by itself.
        limit = psycopg.sql.SQL("ALTER ROLE {} CONNECTION LIMIT {}")
        admin.execute(limit.format(login, 0))
        inbox = Inbox()
        post.send("a")
        with post.running(post.relay(inbox)):
            until(lambda: len(post.events(RelayDisconnected)) > 3)
            admin.execute(limit.format(login, 10))
            until(lambda: inbox.payloads == ["a"])
            until(lambda: post.states == (1, 1, 0))


def test_run_once_says_that_the_server_is_down(post: Post) -> None:
    with pytest.raises(ServerDown):
        type(post.relay(Inbox()))("postgresql://127.0.0.1:1/x", {"*": Inbox()}).run_once()
