"""The retailer's loader for tests that disturb it: how far it gets, how it is ended, and what it must leave."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from examples.retail.load import load
from examples.retail.reconcile import reconcile

from freehold import Database
from tests.examples.shop import Shop

LINES, BATCH = 4_000, 1_000


@contextmanager
def connected(shop: Shop, **options: Any) -> Iterator[Database]:
    """The application's way in, closed at the end."""
    db = shop.layer.connect(shop.url, keys=shop.keys, **options)
    try:
        yield db
    finally:
        db.dispose()


def finish(shop: Shop, file: Path) -> None:
    """Load what is not there yet, and reckon it up against the file."""
    with connected(shop) as db:
        load(db, file, batch_lines=BATCH)
        assert reconcile(db, file).faults == []
