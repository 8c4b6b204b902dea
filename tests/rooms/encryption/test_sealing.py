"""Clear values that are encrypted beside their writers, cut short at any point, until the clear columns go."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event as Flag
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from freehold import Database
from freehold.errors import DeclarationError, InputError, KeyDestroyed, KeyUnavailable
from freehold.events import Event, Progress
from freehold.operations import apply_layer, plan_layer
from freehold.rooms.encryption import Encrypted, Encryption
from freehold.rooms.encryption.local_keys import LocalKeyFile
from freehold.rooms.encryption.rotation import destroy
from freehold.rooms.encryption.runtime import cipher_of
from freehold.rooms.encryption.sealing import Copied, seal, unsealed
from freehold.testing.database import Database as Place
from tests.rooms.building import unheld

from .clear_layer import layer
from .conftest import RING
from .layer import ONE, SECRET, TWO

PROCESS = Path(__file__).with_name("sealing.py")
ROWS = 40
FILL = """
INSERT INTO app.customer (tenant_id, id, email, score)
SELECT %(tenant)s, i, CASE WHEN i %% 5 > 0 THEN 'C' || i || '@example.org' END, CASE WHEN i %% 7 > 0 THEN i END
FROM generate_series(1, %(rows)s) AS i
"""


@dataclass(frozen=True)
class Moving:
    """A layer whose customers have both columns; the connection is the administrator's, ``db`` the application's."""

    name: str
    connection: psycopg.Connection[Any]
    place: Place
    db: Database
    encryption: Encryption
    keys: Path

    @property
    def layer(self) -> Any:
        """Both columns."""
        return layer(self.name)

    @property
    def customer(self) -> sa.Table:
        """The table."""
        return self.layer.metadata.tables["app.customer"]  # type: ignore[no-any-return]

    def seal(self, **options: Any) -> Copied:
        """Encrypt what is in clear."""
        return seal(self.connection, self.layer, self.encryption, self.customer, **options)

    def unsealed(self, **options: Any) -> int:
        """Rows that are not encrypted."""
        return unsealed(self.connection, self.layer, self.encryption, self.customer, **options)

    def run(self, statement: str) -> None:
        """As an application that knows the clear columns alone."""
        with self.place.connect(autocommit=True) as connection:
            connection.execute(statement.encode())

    def clear(self, tenant: Any) -> dict[int, tuple[Any, Any]]:
        """What stands in clear, by key."""
        query = "SELECT id, email, score FROM app.customer WHERE tenant_id = %s"
        return {key: (mail, score) for key, mail, score in self.connection.execute(query, (tenant,))}

    def opened(self, tenant: Any) -> dict[int, tuple[Any, Any]]:
        """What the encrypted columns hold, by key; a blind index is there where a value is."""
        table, found = self.customer, {}
        with self.db.transaction(tenant=tenant, actor="ann") as session:
            cipher = cipher_of(session)
            for row in session.execute(sa.select(table)).mappings():
                values = [
                    cipher.decrypt(session, table, name, row[name], dict(row))
                    for name in ("email_sealed", "score_sealed")
                ]
                blind = cipher.blind(session, table, "email_sealed", values[0], tenant)
                assert row["email_sealed_blind"] == blind
                found[row["id"]] = (values[0], values[1])
        return found

    def equal(self) -> None:
        """Every encrypted value opens to the clear one."""
        assert self.unsealed() == 0
        for tenant in (ONE, TWO):
            assert self.opened(tenant) == self.clear(tenant)


@pytest.fixture
def moving(database: Place, layer_name: str, tmp_path: Path) -> Iterator[Moving]:
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer(layer_name, sealed=False).declared)
        connection.execute("SELECT freehold.add_context_key_v1('k1', %s)", (SECRET,))
        connection.execute("INSERT INTO app.company (id) VALUES (%s), (%s)", (ONE, TWO))
        for tenant, rows in ((ONE, ROWS), (TWO, 10)):
            connection.execute(FILL, {"tenant": tenant, "rows": rows})
        both = layer(layer_name)
        apply_layer(connection, both.declared, weaker_guard="the application reads its wrapped keys")
        connection.execute(f"ALTER ROLE {layer_name}_app_a PASSWORD 'of the application'".encode())
        encryption = Encryption(LocalKeyFile.create(tmp_path / "keys"))
        url = database.url(user=f"{layer_name}_app_a", password="of the application")
        db = both.connect(url, keys=RING, encryption=encryption)
        yield Moving(layer_name, connection, database, db, encryption, tmp_path / "keys")
        db.dispose()


def test_every_clear_value_is_encrypted_and_nothing_else(moving: Moving) -> None:
    before, heard = {tenant: moving.clear(tenant) for tenant in (ONE, TWO)}, list[Event]()
    held = ROWS - ROWS // 35  # one row in 35 has neither value
    assert moving.unsealed() == held + 10
    assert moving.seal(tenant=TWO) == Copied(10, 0)
    assert moving.unsealed() == moving.unsealed(tenant=ONE) == held
    assert moving.seal(batch=15, listener=heard.append) == Copied(held, 0)
    assert [event.done for event in heard if isinstance(event, Progress)] == [15, 30, held]
    assert {tenant: moving.clear(tenant) for tenant in (ONE, TWO)} == before
    moving.equal()
    assert moving.seal() == Copied(0, 0)
    assert unheld(moving.connection, moving.layer.declared, "encryption") == []


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE app.customer SET email = 'new@example.org' WHERE id = 1",
        "UPDATE app.customer SET score = NULL WHERE id = 1",
        "UPDATE app.customer SET id = 1000 WHERE id = 1",
    ],
)
def test_an_older_application_leaves_nothing_out_of_date(moving: Moving, change: str) -> None:
    moving.seal()
    moving.run("UPDATE app.customer SET email = email")
    assert moving.unsealed() == 0
    moving.run(change)
    for tenant in (ONE, TWO):
        for key, (mail, score) in moving.opened(tenant).items():
            assert mail in {None, moving.clear(tenant)[key][0]}
            assert score in {None, moving.clear(tenant)[key][1]}
    moving.seal()
    moving.equal()


def test_a_newer_application_writes_both_and_is_not_written_over(moving: Moving) -> None:
    table = moving.customer
    with moving.db.transaction(tenant=ONE, actor="ann") as session:
        cipher, row = cipher_of(session), {"tenant_id": ONE, "id": 1}
        sealed = cipher.encrypt(session, table, "email_sealed", "both@example.org", row)
        blind = cipher.blind(session, table, "email_sealed", "both@example.org", ONE)
        values = {"email": "both@example.org", "email_sealed": sealed, "email_sealed_blind": blind}
        session.execute(sa.update(table).where(table.c.id == 1).values(values))
    moving.seal()
    stored = moving.connection.execute(
        "SELECT email_sealed FROM app.customer WHERE id = 1 AND tenant_id = %s", (ONE,)
    ).fetchone()
    assert stored == (sealed,)
    moving.equal()


def test_writers_beside_it_lose_nothing(moving: Moving) -> None:
    done = Flag()

    def write() -> int:
        turn, dice = 0, random.Random(1)
        with moving.place.connect(autocommit=True) as connection:
            while not done.is_set() or turn < 50:
                turn += 1
                mail = None if turn % 9 == 0 else f"T{turn}@example.org"
                connection.execute("UPDATE app.customer SET email = %s WHERE id = %s", (mail, dice.randint(1, ROWS)))
                if turn % 20 == 0:  # more than a pass of small batches can follow would keep it from its end
                    late = "INSERT INTO app.customer (tenant_id, id, email) VALUES (%s, %s, 'late')"
                    connection.execute(late, (TWO, 1000 + turn))
        return turn

    with ThreadPoolExecutor(1) as pool:
        writing = pool.submit(write)
        try:
            for _ in range(5):
                moving.seal(batch=20)
        finally:
            done.set()
        turns = writing.result()
    moving.seal()
    moving.equal()
    assert len(moving.clear(TWO)) == 10 + turns // 20


def test_it_waits_for_nobody(moving: Moving) -> None:
    with moving.place.connect() as holder:
        holder.execute("UPDATE app.customer SET email = 'held' WHERE id = 3 AND tenant_id = %s", (ONE,))
        moving.connection.execute("SET lock_timeout = '1ms'")
        assert moving.seal().left == 1
        holder.commit()
    assert moving.seal() == Copied(1, 0)
    moving.equal()


def test_a_kill_anywhere_is_taken_up(moving: Moving) -> None:
    dice = random.Random(4)
    for _ in range(6):
        command = [sys.executable, str(PROCESS), moving.place.url(), moving.name, str(moving.keys)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            assert process.stdout.readline() == "begins\n"
            time.sleep(dice.uniform(0.0, 0.15))
            process.kill()
        assert process.returncode in {-signal.SIGKILL, 0}
        left = moving.unsealed()
        sealed = {key: pair for key, pair in moving.opened(ONE).items() if pair != (None, None)}
        assert sealed.items() <= moving.clear(ONE).items()
    assert left < ROWS
    moving.seal()
    moving.equal()


def test_keys_that_are_not_there(moving: Moving, tmp_path: Path) -> None:
    moving.seal(tenant=TWO)
    other = Encryption(LocalKeyFile.create(tmp_path / "other"))
    moving.run("UPDATE app.customer SET email = 'again'")
    with pytest.raises(KeyUnavailable):
        seal(moving.connection, moving.layer, other, moving.customer, tenant=TWO)
    assert moving.unsealed(tenant=TWO) == 10
    destroy(moving.connection, moving.layer, tenant=TWO)
    with pytest.raises(KeyDestroyed):
        moving.seal(tenant=TWO)
    assert moving.seal(tenant=ONE).left == 0


def test_the_clear_columns_go_at_the_end(moving: Moving) -> None:
    moving.seal()
    kept = moving.clear(ONE)
    last = layer(moving.name, clear=False)
    options: dict[str, Any] = {"data_loss": True, "weaker_guard": "every value is encrypted"}
    apply_layer(moving.connection, last.declared, **options)
    moving.run("UPDATE app.customer SET score = score")  # the one before still runs
    apply_layer(moving.connection, last.declared, contract=True, **options)
    assert plan_layer(moving.connection, last.declared).steps == ()
    names = (
        "SELECT count(*) FROM pg_attribute "
        "WHERE attrelid = 'app.customer'::regclass AND attname IN ('email', 'score') AND NOT attisdropped"
    )
    assert moving.connection.execute(names).fetchone() == (0,)
    with moving.db.transaction(tenant=ONE, actor="ann") as session:
        table, cipher = last.metadata.tables["app.customer"], cipher_of(session)
        rows = session.execute(sa.select(table)).mappings().all()
        found = {r["id"]: cipher.decrypt(session, table, "email_sealed", r["email_sealed"], dict(r)) for r in rows}
    assert found == {key: mail for key, (mail, _) in kept.items()}


def test_a_probe_sees_that_an_outdated_value_would_stay(moving: Moving) -> None:
    moving.seal()
    moving.run("ALTER TABLE app.customer DISABLE TRIGGER zy_freehold_unseal_email_sealed")
    (told,) = unheld(moving.connection, moving.layer.declared, "encryption")
    assert "outlives" in told


def test_what_is_refused(moving: Moving) -> None:
    with pytest.raises(InputError, match="batch"):
        moving.seal(batch=0)
    with pytest.raises(InputError, match="no tenant"):
        moving.seal(tenant="nobody")
    last = layer(moving.name, clear=False)
    with pytest.raises(InputError, match="clear values"):
        seal(moving.connection, last, moving.encryption, last.metadata.tables["app.customer"])
    for pair in ({"email": "email_sealed"}, {"email_sealed": "id"}, {"email_sealed": "email_sealed"}):
        with pytest.raises(DeclarationError):
            Encrypted(moving.customer, "email_sealed", clear=pair)
