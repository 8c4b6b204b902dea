"""A process that rotates one tenant's key, one row a transaction, until it is killed."""

from __future__ import annotations

import sys
from pathlib import Path

import psycopg

sys.path.insert(0, str(Path(__file__).parents[3]))

from freehold.rooms.encryption import Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.rotation import rotate
from tests.rooms.encryption.layer import ONE, layer


def main(url: str, name: str, keys: str, resume: str) -> None:
    """Say that the work begins, and work."""
    encryption = Encryption(LocalKeyFile(keys))
    with psycopg.connect(url, autocommit=True) as connection:
        sys.stdout.write("begins\n")
        sys.stdout.flush()
        rotate(connection, layer(name), encryption, tenant=ONE, batch=1, resume=resume != "0")


if __name__ == "__main__":
    main(*sys.argv[1:])
