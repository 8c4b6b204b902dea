"""Where PostgreSQL runs: embedded, at an address, or a disposable server for a drill."""

from freehold.servers.address import AddressServer
from freehold.servers.binaries import Binaries, find_embedded, find_installed
from freehold.servers.disposable import disposable, replica_of
from freehold.servers.embedded import EmbeddedServer
from freehold.servers.faults import connect, translate
from freehold.servers.owned import OwnedServer
from freehold.servers.pooler import Pooler, pooler_for
from freehold.servers.server import Server

__all__ = [
    "AddressServer",
    "Binaries",
    "EmbeddedServer",
    "OwnedServer",
    "Pooler",
    "Server",
    "connect",
    "disposable",
    "find_embedded",
    "find_installed",
    "pooler_for",
    "replica_of",
    "translate",
]
