"""The FastAPI shop under uvicorn: once for each key, tenants apart, and every error a problem document."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from freehold.servers.owned import OwnedServer
from freehold.testing.proxy import KillableProxy
from freehold.testing.servers import wait_for_replay
from tests.frameworks.site import PASSWORD, UVICORN, A, B, Built, as_tenant, served

APPLICATION = "examples.fastapi_shop.app:app"
COMMIT = b"COMMIT\0"
RECORD = b"record_outcome"
"""Travels in one message with COMMIT, whose own text a connection sends only once."""
EFFECT = "SELECT (SELECT count(*) FROM shop.customer_order), (SELECT coalesce(sum(stock), 0) FROM shop.product)"


@pytest.fixture
def base(fastapi_shop: Built, tmp_path: Path) -> Iterator[str]:
    """The shop's address."""
    with served(UVICORN, APPLICATION, fastapi_shop.environment(), tmp_path / "log") as address:
        yield address


@pytest.fixture
def client(base: str) -> Iterator[httpx.Client]:
    """A client of one company, which sells tea."""
    with as_tenant(base, A) as made:
        stock(made)
        yield made


def stock(client: httpx.Client, name: str = "tea", number: int = 100) -> None:
    """Sell a product."""
    answer = client.post("/products", json={"name": name, "stock": number})
    assert answer.status_code == 201, answer.text


def order(client: httpx.Client, key: str, quantity: int = 1, product: str = "tea") -> httpx.Response:
    """Order some of it."""
    return client.post(
        "/orders", json={"product": product, "quantity": quantity}, headers={"Idempotency-Key": f'"{key}"'}
    )


