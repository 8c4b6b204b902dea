"""The Django shop under a WSGI and an ASGI server: tenants apart, all or nothing, typed pages."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from freehold.testing.proxy import KillableProxy
from tests.frameworks.site import UVICORN, WAITRESS, A, B, Built, as_tenant, served

COMMIT = b"COMMIT\0"
SERVERS = {
    "wsgi": (WAITRESS, "examples.django_shop.wsgi:application"),
    "asgi": (UVICORN, "examples.django_shop.asgi:application"),
}


@pytest.fixture(params=SERVERS)
def base(request: pytest.FixtureRequest, django_shop: Built, tmp_path: Path) -> Iterator[str]:
    """The shop's address."""
    with served(*SERVERS[request.param], django_shop.environment(), tmp_path / "log") as address:
        yield address


@pytest.fixture
def wsgi(django_shop: Built, tmp_path: Path) -> Iterator[str]:
    """The shop's address, under WSGI alone."""
    with served(*SERVERS["wsgi"], django_shop.environment(), tmp_path / "log") as address:
        yield address


def test_two_tenants_interleaved_never_see_each_other(base: str, django_shop: Built) -> None:
    def once(number: int) -> set[str]:
        tenant = (A, B)[number % 2]
        with as_tenant(base, tenant) as client:
            made = client.post("/orders/new", json={"product": f"tea of {tenant}", "quantity": 1})
            assert made.status_code == 201, made.text
            names: set[str] = set(client.get("/products").json()["names"])
            return names | {order["product"] for order in client.get("/orders").json()["orders"]}

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(once, range(24)))
    assert [seen == {f"tea of {(A, B)[number % 2]}"} for number, seen in enumerate(found)] == [True] * 24
    assert django_shop.ask("SELECT count(*), count(DISTINCT tenant_id) FROM shop.customer_order") == [(24, 2)]


def test_an_exception_rolls_back_the_request(wsgi: str, django_shop: Built) -> None:
    with as_tenant(wsgi, A) as client:
        answer = client.post("/orders/new", json={"product": "tea", "quantity": 2**40})
    assert answer.status_code == 422
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "data.out-of-range"
    assert django_shop.ask("SELECT count(*) FROM shop.product") == [(0,)]


@pytest.mark.parametrize("path", ["/orders", "/products"])
def test_nobody_sees_no_rows_but_a_typed_page(wsgi: str, path: str) -> None:
    with as_tenant(wsgi, A) as client:
        assert client.post("/products/new", json={"name": "tea"}).status_code == 201
    with as_tenant(wsgi, None, actor="") as client:
        answer = client.get(path, headers={"X-Request-ID": "r-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (403, "application/problem+json")
    assert (answer.json()["code"], answer.json()["request_id"]) == ("context.missing", "r-1")


def test_an_actor_without_a_tenant_reaches_no_row_of_one(wsgi: str) -> None:
    with as_tenant(wsgi, A) as client:
        client.post("/products/new", json={"name": "tea"})
    with as_tenant(wsgi, None) as client:
        answers = [client.get("/products"), client.post("/products/new", json={"name": "tea"})]
    assert [(answer.status_code, answer.json()["code"]) for answer in answers] == [(403, "context.missing")] * 2


def test_a_duplicate_is_a_conflict_inside_one_tenant_alone(wsgi: str) -> None:
    with as_tenant(wsgi, A) as a, as_tenant(wsgi, B) as b:
        answers = [client.post("/products/new", json={"name": "tea"}) for client in (a, b, a)]
    assert [answer.status_code for answer in answers] == [201, 201, 409]
    assert answers[2].json()["code"] == "data.duplicate"
    assert answers[2].json()["columns"] == ["name"]
    assert answers[2].json()["constraint"] == "product_tenant_id_name_key"


@pytest.mark.parametrize(("cut", "rows"), [("after", 1), ("before", 0)])
def test_a_lost_reply_to_commit_is_told(
    django_shop: Built, killable_proxy: KillableProxy, tmp_path: Path, cut: str, rows: int
) -> None:
    url = django_shop.through(killable_proxy.port)
    environment = django_shop.environment(SHOP_DATABASE=url)
    with served(*SERVERS["wsgi"], environment, tmp_path / "log") as base, as_tenant(base, A) as client:
        assert client.get("/orders").status_code == 200
        sprung = killable_proxy.cut_after(COMMIT) if cut == "after" else killable_proxy.cut_before(COMMIT)
        answer = client.post("/products/new", json={"name": "tea"})
        assert sprung.is_set()
        assert (answer.status_code, answer.json()["code"]) == (500, "transaction.commit-unknown")
        assert django_shop.ask("SELECT count(*) FROM shop.product") == [(rows,)]
        assert client.get("/orders").status_code == 200


def test_a_connection_lost_between_requests_is_made_anew(
    django_shop: Built, killable_proxy: KillableProxy, tmp_path: Path
) -> None:
    environment = django_shop.environment(SHOP_DATABASE=django_shop.through(killable_proxy.port))
    with served(*SERVERS["asgi"], environment, tmp_path / "log") as base, as_tenant(base, A) as client:
        assert client.get("/orders").status_code == 200
        killable_proxy.cut()
        answers = [client.get("/orders") for _ in range(4)]
    broken = [answer for answer in answers if answer.status_code != 200]
    assert [answer.json()["code"] for answer in broken] == ["server.connection-lost"] * len(broken)
    assert [answer.headers["retry-after"] for answer in broken] == ["1"] * len(broken)
    assert len(broken) <= 1
    assert answers[-1].status_code == 200


def test_a_tenant_that_is_none_is_a_bad_request(wsgi: str) -> None:
    with as_tenant(wsgi, "no uuid") as client:
        answer = client.get("/orders", headers={"X-Request-ID": "r-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/problem+json")
    assert (answer.json()["detail"], answer.headers["x-request-id"]) == ("X-Tenant is no UUID", "r-1")
