"""Server or client killed in the middle of apply, load and refresh: run again, nothing is lost and nothing doubled."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from examples.retail.load import load

from freehold.errors import CommitUnknown, ConnectionLost, ServerDown
from freehold.events import Event, StepStarted
from freehold.operations import apply_layer, plan_layer
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database as Place
from freehold.testing.database import create_database
from tests.bad_input.ground import TWO, Ground, begin, fill, refusal
from tests.bad_input.retail import BATCH, LINES, connected, finish
from tests.cli.command import Command
from tests.examples.lines import cut
from tests.examples.shop import Shop, build

SHAPE = ("--schema-only", "--no-comments")


def wait_for(condition: Callable[[], bool]) -> None:
    """Return as soon as the condition holds."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


@pytest.fixture
def own_ground(own_server: OwnedServer, tmp_path: Path) -> Ground:
    """A project, applied and filled, on a server that may be killed."""
    database = create_database(own_server, "shop")
    begin(tmp_path, "shop", database)
    return Ground("shop", tmp_path / "shop", database, own_server.binaries)


def test_server_killed_in_the_middle_of_apply(own_ground: Ground, own_server: OwnedServer) -> None:
    declared = own_ground.layer().declared
    whole = own_ground.contents(*SHAPE)
    for number, moment in enumerate((2, 40, 140)):
        made = create_database(own_server, f"other{number}")

        def kill(event: Event, moment: int = moment) -> None:
            if isinstance(event, StepStarted) and event.number == moment:
                own_server.kill()

        with pytest.raises(ConnectionLost), made.connect(autocommit=True) as connection:
            apply_layer(connection, declared, listener=kill)
        own_server.start()
        with made.connect(autocommit=True) as connection:
            assert plan_layer(connection, declared).steps
            apply_layer(connection, declared)
            assert plan_layer(connection, declared).steps == ()
        assert Ground("shop", own_ground.folder, made, own_ground.binaries).contents(*SHAPE) == whole


def test_client_killed_in_the_middle_of_apply(ground: Ground, make_database: Callable[..., Place]) -> None:
    made = make_database("again")
    here = Ground(ground.name, ground.folder, made, ground.binaries)
    process = start(here.command, "apply", "--yes", "--json")  # which prints at its end alone
    wait_for(lambda: process.poll() is not None or steps_done(made) >= 20)
    process.kill()
    told = process.communicate()
    assert process.returncode == -signal.SIGKILL, told
    with made.connect(autocommit=True) as connection:
        assert plan_layer(connection, ground.layer().declared).steps
    wait_for(lambda: apply_again(here) == 0)  # as soon as the server has seen that its client is gone
    assert here.command("plan").status == 0
    assert here.contents(*SHAPE) == ground.contents(*SHAPE)


UNIQUE = 'tenant_unique("email", name="customer_email_key"),'
BUILDING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'CREATE INDEX%%'"


