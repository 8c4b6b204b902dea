"""Contexts that somebody else made, changed, kept or guessed; and keys that do not fit."""

from __future__ import annotations

import base64
import hmac
import os
import time
import uuid
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from freehold.errors import (
    ContextError,
    ContextExpired,
    ContextForged,
    ContextKeyMissing,
    ContextMissing,
    ContextReplayed,
    UnsafeLogin,
)
from freehold.runtime import Context, Database, Key, KeyRing
from freehold.runtime.context import Backend, sign
from freehold.runtime.driver import Connection
from freehold.runtime.literal import Written, sql
from tests.rooms.tenancy.layer import SECRET, A, B
from tests.runtime.conftest import RING, Shop

KEY = Key("k1", SECRET)
BIND = sql("SELECT set_config('freehold.context', :token, true)")
READ = sql("SELECT count(*) FROM shop.customer")


def token(**changes: object) -> str:
    values = {"key": KEY, "context": Context(str(A), "ana"), "backend": Backend(), **changes}
    return sign(**values)  # type: ignore[arg-type]


def read(db: Database, text: str) -> int:
    """What one sees under a token, in a connection that the runtime does not bind."""
    with db.engine.connect() as connection:
        connection.execute(BIND, {"token": text})
        return connection.scalar(READ) or 0


def test_a_signed_context_opens_its_tenant(db: Database) -> None:
    assert read(db, token()) == 3


def test_the_token_is_the_documented_hmac() -> None:
    mac, _, message = token(
        now=1.5, context=Context("ä|b", "", str(uuid.UUID(int=7))), backend=Backend(9, 2)
    ).partition("|")
    assert message == "v1|k1|1500002|31500002|9|00000000-0000-0000-0000-000000000007||w6R8Yg=="
    assert mac == hmac.new(SECRET, message.encode(), "sha256").hexdigest()


def test_every_other_context_is_refused_by_name(db: Database) -> None:
    now = time.time()
    refused: list[tuple[str, type[ContextError]]] = [
        ("", ContextMissing),
        (str(B), ContextForged),
        (token()[:-1], ContextForged),
        (token()[:64], ContextForged),
        ("|" * 12, ContextForged),
        (token().replace(_encoded(str(A)), _encoded(str(B))), ContextForged),
        (token().replace("|v1|", "|v2|"), ContextForged),
        (token(key=Key("k1", bytes(32))), ContextForged),
        (token(key=Key("k2", SECRET)), ContextForged),
        (token().upper(), ContextForged),
        (token(now=now - 31), ContextExpired),
        (token(now=now + 31), ContextExpired),
        (token(backend=Backend(1)), ContextReplayed),
        (token(context=Context("", "ana")), ContextMissing),
    ]
    for text, error in refused:
        with pytest.raises(error):
            read(db, text)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_token_seen_elsewhere_is_useless(db: Database) -> None:
    """Another session of the same role that reads a token cannot use it: it is bound to its backend."""
    with db.transaction(tenant=A, actor="ana") as session:
        kept = session.scalar(sql("SELECT current_setting('freehold.context')"))
        with pytest.raises(ContextReplayed):
            read(db, str(kept))


def test_a_long_transaction_outlives_its_context(connect: Callable[..., Database]) -> None:
    db = connect(lifetime=0.5)
    with db.transaction(tenant=A, actor="ana") as session:
        assert session.scalar(READ) == 3
        session.execute(sql("SELECT pg_sleep(0.7)"))
        assert session.scalar(READ) == 3


def test_injection_with_the_applications_role_sees_no_other_tenant(db: Database) -> None:
    attacks = (
        "SELECT count(*) FROM shop.customer WHERE tenant_id = '{other}' OR true",
        "SELECT set_config('freehold.context', '{other}', true); SELECT count(*) FROM shop.customer",
        "RESET ALL; SELECT count(*) FROM shop.customer",
        "SET LOCAL row_security = off; SELECT count(*) FROM shop.customer",
        "ALTER TABLE shop.customer DISABLE ROW LEVEL SECURITY",
        "SET ROLE {name}_owner; SELECT count(*) FROM shop.customer",
        "SET SESSION AUTHORIZATION {name}_owner",
        "SELECT freehold.issue_context_v1('{other}', 'x', '1 minute')",
        "SELECT inner_pad FROM freehold.context_key",
        "CREATE FUNCTION pg_temp.tenant_v1() RETURNS uuid LANGUAGE sql AS $$ SELECT '{other}'::uuid $$;"
        "SET LOCAL search_path = pg_temp, freehold; SELECT count(*) FROM shop.customer WHERE tenant_id = '{other}'",
        "SELECT count(*) FROM shop.move_early WHERE tenant_id = '{other}'",
        "SELECT count(*) FROM shop.buyer WHERE tenant_id = '{other}'",
    )
    seen = []
    for attack in attacks:
        with db.engine.connect() as connection:
            raw = connection.connection.driver_connection
            assert isinstance(raw, Connection)
            raw.execute("SELECT set_config('freehold.context', %s, true)", (token(backend=raw.backend),))
            role = str(raw.info.user).removesuffix("_app_a")
            try:
                cursor = raw.execute(Written(attack.format(other=B, name=role)))
                while cursor.nextset():
                    pass
                seen.append(cursor.fetchone())
            except psycopg.Error as error:
                seen.append(error.sqlstate)
    assert seen == [(3,), "FH002", "FH001", "42501", "42501", "42501", "42501", "42501", "42501", (0,), "42501", (0,)]


