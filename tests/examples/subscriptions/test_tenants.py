"""One account of the business leaves, arrives, is erased, brought back and copied, with every room's rows."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from examples.subscriptions.layer import DECLARATIONS
from examples.subscriptions.models import Base

from freehold import DataLayer, LegalHold, Masked
from freehold.errors import ArchiveInvalid, InputError, TenantExists, TenantHeld, TenantUnknown
from freehold.rooms.tenants.clone import clone_tenant
from freehold.rooms.tenants.erase import erase_tenant
from freehold.rooms.tenants.exporter import export_tenant
from freehold.rooms.tenants.importer import import_tenant
from freehold.rooms.tenants.restore import restore_tenant
from freehold.testing.database import Database as Place

from .conftest import NAME, Business

Connection = psycopg.Connection[Any]


@pytest.fixture
def other(business: Business, make_database: Callable[..., Place]) -> Place:
    """A second database with the same rows."""
    return make_database("other", template=business.place.name)


def first_account(connection: Connection) -> str:
    """An account with everything."""
    query = "SELECT tenant_id::text FROM subscriptions.invoice GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1"
    row = connection.execute(query).fetchone()
    assert row
    return str(row[0])


def everybody_else(connection: Connection, tenant: str) -> list[Any]:
    """Every row version of the other accounts: its place says whether it was written."""
    found = []
    for table in ("account", "contact", "member", "invoice", "posting", "invoice_history", "usage_event"):
        column = "id" if table == "account" else "tenant_id"
        query = f"SELECT tableoid, ctid, xmin FROM subscriptions.{table} WHERE {column} <> %s ORDER BY 1, 2"
        found.append(connection.execute(query.encode(), (tenant,)).fetchall())
    return found


def test_an_account_is_erased_and_comes_back_from_its_archive(business: Business, other: Place, tmp_path: Path) -> None:
    items = [item for item in DECLARATIONS if not isinstance(item, LegalHold)]
    declared = DataLayer(Base.metadata, *items, name=NAME).declared
    with business.place.connect(autocommit=True) as here, other.connect(autocommit=True) as there:
        tenant = first_account(here)
        with pytest.raises(TenantHeld, match="bookkeeping"):
            erase_tenant(there, business.layer.declared, tenant)
        manifest = export_tenant(here, declared, tenant, tmp_path / "one.zip")
        held = {member.title: member.rows for member in manifest.members if member.rows}
        assert {"subscriptions.invoice", "subscriptions.invoice_history", "freehold.data_key"} <= set(held)
        with pytest.raises(TenantExists):
            import_tenant(there, declared, tmp_path / "one.zip")
        others = everybody_else(there, tenant)
        erased = erase_tenant(there, declared, tenant, batch=100)
        assert erased.deleted["subscriptions.invoice"] == held["subscriptions.invoice"]
        assert [kept.table for kept in erased.kept] == ["freehold.audit"]
        assert everybody_else(there, tenant) == others
        with pytest.raises(TenantUnknown):
            export_tenant(there, declared, tenant, tmp_path / "none.zip", leave_out=lambda o: o.role == "state")
        import_tenant(there, declared, tmp_path / "one.zip", expected=manifest.digest)
        assert everybody_else(there, tenant) == others
        again = export_tenant(there, declared, tenant, tmp_path / "two.zip")
        assert _hashes(again) == _hashes(manifest)


def _hashes(manifest: Any) -> dict[str, str]:
    return {member.title: member.sha256 for member in manifest.members if not member.stays}


def test_an_account_is_brought_back_beside_the_living(business: Business, other: Place, tmp_path: Path) -> None:
    declared = business.layer.declared
    with business.place.connect(autocommit=True) as living, other.connect(autocommit=True) as restored:
        tenant = first_account(living)
        before = export_tenant(restored, declared, tenant, tmp_path / "then.zip")
        with living.transaction():
            living.execute("DELETE FROM subscriptions.member WHERE tenant_id = %s", (tenant,))
            living.execute("UPDATE subscriptions.account SET name = 'spoiled' WHERE id = %s", (tenant,))
            living.execute("UPDATE subscriptions.subscription SET status = 'cancelled' WHERE tenant_id = %s", (tenant,))
        others = everybody_else(living, tenant)
        done = restore_tenant(living, restored, declared, tenant)
        assert done.inserted > 0
        assert done.updated > 1
        assert everybody_else(living, tenant) == others
        after = export_tenant(living, declared, tenant, tmp_path / "now.zip")
        models = {member.title for member in after.members if "_" not in member.table}
        assert {t: h for t, h in _hashes(after).items() if t in models} == {
            t: h for t, h in _hashes(before).items() if t in models
        }
        again = restore_tenant(living, restored, declared, tenant)
        assert (again.inserted, again.updated, again.deleted) == (0, 0, 0)


def test_an_account_is_copied_under_another_id(business: Business, other: Place) -> None:
    declared = business.layer.declared
    copy = "00000000-0000-4000-8000-00000000c10e"
    with business.place.connect(autocommit=True) as here, other.connect(autocommit=True) as there:
        tenant = first_account(here)
        manifest = clone_tenant(here, there, declared, tenant, as_tenant=copy)
        assert manifest.masked
        counts = [
            there.execute("SELECT count(*) FROM subscriptions.invoice WHERE tenant_id = %s", (each,)).fetchone()
            for each in (tenant, copy)
        ]
        assert counts[0] == counts[1]
        query = "SELECT name LIKE 'somebody-%%', email, phone FROM subscriptions.contact WHERE tenant_id = %s"
        assert set(there.execute(query, (copy,)).fetchall()) == {(True, None, None)}


def test_a_copy_with_ciphertext_is_refused(business: Business, other: Place) -> None:
    items = [item for item in DECLARATIONS if not (isinstance(item, Masked) and item.table[1] == "contact")]
    declared = DataLayer(Base.metadata, *items, name=NAME).declared
    with business.place.connect(autocommit=True) as here, other.connect(autocommit=True) as there:
        with pytest.raises(InputError, match=r"contact\.email, contact\.email_blind, contact\.phone") as refused:
            clone_tenant(here, there, declared, first_account(here))
        assert refused.value.hint


def test_an_archive_that_was_altered_is_refused(business: Business, tmp_path: Path) -> None:
    with business.place.connect(autocommit=True) as here:
        tenant = first_account(here)
        path = tmp_path / "one.zip"
        export_tenant(here, business.layer.declared, tenant, path)
        data = bytearray(path.read_bytes())
        data[len(data) // 3] ^= 1
        path.write_bytes(bytes(data))
        with pytest.raises(ArchiveInvalid):
            import_tenant(here, business.layer.declared, path)