def test_client_killed_while_its_statement_runs_on(ground: Ground) -> None:
    """The server goes on with what a dead client has sent: the next apply is told so, and ends it afterwards."""
    ground.write("models.py", UNIQUE, f"{UNIQUE} sa.Index('customer_name_idx', 'tenant_id', 'name'),")
    ground.write("layer.py", "    DataLayer,\n", "    DataLayer,\n    LockBudget,\n")
    ground.write("layer.py", "    preferences,  #", "    LockBudget(timeout_seconds=60),\n    preferences,  #")
    with closing(ground.database.connect()) as writer:
        # An index waits until the transactions of its table's writers end.
        writer.execute(f"LOCK TABLE {ground.name}.customer IN ROW EXCLUSIVE MODE".encode())
        process = start(ground.command, "apply", "--yes", "--json")
        wait_for(lambda: process.poll() is not None or ground.ask(BUILDING) == [(True,)])
        process.kill()
        assert process.wait() == -signal.SIGKILL, process.communicate()
        process.communicate()
        assert refusal(ground.command, "apply", "--yes")["code"] == "apply.busy"
    wait_for(lambda: apply_again(ground) == 0)
    assert ground.command("plan").status == 0
    assert ground.ask("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == [(0,)]


def apply_again(ground: Ground) -> int:
    """The status of another apply; only a busy lock may stand in its way."""
    told = ground.command("apply", "--yes")
    assert told.status == 0 or "apply.busy" in told.err, told.err
    return told.status


def steps_done(database: Place) -> int:
    """How many steps the journal holds."""
    with database.connect(autocommit=True) as connection:
        if connection.execute("SELECT to_regclass('freehold.applied_step')").fetchone() == (None,):
            return 0
        ((count,),) = connection.execute("SELECT count(*) FROM freehold.applied_step").fetchall()
        return int(count)


def start(command: Command, *arguments: str) -> subprocess.Popen[str]:
    """A command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "freehold.cli", *arguments],
        cwd=command.folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(command.folder), **command.environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.fixture
def shop(own_server: OwnedServer, tmp_path: Path) -> Shop:
    return build(create_database(own_server, "shop"), "shop", tmp_path)


@contextmanager
def held_up(shop: Shop, act: Callable[[], None]) -> Iterator[None]:
    """Let the second batch's ledger wait for a lock, its other rows written and not committed; then act."""

    def watch() -> None:
        with closing(shop.database.connect()) as holder, shop.database.connect(autocommit=True) as watcher:
            holder.execute("LOCK TABLE retail.posting IN SHARE ROW EXCLUSIVE MODE")
            waiting = (
                "SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND usename = 'shop_app_a'"
            )
            wait_for(lambda: watcher.execute(waiting).fetchone() == (True,))
            act()

    thread = threading.Thread(target=watch)
    thread.start()
    yield
    thread.join()


def test_server_killed_in_the_middle_of_a_batch(
    shop: Shop, own_server: OwnedServer, undisturbed: list[object], tmp_path: Path
) -> None:
    file = cut(tmp_path / "lines.parquet", LINES)
    # The loader tries again for a while, and finds nobody there.
    lost = (ConnectionLost, ServerDown, CommitUnknown)
    with connected(shop) as db, held_up(shop, own_server.kill), pytest.raises(lost):
        load(db, file, batch_lines=BATCH)
    own_server.start()
    finish(shop, file)
    assert shop.contents() == undisturbed


def test_client_killed_in_the_middle_of_a_batch(shop: Shop, undisturbed: list[object], tmp_path: Path) -> None:
    file = cut(tmp_path / "lines.parquet", LINES)
    command = [sys.executable, "-m", "tests.examples.loading", shop.layer.name, shop.url, str(shop.keys), str(file)]
    process = subprocess.Popen([*command, str(BATCH)], stdout=subprocess.DEVNULL)
    with held_up(shop, process.kill):
        assert process.wait(timeout=60) == -signal.SIGKILL
    finish(shop, file)
    assert shop.contents() == undisturbed


REPORT = "SELECT * FROM {layer}.invoiced ORDER BY 1, 2"
TRUTH = "SELECT tenant_id, customer_id, sum(amount) FROM {layer}.invoice GROUP BY 1, 2 ORDER BY 1, 2"
STATE = "SELECT tenant_id, report, as_of, row_count FROM freehold.report_state ORDER BY 1"
BLOCKED = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%%refresh%%'"


@pytest.mark.parametrize("victim", ["server", "client"])
def test_killed_in_the_middle_of_refresh(own_ground: Ground, own_server: OwnedServer, victim: str) -> None:
    assert own_ground.command("refresh").status == 0
    before, state = own_ground.ask(REPORT), own_ground.ask(STATE)
    fill(own_ground.database, "shop")
    own_ground.run(f"DELETE FROM {{layer}}.invoice WHERE tenant_id = '{TWO}' AND amount = 5 AND id % 2 = 0")
    with closing(own_ground.database.connect()) as holder:
        # The refresh has written its rows of one tenant and waits for one of the other's, which sorts last.
        holder.execute("SELECT FROM shop.invoiced WHERE tenant_id = %s FOR UPDATE", (TWO,))
        process = start(own_ground.command, "refresh", "--json")
        wait_for(lambda: own_ground.ask(BLOCKED) == [(1,)])
        (own_server if victim == "server" else process).kill()
        _, told = process.communicate(timeout=60)
        if victim == "client":
            assert (own_ground.ask(REPORT), own_ground.ask(STATE)) == (before, state)
    if victim == "server":
        assert process.returncode == 2
        assert "server.connection-lost" in told
        own_server.start()
        assert (own_ground.ask(REPORT), own_ground.ask(STATE)) == (before, state)
    assert own_ground.command("refresh").status == 0
    assert own_ground.ask(REPORT) == own_ground.ask(TRUTH) != before
    assert own_ground.command("prove", "--room", "reports").status == 0