def told(answer: httpx.Response) -> tuple[int, Any]:
    """Status and code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    assert answer.json()["status"] == answer.status_code
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    return answer.status_code, answer.json().get("code")


def test_two_tenants_interleaved_never_see_each_other(base: str, fastapi_shop: Built) -> None:
    def once(number: int) -> set[str]:
        tenant = (A, B)[number % 2]
        with as_tenant(base, tenant, actor=f"actor of {tenant}") as client:
            made = order(client, f"k{number}")
            assert made.status_code == 201, made.text
            return {each["ordered_by"] for each in client.get("/orders").json()}

    for tenant in (A, B):
        with as_tenant(base, tenant) as client:
            stock(client)
    with ThreadPoolExecutor(6) as threads:
        found = list(threads.map(once, range(36)))
    assert found == [{f"actor of {(A, B)[number % 2]}"} for number in range(36)]
    assert fastapi_shop.ask(EFFECT) == [(36, 164)]


def test_the_same_key_at_the_same_time_has_one_effect_and_one_answer(client: httpx.Client, fastapi_shop: Built) -> None:
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(lambda _: order(client, "k1", 3), range(12)))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert sum("idempotency-replayed" not in answer.headers for answer in answers) == 1
    assert fastapi_shop.ask(EFFECT) == [(1, 97)]


def test_a_key_is_of_one_request_and_one_actor(client: httpx.Client, base: str, fastapi_shop: Built) -> None:
    assert order(client, "k1").status_code == 201
    assert told(order(client, "k1", 2)) == (422, "outcome.key-reused")
    with as_tenant(base, A, actor="ben") as other:
        assert order(other, "k1", 2).status_code == 201
    assert fastapi_shop.ask(EFFECT) == [(2, 97)]


@pytest.mark.parametrize("key", [None, "", '"', "two words", "x" * 300])
def test_a_request_without_a_key_is_refused(client: httpx.Client, key: str | None) -> None:
    headers = {} if key is None else {"Idempotency-Key": key}
    answer = client.post("/orders", json={"product": "tea", "quantity": 1}, headers=headers)
    assert told(answer) == (400, None)


def test_an_error_is_not_stored_under_the_key(client: httpx.Client, fastapi_shop: Built) -> None:
    assert told(order(client, "k1", product="rum")) == (404, None)
    assert told(order(client, "k2", 101)) == (422, "data.check")
    assert fastapi_shop.ask(EFFECT) == [(0, 100)]
    stock(client, "rum")
    assert order(client, "k1", product="rum").status_code == 201


def test_every_error_is_a_problem(client: httpx.Client, base: str) -> None:
    duplicate = client.post("/products", json={"name": "tea", "stock": 1})
    assert told(duplicate) == (409, "data.duplicate")
    assert duplicate.json()["columns"] == ["name"]
    assert told(client.post("/products", json={"name": "tea"})) == (422, "request.invalid")
    assert told(client.get("/nowhere")) == (404, None)
    with as_tenant(base, None, actor="") as nobody:
        assert told(nobody.get("/orders")) == (403, "context.missing")
        assert told(nobody.post("/products", json={"name": "tea", "stock": 1})) == (403, "context.missing")
    with as_tenant(base, "no uuid") as wrong:
        assert told(wrong.get("/orders")) == (400, None)


def test_an_endpoint_that_blocks(client: httpx.Client, base: str, fastapi_shop: Built) -> None:
    with as_tenant(base, B) as other:
        assert told(other.delete("/products/tea")) == (404, None)
    assert client.delete("/products/tea").json() == {"withdrawn": "tea"}
    assert fastapi_shop.ask("SELECT count(*) FROM shop.product") == [(0,)]


def test_a_constraint_at_commit_is_told_before_any_success(client: httpx.Client, fastapi_shop: Built) -> None:
    assert order(client, "k1").status_code == 201
    assert told(client.delete("/products/tea")) == (409, "data.reference")
    assert fastapi_shop.ask(EFFECT) == [(1, 99)]


def test_a_client_that_went_away_gets_the_answer_later(client: httpx.Client, fastapi_shop: Built) -> None:
    with fastapi_shop.database.connect() as blocker:
        blocker.execute("SELECT * FROM shop.product FOR UPDATE")
        with pytest.raises(httpx.ReadTimeout):
            client.post(
                "/orders", json={"product": "tea", "quantity": 1}, headers={"Idempotency-Key": "k1"}, timeout=0.5
            )
    time.sleep(0.2)
    answer = order(client, "k1")
    assert answer.status_code == 201
    assert fastapi_shop.ask(EFFECT) == [(1, 99)]


@pytest.mark.parametrize("cut", ["after", "before"])
def test_a_lost_reply_to_commit_is_settled_under_a_key(
    fastapi_shop: Built, killable_proxy: KillableProxy, tmp_path: Path, cut: str
) -> None:
    environment = fastapi_shop.environment(SHOP_DATABASE=fastapi_shop.through(killable_proxy.port))
    with served(UVICORN, APPLICATION, environment, tmp_path / "log") as base, as_tenant(base, A) as client:
        stock(client)
        sprung = killable_proxy.cut_after(RECORD) if cut == "after" else killable_proxy.cut_before(RECORD)
        answer = order(client, "k1")
        assert sprung.is_set()
        assert answer.status_code == 201, answer.text
        assert order(client, "k1").text == answer.text
        assert fastapi_shop.ask(EFFECT) == [(1, 99)]


def test_a_lost_reply_to_commit_is_told_without_a_key(
    fastapi_shop: Built, killable_proxy: KillableProxy, tmp_path: Path
) -> None:
    environment = fastapi_shop.environment(SHOP_DATABASE=fastapi_shop.through(killable_proxy.port))
    with served(UVICORN, APPLICATION, environment, tmp_path / "log") as base, as_tenant(base, A) as client:
        sprung = killable_proxy.cut_after(COMMIT)
        answer = client.post("/products", json={"name": "tea", "stock": 1})
        assert sprung.is_set()
        assert told(answer) == (500, "transaction.commit-unknown")
        assert client.post("/products", json={"name": "rum", "stock": 1}).status_code == 201


def _quantities(client: httpx.Client, **headers: str) -> list[int]:
    answer = client.get("/orders", headers=headers)
    assert answer.status_code == 200, answer.text
    return [each["quantity"] for each in answer.json()]


def _until(seen: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 30
    while not seen():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_replica_serves_reads_and_never_hides_the_clients_own_writes(
    fastapi_shop: Built, server: OwnedServer, replica: OwnedServer, tmp_path: Path
) -> None:
    wait_for_replay(server, replica)
    url = replica.url(fastapi_shop.database.name, user=f"{fastapi_shop.name}_app_a", password=PASSWORD)
    environment = fastapi_shop.environment(SHOP_REPLICAS=url)
    with (
        replica.connect(autocommit=True) as pauser,
        served(UVICORN, APPLICATION, environment, tmp_path / "log") as base,
        as_tenant(base, A) as client,
    ):
        stock(client)
        first = order(client, "k1", 1).headers["freehold-position"]
        _until(lambda: _quantities(client, **{"Freehold-Position": first}) == [1])
        wait_for_replay(server, replica)
        pauser.execute("SELECT pg_wal_replay_pause()")
        try:
            answer = order(client, "k2", 2)
            mine = answer.headers["freehold-position"]
            assert f"freehold_position={mine}" in answer.headers["set-cookie"]
            behind = [_quantities(client) for _ in range(3)]
            assert _quantities(client, **{"Freehold-Position": mine}) == [1, 2]
            assert _quantities(client, Cookie=f"freehold_position={mine}") == [1, 2]
        finally:
            pauser.execute("SELECT pg_wal_replay_resume()")
        assert [1] in behind, "no read went to the replica"
        assert told(client.get("/orders", headers={"Freehold-Position": f"{mine}0"})) == (
            400,
            "replica.position-invalid",
        )
