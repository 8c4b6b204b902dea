"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest

from freehold import Database

from .conftest import Built
from .layer import ONE, TWO, Contact, Setting, broken

REFUSED = "clear text is refused in shop.contact.email"
LOOKED = "every value of shop.contact.email was looked at when its CHECK was added"
SEALED = "every stored value of shop.contact.email is encrypted"
NAMED = "every value of shop.contact.{} names a data key of its owner"
CHANGED = "freehold.{}: the application cannot change a key"
DELETED = "freehold.{}: the application cannot delete a key"
OTHERS = "freehold.data_key: the application reads no key of another tenant"


@pytest.fixture(autouse=True)
def rows(db: Database) -> None:
    for tenant in (ONE, TWO):
        with db.transaction(tenant=tenant, actor="ann") as session:
            session.add(Contact(mail="a@example.org", phone="1", badge="2"))
    with db.transaction(actor="ann") as session:
        session.add(Setting(name="x", secret=b"s", number=1))
        session.add(Setting(name="y", secret=b"s", number=1))


def unheld(built: Built) -> list[str]:
    return sorted(broken(built.connection, built.layer.declared))


def definition(built: Built) -> str:
    query = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'contact_email_sealed'"
    row = built.connection.execute(query).fetchone()
    assert row is not None
    return str(row[0])


def alter(built: Built, what: str) -> None:
    built.connection.execute(f"ALTER TABLE shop.contact {what}".encode())


def test_everything_holds(built: Built) -> None:
    assert unheld(built) == []


def test_a_dropped_check_and_a_clear_value(built: Built) -> None:
    check = definition(built)
    alter(built, "DROP CONSTRAINT contact_email_sealed")
    assert unheld(built) == sorted([REFUSED, LOOKED])
    built.connection.execute("SET session_replication_role = replica")
    built.connection.execute("UPDATE shop.contact SET email = 'clear' WHERE tenant_id = %s", (ONE,))
    assert unheld(built) == sorted([REFUSED, LOOKED, SEALED])
    alter(built, f"ADD CONSTRAINT contact_email_sealed {check} NOT VALID")
    assert unheld(built) == sorted([LOOKED, SEALED])
    built.connection.execute("UPDATE shop.contact SET email = NULL WHERE tenant_id = %s", (ONE,))
    alter(built, "VALIDATE CONSTRAINT contact_email_sealed")
    assert unheld(built) == []


def test_a_lost_key(built: Built) -> None:
    built.connection.execute("CREATE TABLE public.kept AS SELECT * FROM freehold.data_key WHERE tenant_id = %s", (ONE,))
    built.connection.execute("DELETE FROM freehold.data_key WHERE tenant_id = %s AND purpose = 'data'", (ONE,))
    found = unheld(built)
    assert set(found) >= {NAMED.format(column) for column in ("email", "phone", "badge")}
    built.connection.execute("INSERT INTO freehold.data_key SELECT * FROM public.kept WHERE purpose = 'data'")
    assert unheld(built) == []


def test_a_value_of_another_tenant(built: Built) -> None:
    built.connection.execute("SET session_replication_role = replica")
    moved = "UPDATE shop.contact SET phone = (SELECT phone FROM shop.contact WHERE tenant_id = %s) WHERE tenant_id = %s"
    built.connection.execute(moved, (ONE, TWO))
    assert unheld(built) == [NAMED.format("phone")]


@pytest.mark.parametrize("table", ["data_key", "shared_data_key"])
def test_an_application_that_may_change_keys(built: Built, table: str) -> None:
    role, place = f"{built.name}_rw", f"freehold.{table}"
    built.connection.execute(f"GRANT UPDATE, DELETE ON {place} TO {role}".encode())
    assert unheld(built) == sorted([CHANGED.format(table), DELETED.format(table)])
    built.connection.execute(f"REVOKE UPDATE, DELETE ON {place} FROM {role}".encode())
    assert unheld(built) == []


def test_keys_without_row_security(built: Built) -> None:
    built.connection.execute("ALTER TABLE freehold.data_key DISABLE ROW LEVEL SECURITY")
    assert unheld(built) == [OTHERS]
    built.connection.execute("ALTER TABLE freehold.data_key ENABLE ROW LEVEL SECURITY")
    assert unheld(built) == []
