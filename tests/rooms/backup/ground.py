"""A server with an archive and a layer's database on it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import sqlalchemy as sa

from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.operations import apply_layer
from freehold.rooms.backup import ROOM, Backup, Ground, archive_settings
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from freehold.servers import Binaries, disposable
from freehold.servers.owned import OwnedServer
from freehold.testing.servers import SETTINGS

DATABASE = "shop"
DECLARATION = Backup(rpo="1 minute")
ACCOUNT = ("shop", "account")
ENTRY = ("shop", "entry")
TABLES = (ACCOUNT, ENTRY)

metadata = sa.MetaData(schema="shop")
account = sa.Table("account", metadata, sa.Column("id", sa.Integer, primary_key=True), sa.Column("name", sa.Text))
entry = sa.Table(
    "entry",
    metadata,
    sa.Column("tenant_id", sa.Integer, sa.ForeignKey("shop.account.id"), primary_key=True),
    sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True),
    sa.Column("amount", sa.Numeric(14, 2), nullable=False),
    sa.Column("note", sa.Text),
)


def declared(declaration: Backup = DECLARATION) -> Declared:
    """The layer: accounts own entries."""
    layer = Declarations(metadata=metadata, items=(Tenancy(account), declaration), name="shop")
    return compile_layer(layer, [TENANCY, ROOM])


@contextmanager
def archived_server(binaries: Binaries) -> Iterator[OwnedServer]:
    """A disposable server that archives into the repository beside its data."""
    with disposable(binaries, settings=SETTINGS) as server:
        server.settings.update(archive_settings(DECLARATION, server.data_directory, server.account))
        yield server.restart()


def make_layer(server: OwnedServer) -> Ground:
    """Apply the layer and put rows into it."""
    with server.connect(autocommit=True) as connection:
        connection.execute("CREATE DATABASE shop")
    with server.connect(DATABASE, autocommit=True) as connection:
        apply_layer(connection, declared())
        connection.execute("INSERT INTO shop.account SELECT i, 'account ' || i FROM generate_series(1, 20) AS i")
        connection.execute(
            "INSERT INTO shop.entry (tenant_id, amount, note)"
            " SELECT 1 + i % 20, i * 0.01, 'entry ' || i FROM generate_series(1, 5000) AS i"
        )
    return Ground(server, DATABASE)
