"""A tenant leaves and arrives whole, or not at all; it is erased everywhere, brought back, and copied masked."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import hypothesis.strategies as st
import psycopg
import pytest
from hypothesis import HealthCheck, given, settings

from freehold import DataLayer, Masked
from freehold.errors import (
    ArchiveInvalid,
    InputError,
    ShapeChanged,
    TenantExists,
    TenantHeld,
    TenantIncomplete,
    TenantUnknown,
)
from freehold.rooms.tenants.archive import MANIFEST, Archive, Manifest, Writer
from freehold.rooms.tenants.clone import clone_tenant
from freehold.rooms.tenants.erase import erase_tenant
from freehold.rooms.tenants.exporter import export_tenant
from freehold.rooms.tenants.importer import import_tenant
from freehold.rooms.tenants.live import Live
from freehold.rooms.tenants.owned import Owned
from freehold.rooms.tenants.restore import restore_tenant
from tests.rooms.building import Connection

from .conftest import HELD, Built
from .layer import ONE, TWO, Base

STRANGE = "00000000-0000-0000-0000-000000000003"
TABLES = ("shop.company", "shop.customer", "shop.invoice", "shop.customer_history", "shop.customer_deleted")


def hashes(manifest: Manifest) -> dict[str, str]:
    """What each table held."""
    return {member.title: member.sha256 for member in manifest.members if not member.stays}


def rows(connection: Connection, tenant: object = ONE) -> dict[str, int]:
    """How many rows of a tenant each table has."""
    found = {}
    for table in TABLES:
        column = "id" if table == "shop.company" else "tenant_id"
        row = connection.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s".encode(), (tenant,)).fetchone()
        assert row
        found[table] = row[0]
    return found


def leave(built: Built, path: Path, tenant: object = ONE) -> Manifest:
    """Export a tenant."""
    return export_tenant(built.connection, built.layer.declared, str(tenant), path)


def test_a_tenant_arrives_as_it_left(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    left = leave(built, tmp_path / "one.zip")
    import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip", expected=left.digest)
    assert rows(elsewhere) == rows(built.connection)
    assert rows(elsewhere, TWO) == dict.fromkeys(TABLES, 0), "nobody else came along"
    again = export_tenant(elsewhere, built.layer.declared, str(ONE), tmp_path / "again.zip")
    assert hashes(again) == hashes(left)
    elsewhere.execute("INSERT INTO shop.customer (tenant_id, name) VALUES (%s, 'next')", (ONE,))


def test_the_same_rows_make_the_same_archive(built: Built, tmp_path: Path) -> None:
    first, second = (leave(built, tmp_path / name) for name in ("a.zip", "b.zip"))
    assert replace(first, taken_at="", lsn="") == replace(second, taken_at="", lsn="")


def test_what_stays_can_be_read_and_is_not_imported(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    left = leave(built, tmp_path / "one.zip")
    entries = next(member for member in left.members if member.title == "freehold.audit")
    assert entries.rows == 5
    assert "sealed" in entries.stays
    import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip")
    kinds = elsewhere.execute("SELECT kind, action FROM freehold.audit WHERE kind = 'tenant'").fetchall()
    assert kinds == [("tenant", "import")]


def alter_member(path: Path) -> None:
    """Another name for a customer, in a zip that is otherwise right."""
    _again(path, lambda name, data: data.replace(b"@a.org", b"@b.org") if name == "shop.customer.copy" else data)


def drop_member(path: Path) -> None:
    """A table less."""
    _again(path, lambda name, data: None if name == "shop.invoice.copy" else data)


def cut_short(path: Path) -> None:
    """Half of it."""
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def another_format(path: Path) -> None:
    """Written by a later release."""
    _again(path, lambda name, data: data.replace(b'"format": 1', b'"format": 9') if name == MANIFEST else data)


def _again(path: Path, change: Any) -> None:
    with zipfile.ZipFile(path) as old:
        members = [(name, change(name, old.read(name))) for name in old.namelist()]
    with zipfile.ZipFile(path, "w") as new:
        for name, data in members:
            if data is not None:
                new.writestr(name, data)


@pytest.mark.parametrize("deed", [alter_member, drop_member, cut_short, another_format])
def test_an_altered_archive_is_refused_before_the_first_row(
    built: Built, elsewhere: Connection, tmp_path: Path, deed: Any
) -> None:
    path = tmp_path / "one.zip"
    leave(built, path)
    deed(path)
    with pytest.raises(ArchiveInvalid) as refused:
        import_tenant(elsewhere, built.layer.declared, path)
    assert str(path) in refused.value.message
    assert refused.value.hint
    assert rows(elsewhere) == dict.fromkeys(TABLES, 0)


def test_an_archive_that_is_whole_and_another_one(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    leave(built, tmp_path / "one.zip")
    other = leave(built, tmp_path / "two.zip", TWO)
    with pytest.raises(ArchiveInvalid, match="another one"):
        import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip", expected=other.digest)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("ALTER TABLE shop.invoice DROP COLUMN amount", "shop.invoice.amount is gone"),
        ("ALTER TABLE shop.invoice ADD COLUMN vat integer", "shop.invoice.vat is new"),
        ("ALTER TABLE shop.invoice ALTER amount TYPE double precision", "was numeric and is double precision"),
    ],
)
def test_a_tenant_whose_shape_has_changed(
    built: Built, elsewhere: Connection, tmp_path: Path, change: str, told: str
) -> None:
    leave(built, tmp_path / "one.zip")
    elsewhere.execute(change.encode())
    with pytest.raises(ShapeChanged, match=re.escape(told)):
        import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip")
    with pytest.raises(ShapeChanged, match=re.escape(told)):
        elsewhere.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'One')", (ONE,))
        restore_tenant(elsewhere, built.connection, built.layer.declared, str(ONE))


def test_shared_rows_that_are_missing(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    leave(built, tmp_path / "one.zip")
    elsewhere.execute("DELETE FROM shop.currency")
    with pytest.raises(TenantIncomplete, match=r"5 rows of shop\.invoice refer to rows of shop\.currency"):
        import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip")
    assert rows(elsewhere) == dict.fromkeys(TABLES, 0)


def test_a_tenant_that_is_there_already(built: Built, tmp_path: Path) -> None:
    leave(built, tmp_path / "one.zip")
    with pytest.raises(TenantExists):
        import_tenant(built.connection, built.layer.declared, tmp_path / "one.zip")


def test_whoever_takes_a_tenant_out_is_recorded(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    digest = leave(built, tmp_path / "one.zip").digest
    clone_tenant(built.connection, elsewhere, built.layer.declared, str(ONE))
    query = "SELECT object, action FROM freehold.audit WHERE kind = 'tenant' ORDER BY id"
    assert built.connection.execute(query).fetchall() == [(str(ONE), "export"), (str(ONE), "clone")]
    assert Archive(tmp_path / "one.zip").manifest.digest == digest


@pytest.mark.parametrize("tenant", ["", "no uuid", "'; DROP TABLE shop.invoice; --"])
def test_a_text_that_is_no_id(built: Built, tmp_path: Path, tenant: str) -> None:
    for work in (
        lambda: leave(built, tmp_path / "x.zip", tenant),
        lambda: erase_tenant(built.connection, built.layer.declared, tenant),
    ):
        with pytest.raises(InputError, match="no tenant"):
            work()
    assert not list(tmp_path.iterdir())


def test_nobody_of_that_id(built: Built, tmp_path: Path) -> None:
    with pytest.raises(TenantUnknown):
        leave(built, tmp_path / "x.zip", STRANGE)
    with pytest.raises(TenantUnknown):
        erase_tenant(built.connection, built.layer.declared, STRANGE)
    assert not list(tmp_path.iterdir()), "no archive that looks whole"


def test_a_failed_write_leaves_the_older_archive(built: Built, tmp_path: Path) -> None:
    older = leave(built, tmp_path / "one.zip")
    with pytest.raises(RuntimeError, match="the disk"), Writer(tmp_path / "one.zip") as writer:
        writer.member("a.copy", [b"1\n"])
        raise RuntimeError("the disk is full")
    with Archive(tmp_path / "one.zip") as archive:
        assert archive.manifest == older
    assert [place.name for place in tmp_path.iterdir()] == ["one.zip"]


KILLED = """
import sys, time
from pathlib import Path
from freehold.rooms.tenants.archive import Writer