def test_keys_rotate_without_a_gap(shop: Shop, connect: Callable[..., Database]) -> None:
    old = connect()
    with shop.database.connect(autocommit=True) as admin:
        admin.execute("SELECT freehold.add_context_key_v1('k2', %s)", (SECRET[::-1],))
        new = connect(keys=KeyRing((Key("k2", SECRET[::-1]), KEY)))
        for db in (old, new):
            with db.transaction(tenant=A, actor="ana") as session:
                assert session.scalar(READ) == 3
        assert admin.execute("SELECT freehold.retire_context_key_v1('k1')").fetchone() == (True,)
        assert admin.execute("SELECT freehold.retire_context_key_v1('k1')").fetchone() == (False,)
    with pytest.raises(ContextForged), old.transaction(tenant=A, actor="ana") as session:
        session.scalar(READ)
    with new.transaction(tenant=A, actor="ana") as session:
        assert session.scalar(READ) == 3


def test_a_key_that_the_database_does_not_know_stops_the_start(shop: Shop) -> None:
    with pytest.raises(ContextKeyMissing, match="does not know the context key k9"):
        shop.connect(keys=KeyRing((Key("k9", SECRET),)))


def test_short_keys_and_odd_names_are_refused_by_the_database(shop: Shop) -> None:
    with shop.database.connect(autocommit=True) as admin:
        for name, secret in (("k3", b"short"), ("k|3", SECRET), ("k3", None)):
            with pytest.raises(psycopg.errors.InvalidParameterValue):
                admin.execute("SELECT freehold.add_context_key_v1(%s, %s)", (name, secret))
        # A secret longer than a block is hashed first, as HMAC has it.
        admin.execute("SELECT freehold.add_context_key_v1('k4', %s)", (SECRET * 2,))
        signed = admin.execute("SELECT freehold.sign_context_v1('x')").fetchone()
        assert signed == (f"{hmac.new(SECRET * 2, b'v1|k4|x', 'sha256').hexdigest()}|v1|k4|x",)


@pytest.mark.parametrize("login", ["postgres", "migrator"])
def test_an_unsafe_login_is_refused(shop: Shop, login: str) -> None:
    url = shop.database.url() if login == "postgres" else shop.url(login)
    with pytest.raises(UnsafeLogin, match="could step around row security"):
        Database.connect(url, **shop.place)


def test_an_owner_of_a_table_is_refused(shop: Shop) -> None:
    with shop.database.connect(autocommit=True) as admin:
        admin.execute(f"ALTER TABLE shop.product OWNER TO {shop.name}_app_a".encode())
    with pytest.raises(UnsafeLogin, match=r"owns the table shop\.product"):
        shop.connect()


def test_key_files(tmp_path: Path) -> None:
    file = tmp_path / "context.keys"
    fresh = Key.new("k7")
    file.write_text(f"# signs\n{fresh.line}\n\n{KEY.line}\n")
    file.chmod(0o600)
    assert KeyRing.read(file) == KeyRing((fresh, KEY))
    assert KeyRing.find(file).signing is not KEY
    assert KeyRing.find(None, {"FREEHOLD_CONTEXT_KEYS": KEY.line}) == RING
    assert KeyRing.parse(f"# one, two\n{fresh.line}, {KEY.line},# of old", "a test") == KeyRing((fresh, KEY))
    assert SECRET.hex() not in repr(RING)
    os.chmod(file, 0o640)
    with pytest.raises(ContextKeyMissing, match="open to others"):
        KeyRing.read(file)
    for text in ("", "k1", "k1:!!!", "k1:c2hvcnQ=", f"k|1:{base64.b64encode(SECRET).decode()}"):
        with pytest.raises(ContextKeyMissing):
            KeyRing.parse(text, "a test")
    with pytest.raises(ContextKeyMissing, match="cannot be read"):
        KeyRing.read(tmp_path / "absent")
    with pytest.raises(ContextKeyMissing, match="no key to sign"):
        KeyRing.find(None, {})
