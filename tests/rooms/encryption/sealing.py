"""A process that encrypts clear values, one row a transaction, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[3]))

from freehold.rooms.encryption import Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.sealing import seal
from tests.rooms.encryption.clear_layer import layer


def main(url: str, name: str, keys: str) -> None:
    """Say that the work begins, and work."""
    found = layer(name)
    with psycopg.connect(url, autocommit=True) as connection:
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        seal(connection, found, Encryption(LocalKeyFile(keys)), found.metadata.tables["app.customer"], batch=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
