"""The example's layer on a test's own database, and what is in it."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

from examples.retail.layer import DECLARATIONS
from examples.retail.models import Base

from freehold import Database, DataLayer
from freehold.cli.keyring import ensure_key
from freehold.operations import apply_layer
from freehold.rooms.roles.credentials import set_password
from freehold.testing.database import Database as TestDatabase

PASSWORD = "correct horse battery staple"

COUNTS: LiteralString = """
SELECT 'order lines', count(*), sum(amount) FROM retail.order_line
UNION ALL SELECT 'credit lines', count(*), sum(amount) FROM retail.credit_line
UNION ALL SELECT 'orders', count(*), sum(id) FROM retail.customer_order
UNION ALL SELECT 'customers', count(*), sum(id) FROM retail.customer
UNION ALL SELECT 'movements', count(*), sum(quantity) FROM retail.stock_movement
UNION ALL SELECT 'stock', count(*), sum(on_hand) FROM retail.stock
UNION ALL SELECT 'postings', count(*), sum(abs(amount)) FROM retail.posting
UNION ALL SELECT 'quarantine', count(*), sum(amount) FROM retail.quarantine
UNION ALL SELECT 'products', count(*), sum(list_price) FROM retail.product
UNION ALL SELECT 'product versions', count(*), sum(list_price) FROM retail.product_history
UNION ALL SELECT 'batches', count(*), sum(loaded + quarantined) FROM retail.load_batch
ORDER BY 1
"""


@dataclass(frozen=True)
class Shop:
    """A built layer, and the application's way in."""

    layer: DataLayer
    database: TestDatabase
    keys: Path

    @property
    def url(self) -> str:
        """The URL of the application's login."""
        return self.database.url(user=f"{self.layer.name}_app_a", password=PASSWORD)

    def connect(self, url: str = "") -> Database:
        """As the application."""
        return self.layer.connect(url or self.url, keys=self.keys)

    def contents(self) -> list[Any]:
        """Rows and a sum of each table, read by the administrator."""
        return self.ask(COUNTS)

    def ask(self, query: LiteralString) -> list[Any]:
        """A query as the administrator."""
        with self.database.connect(autocommit=True) as connection:
            return connection.execute(query).fetchall()


def build(database: TestDatabase, name: str, directory: Path) -> Shop:
    """Apply the layer and give the application its key and password."""
    layer = DataLayer(Base.metadata, *DECLARATIONS, name=name)
    keys = directory / "context.keys"
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        ensure_key(connection, keys)
        set_password(connection, f"{name}_app_a", PASSWORD)
    return Shop(layer, database, keys)


def start_loader(shop: Shop, file: Path, batch: int) -> subprocess.Popen[str]:
    """The loader in a process of its own; see ``tests.examples.loading`` for what it says."""
    command = [sys.executable, "-m", "tests.examples.loading", shop.layer.name, shop.url, str(shop.keys), str(file)]
    return subprocess.Popen([*command, str(batch)], stdout=subprocess.PIPE, text=True)
