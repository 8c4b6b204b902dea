"""Whether the server refused something because of its disk, which its SQLSTATE does not always tell."""

from __future__ import annotations

from pathlib import Path

import psycopg

FULL = frozenset({"53100", "58030"})
# PostgreSQL gives a file that may not be opened (EROFS, EACCES) the SQLSTATE of a missing grant; these raise no other.
FILES = frozenset({"buffile.c", "copydir.c", "fd.c", "md.c", "relmapper.c", "slru.c", "storage.c", "xlog.c"})


def is_unwritable(error: psycopg.Error) -> bool:
    """Whether the server could not open a file of its own."""
    return error.sqlstate == "42501" and Path(error.diag.source_file or "").name in FILES


def is_storage_fault(error: psycopg.Error) -> bool:
    """Whether the server's disk is full, broken or read-only."""
    return error.sqlstate in FULL or is_unwritable(error)
