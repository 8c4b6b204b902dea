"""The Django backend by itself: where transactions begin, whose they are, and what it refuses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from typing import Any

import django
import psycopg
import pytest
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, IntegrityError, OperationalError, connections, transaction
from examples.django_shop import layer as shop
from psycopg.conninfo import conninfo_to_dict

from freehold import DataLayer, KeyRing
from freehold.errors import (
    CommitInside,
    CommitRefused,
    ContextKeyMissing,
    ContextMissing,
    LoginRefused,
    NestedTransaction,
    ServerDown,
    StatementTimeout,
    UnsafeLogin,
)
from freehold.events import Event, TransactionEnded
from freehold.frameworks.django.base import DatabaseWrapper
from freehold.runtime import Key, versions
from freehold.runtime.scope import acting
from freehold.runtime.workload import Workload
from freehold.servers.pooler import Pooler
from tests.frameworks.site import PASSWORD, A, B, Built

ALIAS = "shop"
ADD = "INSERT INTO shop.product (tenant_id, name) VALUES (%s, %s)"
NAMES = "SELECT name FROM shop.product ORDER BY name"
Open = Callable[..., DatabaseWrapper]


@pytest.fixture
def open_wrapper(django_shop: Built) -> Iterator[Open]:
    """A function that opens a connection of Django, with changes to its settings."""
    if not settings.configured:
        settings.configure(USE_TZ=True)
        django.setup()
    opened: list[DatabaseWrapper] = []

    def make(url: str = "", **options: Any) -> DatabaseWrapper:
        address = conninfo_to_dict(url or django_shop.environment()["SHOP_DATABASE"])
        layer = DataLayer(shop.Base.metadata, *shop.DECLARATIONS, name=django_shop.name)
        database = {
            "HOST": address["host"],
            "PORT": address["port"],
            "NAME": address["dbname"],
            "USER": address["user"],
            "PASSWORD": address.get("password", ""),
            "OPTIONS": {"layer": layer, "keys": str(django_shop.keys), **options},
        }
        connections.settings[ALIAS] = connections.configure_settings({"default": {}, ALIAS: database})[ALIAS]
        opened.append(DatabaseWrapper(connections.settings[ALIAS], ALIAS))
        connections[ALIAS] = opened[-1]
        return opened[-1]

    yield make
    for each in opened:
        each.close()
    del connections[ALIAS]


@pytest.fixture
def wrapper(open_wrapper: Open) -> DatabaseWrapper:
    """The application's connection."""
    return open_wrapper()


def rows(wrapper: DatabaseWrapper, query: str = NAMES) -> list[Any]:
    """The first column of a query."""
    with wrapper.cursor() as cursor:
        cursor.execute(query)
        return [row[0] for row in cursor.fetchall()]


def add(wrapper: DatabaseWrapper, name: str, tenant: str = A) -> None:
    """A product."""
    with wrapper.cursor() as cursor:
        cursor.execute(ADD, [tenant, name])


def test_the_first_statement_carries_begin_and_context(wrapper: DatabaseWrapper) -> None:
    wrapper.ensure_connection()
    with acting(tenant=A, actor="ana", request_id="r-1"), transaction.atomic(ALIAS):
        assert rows(wrapper, "SELECT freehold.actor_v1()") == ["ana"]
        assert wrapper.connection.round_trips == 1
        assert rows(wrapper, "SELECT current_setting('freehold.request_id')") == ["r-1"]
        assert rows(wrapper, "SHOW statement_timeout") == ["30s"]
    raw = wrapper.connection
    raw.begin_as = None
    assert raw.execute("SELECT current_setting('freehold.context', true)").fetchone() == ("",)


def test_a_statement_outside_atomic_is_a_transaction_of_its_own(wrapper: DatabaseWrapper) -> None:
    with acting(tenant=A, actor="ana"):
        add(wrapper, "tea")
        with wrapper.cursor() as cursor:
            cursor.executemany(ADD, [(A, "milk"), (A, "rum")])
            with cursor.copy("COPY (SELECT name FROM shop.product ORDER BY name) TO STDOUT") as copy:
                assert [row[0] for row in copy.rows()] == ["milk", "rum", "tea"]
        with pytest.raises(IntegrityError):
            add(wrapper, "tea")
        assert rows(wrapper) == ["milk", "rum", "tea"]
    with acting(tenant=B, actor="ben"):
        assert rows(wrapper) == []