def slow():
    yield b"1\\n"
    print("begun", flush=True)
    time.sleep(60)

with Writer(Path(sys.argv[1])) as writer:
    writer.member("a.copy", slow())
"""


def test_a_killed_export_is_begun_again(built: Built, tmp_path: Path) -> None:
    path = tmp_path / "one.zip"
    with subprocess.Popen([sys.executable, "-c", KILLED, str(path)], stdout=subprocess.PIPE) as child:
        assert child.stdout
        assert child.stdout.readline() == b"begun\n"
        os.kill(child.pid, signal.SIGKILL)
        child.wait(30)
    assert not path.exists()
    leave(built, path)
    with Archive(path) as archive:
        archive.verify()
    assert [place.name for place in tmp_path.iterdir()] == ["one.zip"]


def test_a_tenant_is_erased_everywhere(built: Built) -> None:
    others = rows(built.connection, TWO)
    done = erase_tenant(built.connection, built.layer.declared, str(ONE), batch=2)
    assert rows(built.connection) == dict.fromkeys(TABLES, 0)
    assert rows(built.connection, TWO) == others
    assert done.deleted["shop.customer_history"] == 11
    assert [(left.table, left.rows) for left in done.kept] == [("freehold.audit", 5)]
    entry = built.connection.execute("SELECT object, action FROM freehold.audit WHERE kind = 'tenant'").fetchall()
    assert entry == [(str(ONE), "erase")]


def test_an_erase_that_was_cut_short_is_finished(built: Built, monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut(Exception):
        pass

    def cut(event: object) -> None:
        raise Cut

    with pytest.raises(Cut):
        erase_tenant(built.connection, built.layer.declared, str(ONE), batch=2, listener=cut)
    assert rows(built.connection)["shop.company"] == 1
    erase_tenant(built.connection, built.layer.declared, str(ONE), batch=2)
    assert rows(built.connection) == dict.fromkeys(TABLES, 0)


def test_a_strangers_table_is_found(built: Built) -> None:
    built.connection.execute("CREATE SCHEMA other")
    built.connection.execute("CREATE TABLE other.notes AS SELECT tenant_id, name FROM shop.customer")
    with pytest.raises(TenantIncomplete, match=r"5 rows of other\.notes by tenant_id"):
        erase_tenant(built.connection, built.layer.declared, str(ONE))
    assert rows(built.connection)["shop.company"] == 1, "the last transaction was rolled back"
    built.connection.execute("DELETE FROM other.notes")
    erase_tenant(built.connection, built.layer.declared, str(ONE))


def test_what_comes_in_during_an_erase_goes_too(built: Built) -> None:
    inserted: list[object] = []

    def write(event: object) -> None:
        if not inserted:
            inserted.append(event)
            with built.database.connect(autocommit=True) as application:
                application.execute("INSERT INTO shop.customer (tenant_id, name) VALUES (%s, 'late')", (ONE,))

    erase_tenant(built.connection, built.layer.declared, str(ONE), listener=write)
    assert inserted
    assert rows(built.connection) == dict.fromkeys(TABLES, 0)


def test_a_slice_is_brought_back_by_ordinary_writes(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    leave(built, tmp_path / "one.zip")
    import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip")
    built.connection.execute("DELETE FROM shop.invoice WHERE tenant_id = %s", (ONE,))
    built.connection.execute("UPDATE shop.customer SET name = 'spoiled' WHERE tenant_id = %s", (ONE,))
    built.connection.execute("INSERT INTO shop.customer (tenant_id, name) VALUES (%s, 'new')", (ONE,))
    past = rows(built.connection)["shop.customer_history"]
    done = restore_tenant(built.connection, elsewhere, built.layer.declared, str(ONE))
    assert (done.inserted, done.updated, done.deleted) == (5, 5, 1)
    assert rows(built.connection)["shop.customer_history"] == past + 5, "history has what was spoiled"
    for table in ("customer", "invoice"):
        query = f"SELECT * FROM shop.{table} WHERE tenant_id = %s ORDER BY 1, 2".encode()
        assert built.connection.execute(query, (ONE,)).fetchall() == elsewhere.execute(query, (ONE,)).fetchall()


def test_a_slice_whose_children_moved_and_whose_names_are_taken(
    built: Built, elsewhere: Connection, tmp_path: Path
) -> None:
    leave(built, tmp_path / "one.zip")
    import_tenant(elsewhere, built.layer.declared, tmp_path / "one.zip")
    number = "(SELECT max(id) FROM shop.customer WHERE tenant_id = invoice.tenant_id)"
    built.connection.execute("INSERT INTO shop.customer (tenant_id, name) VALUES (%s, 'new')", (ONE,))
    built.connection.execute(f"UPDATE shop.invoice SET customer_id = {number} WHERE tenant_id = %s".encode(), (ONE,))
    done = restore_tenant(built.connection, elsewhere, built.layer.declared, str(ONE))
    assert (done.inserted, done.updated, done.deleted) == (0, 5, 1)


def test_a_copy_is_masked_in_every_table_and_alike(built: Built, elsewhere: Connection) -> None:
    built.connection.execute("UPDATE shop.customer SET email = 'same@a.org' WHERE name LIKE %s", ("%1%",))
    clone_tenant(built.connection, elsewhere, built.layer.declared, str(ONE), as_tenant=STRANGE)
    assert rows(elsewhere, STRANGE) == rows(built.connection)
    for table in ("customer", "customer_history", "customer_deleted"):
        found = elsewhere.execute(f"SELECT name, email, photo FROM shop.{table}".encode()).fetchall()
        assert all(photo is None for _, _, photo in found)
        assert not any("a.org" in (email or "") for _, email, _ in found)
    masked = elsewhere.execute(
        "SELECT DISTINCT h.email = c.email FROM shop.customer AS c JOIN shop.customer_history AS h USING (id)"
        " WHERE h.valid_to = 'infinity' AND c.email IS NOT NULL"
    ).fetchall()
    assert masked == [(True,)], "a value is masked alike wherever it stands"
    assert elsewhere.execute("SELECT DISTINCT name LIKE E'n\\t%%' FROM shop.customer").fetchall() == [(True,)]
    assert elsewhere.execute("SELECT count(*) FROM freehold.outcome").fetchall() == [(0,)]


def test_a_copy_that_would_show_everything_is_refused(built: Built, elsewhere: Connection) -> None:
    bare = DataLayer(Base.metadata, *(d for d in built.layer.items if not isinstance(d, Masked)), name="bare")
    with pytest.raises(InputError, match="masks nothing") as refused:
        clone_tenant(built.connection, elsewhere, bare.declared, str(ONE))
    assert refused.value.hint
    assert rows(elsewhere) == dict.fromkeys(TABLES, 0)


@HELD
def test_a_row_that_is_held_meanwhile_stays(built: Built) -> None:
    def write(event: object) -> None:
        with built.database.connect(autocommit=True) as application:
            application.execute(
                "INSERT INTO shop.invoice SELECT tenant_id, 'young', id, 'EUR', current_date, 1 FROM shop.customer"
                " WHERE tenant_id = %s LIMIT 1 ON CONFLICT DO NOTHING",
                (ONE,),
            )

    with pytest.raises(TenantHeld):
        erase_tenant(built.connection, built.layer.declared, str(ONE), batch=2, listener=write)
    assert rows(built.connection)["shop.invoice"] == 1
    assert rows(built.connection)["shop.company"] == 1


TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)


def test_whatever_the_values_they_arrive(built: Built, elsewhere: Connection, tmp_path: Path) -> None:
    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.lists(st.tuples(TEXTS, TEXTS, st.binary(max_size=20)), max_size=8))
    def check(values: list[tuple[str, str, bytes]]) -> None:
        for connection in (built.connection, elsewhere):
            with suppress(TenantUnknown):
                erase_tenant(connection, built.layer.declared, STRANGE)
        built.connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'Three')", (STRANGE,))
        with built.connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO shop.customer (tenant_id, name, email, photo) VALUES (%s, %s, %s, %s)",
                [(STRANGE, *each) for each in values],
            )
        left = leave(built, tmp_path / "three.zip", STRANGE)
        import_tenant(elsewhere, built.layer.declared, tmp_path / "three.zip")
        again = export_tenant(elsewhere, built.layer.declared, STRANGE, tmp_path / "again.zip")
        assert hashes(again) == hashes(left)

    check()


def test_an_export_holds_up_no_writer(built: Built, tmp_path: Path) -> None:
    written: list[int] = []

    def write_meanwhile(owned: Owned, live: tuple[Live, ...], pieces: Iterator[bytes]) -> Iterator[bytes]:
        yield from pieces
        if not written:
            written.append(writer.execute("UPDATE shop.customer SET name = 'meanwhile'").rowcount)

    with built.database.connect(autocommit=True) as writer:
        writer.execute("SET lock_timeout = '1s'")
        path = tmp_path / "one.zip"
        left = export_tenant(built.connection, built.layer.declared, str(ONE), path, rewrite=write_meanwhile)
    assert left.rows
    assert written[0] > 0, "a writer did not wait for the export"


def test_a_login_that_may_not(built: Built, tmp_path: Path) -> None:
    leave(built, tmp_path / "one.zip")
    with built.connection.transaction(force_rollback=True):
        built.connection.execute(f"SET LOCAL ROLE {built.layer.name}_app_a".encode())
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            erase_tenant(built.connection, built.layer.declared, str(ONE))
