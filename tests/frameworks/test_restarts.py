"""Servers that die in the middle of requests: a request that is sent again under its key has one effect."""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from freehold.servers.owned import OwnedServer
from freehold.testing.database import create_database
from tests.frameworks.conftest import EXAMPLES
from tests.frameworks.site import UVICORN, A, Built, as_tenant, build, running, served

APPLICATION = "examples.fastapi_shop.app:app"
WORKERS = 4
EFFECT = "SELECT count(*), (SELECT sum(stock) FROM shop.product) FROM shop.customer_order"
STOCK = 10_000


@pytest.fixture
def own_shop(own_server: OwnedServer, tmp_path: Path) -> Built:
    """The shop on a server of the test's own, which keeps its port from here on."""
    own_server.restart()
    return build(create_database(own_server, "shop"), EXAMPLES["fastapi"], "shop", tmp_path / "keys")


def insist(base: str, stop: threading.Event) -> list[httpx.Response]:
    """Order again and again, each order under a key of its own, sent until it is answered with a result."""
    done: list[httpx.Response] = []
    with as_tenant(base, A) as client:
        while not stop.is_set():
            done.append(_sent(client, str(uuid.uuid4())))
    return done


def _sent(client: httpx.Client, key: str) -> httpx.Response:
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = client.post("/orders", json={"product": "tea", "quantity": 1}, headers={"Idempotency-Key": key})
        except httpx.TransportError:
            answer = None
        if answer is not None and answer.status_code != 503:
            return answer
        assert time.monotonic() < deadline, answer.text if answer is not None else "no answer"
        time.sleep(0.05)


def _stocked(base: str) -> None:
    with as_tenant(base, A) as client:
        assert client.post("/products", json={"name": "tea", "stock": STOCK}).status_code == 201


def _judge(answers: list[httpx.Response], shop: Built) -> None:
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == len(answers)
    assert shop.ask(EFFECT) == [(len(answers), STOCK - len(answers))]


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_postgresql_is_killed_in_the_middle(
    own_server: OwnedServer, own_shop: Built, tmp_path: Path, stop: threading.Event
) -> None:
    with served(UVICORN, APPLICATION, own_shop.environment(), tmp_path / "log") as base:
        _stocked(base)
        with ThreadPoolExecutor(WORKERS) as threads:
            clients = [threads.submit(insist, base, stop) for _ in range(WORKERS)]
            for _ in range(2):
                time.sleep(0.7)
                own_server.kill()
                own_server.start()
            time.sleep(0.7)
            stop.set()
            answers = [answer for client in clients for answer in client.result()]
        assert len(answers) > WORKERS
        _judge(answers, own_shop)


def test_the_web_server_is_killed_in_the_middle(fastapi_shop: Built, tmp_path: Path, stop: threading.Event) -> None:
    with running(UVICORN, APPLICATION, fastapi_shop.environment(), tmp_path / "log") as site:
        _stocked(site.base)
        with ThreadPoolExecutor(WORKERS) as threads:
            clients = [threads.submit(insist, site.base, stop) for _ in range(WORKERS)]
            for _ in range(2):
                time.sleep(0.7)
                site.kill()
                site.start()
            time.sleep(0.7)
            stop.set()
            answers = [answer for client in clients for answer in client.result()]
        assert len(answers) > WORKERS
        _judge(answers, fastapi_shop)