def test_nobody_runs_no_statement(wrapper: DatabaseWrapper) -> None:
    with pytest.raises(ContextMissing) as caught:
        rows(wrapper)
    assert isinstance(caught.value, DatabaseError)
    with pytest.raises(ContextMissing), transaction.atomic(ALIAS):
        rows(wrapper)


def test_a_row_of_another_tenant_is_refused(wrapper: DatabaseWrapper, django_shop: Built) -> None:
    with acting(tenant=A, actor="ana"), pytest.raises(DatabaseError):
        add(wrapper, "tea", B)
    assert django_shop.ask("SELECT count(*) FROM shop.product") == [(0,)]


def test_the_scope_may_not_change_inside(wrapper: DatabaseWrapper) -> None:
    with acting(tenant=A, actor="ana"), transaction.atomic(ALIAS):
        add(wrapper, "tea")
        with acting(tenant=B), pytest.raises(NestedTransaction):
            rows(wrapper)
        assert rows(wrapper) == ["tea"]


def test_savepoints_undo_a_part(wrapper: DatabaseWrapper) -> None:
    with acting(tenant=A, actor="ana"):
        with transaction.atomic(ALIAS):
            add(wrapper, "tea")
            with pytest.raises(KeyError), transaction.atomic(ALIAS):
                add(wrapper, "rum")
                raise KeyError
        assert rows(wrapper) == ["tea"]


def test_a_failed_transaction_is_never_told_as_committed(wrapper: DatabaseWrapper, django_shop: Built) -> None:
    with acting(tenant=A, actor="ana"):
        with pytest.raises(CommitRefused), transaction.atomic(ALIAS):
            add(wrapper, "tea")
            with pytest.raises(IntegrityError), wrapper.wrap_database_errors:
                wrapper.connection.execute(ADD, [A, "tea"])
        assert rows(wrapper) == []


def test_a_statement_cannot_end_the_transaction(wrapper: DatabaseWrapper) -> None:
    with acting(tenant=A, actor="ana"):
        with pytest.raises(CommitInside), transaction.atomic(ALIAS):
            add(wrapper, "tea")
            wrapper.cursor().execute("ROLLBACK")
        assert rows(wrapper) == []


@pytest.mark.parametrize("commits", [True, False])
def test_an_empty_block_after_a_used_one(wrapper: DatabaseWrapper, commits: bool) -> None:
    with acting(tenant=A, actor="ana"):
        for _ in range(2):
            with transaction.atomic(ALIAS):
                rows(wrapper)
                transaction.set_rollback(not commits, ALIAS)
            with transaction.atomic(ALIAS):
                transaction.set_rollback(not commits, ALIAS)


def test_a_connection_is_usable_after_its_transactions_time(open_wrapper: Open) -> None:
    wrapper = open_wrapper(workload=Workload("web", transaction_timeout=0.3))
    with acting(tenant=A, actor="ana"):
        for commits in (True, False):
            with transaction.atomic(ALIAS):
                rows(wrapper)
                transaction.set_rollback(not commits, ALIAS)
            with psycopg.connect(wrapper.connection.info.dsn, password=PASSWORD) as other:
                other.execute("SELECT pg_sleep(0.4)")
            assert wrapper.is_usable()


@pytest.mark.parametrize("inside", [True, False])
def test_a_statement_that_takes_too_long_is_told_as_such(open_wrapper: Open, inside: bool) -> None:
    wrapper = open_wrapper(workload=Workload("web", statement_timeout=0.2))
    block: Any = transaction.atomic(ALIAS) if inside else nullcontext()
    with acting(tenant=A, actor="ana"), pytest.raises(StatementTimeout) as caught, block:
        rows(wrapper, "SELECT pg_sleep(30)")
    assert isinstance(caught.value, OperationalError)


