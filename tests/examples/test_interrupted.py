"""A loader that is killed, cut off, or whose server dies, and is run again: as if nothing had happened."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from examples.retail.load import load
from examples.retail.reconcile import reconcile

from freehold.errors import CommitUnknown, ServerError
from freehold.events import Event
from freehold.servers import OwnedServer
from freehold.testing.database import create_database
from freehold.testing.proxy import KillableProxy
from tests.examples.conftest import BATCH
from tests.examples.shop import Shop, build, start_loader


def _finish(shop: Shop, file: Path) -> None:
    db = shop.connect()
    load(db, file, batch_lines=BATCH)
    assert reconcile(db, file).faults == []
    db.dispose()


def test_a_killed_loader_is_run_again(shop: Shop, slice_: Path, make_shop: Callable[[str], Shop]) -> None:
    process = start_loader(shop, slice_, BATCH)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.readline()
    process.kill()
    process.communicate()
    ((batches,),) = shop.ask("SELECT count(DISTINCT batch_no) FROM retail.load_batch")
    assert 2 <= batches < 5
    _finish(shop, slice_)
    undisturbed = make_shop("calm")
    _finish(undisturbed, slice_)
    assert shop.contents() == undisturbed.contents()


@pytest.mark.parametrize("committed", [False, True])
def test_a_commit_that_is_lost_in_the_network(
    shop: Shop, slice_: Path, killable_proxy: KillableProxy, committed: bool
) -> None:
    server = shop.database.server
    db = shop.connect(shop.url.replace(f":{server.port}/", f":{killable_proxy.port}/"))

    cuts: list[threading.Event] = []

    def arm(event: Event) -> None:
        cuts.append((killable_proxy.cut_after if committed else killable_proxy.cut_before)(b"COMMIT"))

    # Some cuts hit ON COMMIT in a statement: then nothing was stored, and the loader's function runs again by itself.
    with suppress(CommitUnknown):
        load(db, slice_, arm, BATCH)
    db.dispose()
    assert any(cut.is_set() for cut in cuts)
    _finish(shop, slice_)


def test_a_server_that_dies(own_server: OwnedServer, tmp_path: Path, slice_: Path) -> None:
    shop = build(create_database(own_server, "shop"), "shop", tmp_path)
    db = shop.connect()

    def die(event: Event) -> None:
        own_server.kill()

    with pytest.raises((ServerError, CommitUnknown)):
        load(db, slice_, die, BATCH)
    db.dispose()
    own_server.start()
    _finish(shop, slice_)
