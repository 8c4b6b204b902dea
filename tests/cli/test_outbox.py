"""``freehold relay`` and ``freehold outbox``, from a message to its target, to a dead letter, and back."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time

import psycopg
import pytest

from freehold.testing.database import Database
from tests.cli.command import Command

MESSAGES = """
from pathlib import Path

from freehold.errors import MessageRefused
from freehold.runtime.targets import Notify


def take(message):
    with Path("taken.txt").open("a") as file:
        file.write(f"{message.payload}\\n")


def refuse(message):
    if not Path("mended").exists():
        raise MessageRefused("unknown")


targets = {"refused": refuse, "heard": Notify("shop"), "*": take}
"""
SEND = "SELECT freehold.send_v1(%s, NULL, to_jsonb(%s::text))"
BIND = "SELECT set_config('freehold.context', freehold.issue_context_v1('t', 'ana', '1 minute'), true)"


@pytest.fixture
def shop(project: Command, database: Database) -> Command:
    (project.folder / "messages.py").write_text(MESSAGES)
    options = project.folder / "freehold.toml"
    options.write_text(options.read_text() + 'targets = "messages:targets"\n')
    assert project("apply", "--yes").status == 0
    return project


def send(database: Database, *messages: tuple[str, str]) -> None:
    with database.connect() as connection:
        connection.execute(BIND)
        for message in messages:
            connection.execute(SEND, message)


def test_messages_are_relayed_and_dead_letters_requeued(shop: Command, database: Database) -> None:
    send(database, ("a", "one"), ("refused", "two"), ("heard", "three"))
    waiting = json.loads(shop("outbox", "--json").out)
    assert (waiting["waiting"], waiting["dead"], waiting["dead_letters"]) == (3, 0, [])
    told = shop("relay", "--once")
    assert told.status == 0, told.err
    assert told.out.count("MessageDelivered") == 2
    assert told.out.count("MessageDead") == 1
    assert (shop.folder / "taken.txt").read_text() == "one\n"
    shown = shop("outbox").out
    assert "0 waiting" in shown
    assert "MessageRefused: unknown" in shown
    (shop.folder / "mended").touch()
    assert "0 requeued" in shop("outbox", "--requeue", "--topic", "other.*").err
    assert "1 requeued" in shop("outbox", "--requeue", "--topic", "ref*").err
    assert shop("relay", "--once").out.count("MessageDelivered") == 1
    assert json.loads(shop("outbox", "--purge", "--json").out)["purged"] == 0


def test_a_relay_runs_until_it_is_told_to_stop(shop: Command, database: Database) -> None:
    command = [sys.executable, "-m", "freehold.cli", "relay"]
    with subprocess.Popen(
        command, cwd=shop.folder, env=shop._environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        send(database, ("a", "one"))
        deadline = time.monotonic() + 60
        while delivered(database) == 0 and time.monotonic() < deadline:
            time.sleep(0.05)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (0, "")
    assert out.count("MessageDelivered") == 1


def delivered(database: Database) -> int:
    with database.connect() as connection:
        row: tuple[int] | None = connection.execute("SELECT count(delivered_at) FROM freehold.outbox").fetchone()
    return row[0] if row else 0


def test_what_is_wrong_is_told(shop: Command, project: Command) -> None:
    assert "no mapping of topics" in shop("relay", "--targets", "messages:take").err
    assert "Give --requeue" in shop("outbox", "--id", "1").err
    (shop.folder / "freehold.toml").write_text('layer = "layer:layer"\n')
    assert "Nothing names the targets" in shop("relay").err
    layer = shop.folder / "layer.py"
    layer.write_text(layer.read_text().replace("    Outbox(),", ""))
    assert "declares no outbox" in shop("outbox").err


def test_the_jobs_login_is_enough(shop: Command, database: Database, layer_name: str) -> None:
    with database.connect(autocommit=True) as admin:
        role = psycopg.sql.Identifier(f"{layer_name}_jobs")
        admin.execute(psycopg.sql.SQL("ALTER ROLE {} PASSWORD 'of jobs'").format(role))
    send(database, ("a", "one"))
    url = database.url(user=f"{layer_name}_jobs", password="of jobs")
    assert shop("relay", "--once", "--url", url).out.count("MessageDelivered") == 1