def test_a_listener_is_told_how_each_transaction_ended(open_wrapper: Open) -> None:
    heard: list[Event] = []
    wrapper = open_wrapper(listener=heard.append)
    with acting(tenant=A, actor="ana"):
        add(wrapper, "tea")
        with pytest.raises(IntegrityError):
            add(wrapper, "tea")
        with transaction.atomic(ALIAS):
            rows(wrapper)
        with transaction.atomic(ALIAS):
            rows(wrapper)
            transaction.set_rollback(True, ALIAS)
        with transaction.atomic(ALIAS):
            pass
    ended = [event.outcome for event in heard if isinstance(event, TransactionEnded)]
    assert ended == ["committed", "rolled back", "committed", "rolled back"]


def test_libpq_notices_a_dead_peer(open_wrapper: Open) -> None:
    params = open_wrapper(connect_timeout=7).get_connection_params()
    assert (params["tcp_user_timeout"], params["connect_timeout"]) == ("10000", 7)


def test_an_isolation_level_that_the_server_does_not_keep_is_refused(
    open_wrapper: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrapper = open_wrapper()
    asked: list[Any] = []
    monkeypatch.setattr(versions, "refuse_false_promises", lambda *told: asked.append(told[1:]))
    monkeypatch.setattr(wrapper.layer, "accepted_advisories", {"X": "why"})
    wrapper.ensure_connection()
    assert asked == [([wrapper.workload], {"X": "why"})]


def test_rows_in_chunks(wrapper: DatabaseWrapper) -> None:
    with acting(tenant=A, actor="ana"):
        add(wrapper, "tea")
        for inside in (True, False):
            if inside:
                with transaction.atomic(ALIAS):
                    assert _chunk(wrapper) == [("tea",)]
            else:
                assert _chunk(wrapper) == [("tea",)]


def _chunk(wrapper: DatabaseWrapper) -> list[Any]:
    with wrapper.chunked_cursor() as cursor:
        cursor.execute(NAMES)
        found: list[Any] = cursor.fetchmany(10)
        return found


def test_an_unsafe_login_is_refused(open_wrapper: Open, django_shop: Built) -> None:
    with pytest.raises(UnsafeLogin):
        open_wrapper(django_shop.database.url()).ensure_connection()


def test_an_unknown_key_is_refused(open_wrapper: Open) -> None:
    with pytest.raises(ContextKeyMissing):
        open_wrapper(keys=KeyRing((Key.new("other"),))).ensure_connection()


def test_why_there_is_no_connection(open_wrapper: Open, django_shop: Built) -> None:
    url = django_shop.environment()["SHOP_DATABASE"]
    with pytest.raises(ServerDown) as caught:
        open_wrapper(url.replace(f":{django_shop.database.server.port}/", ":1/")).ensure_connection()
    assert isinstance(caught.value, OperationalError)
    with pytest.raises(LoginRefused):
        open_wrapper(url.replace("_app_a", "_nobody")).ensure_connection()


@pytest.mark.parametrize("option", [{"isolation_level": 4}, {"pool": True}, {"layer": "freehold.FreeholdError"}])
def test_options_that_would_be_ignored_are_refused(open_wrapper: Open, option: dict[str, Any]) -> None:
    with pytest.raises(ImproperlyConfigured):
        open_wrapper(**option).ensure_connection()


def test_behind_a_transaction_pooler(open_wrapper: Open, django_shop: Built, pooler: Pooler) -> None:
    """One server connection serves two tenants in turn, and each statement finds its own context."""
    url = django_shop.environment()["SHOP_DATABASE"].replace(
        f":{django_shop.database.server.port}/", f":{pooler.port}/"
    )
    wrappers = {A: open_wrapper(url), B: open_wrapper(url)}
    for number in range(4):
        for tenant, wrapper in wrappers.items():
            with acting(tenant=tenant, actor="ana"):
                add(wrapper, f"{number} of {tenant}", tenant)
                assert rows(wrapper) == [f"{each} of {tenant}" for each in range(number + 1)]
    with pytest.raises(ContextMissing):
        rows(wrappers[A])
