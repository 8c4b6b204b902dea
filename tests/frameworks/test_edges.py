"""The edges of HTTP: odd statuses and bodies, handshakes, forms under a key, and positions that are no good."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from io import BytesIO
from typing import Annotated, Any

import httpx
import pytest
import sqlalchemy as sa
from examples.fastapi_shop import layer as shop
from fastapi import Depends, FastAPI
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection, Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from freehold import AsyncSession, DataLayer, KeyRing, Session, errors
from freehold.errors import FreeholdError
from freehold.frameworks.fastapi import blocking_read, install, lifespan, read
from freehold.frameworks.idempotency import Once, _fingerprint, once
from freehold.frameworks.problem import problem_of
from freehold.frameworks.starlette import Trace, leave_position, position_of
from freehold.runtime import Key
from freehold.runtime.position import Position
from freehold.testing.proxy import KillableProxy
from tests.frameworks.site import A, Built

COOKIE = "position"
HEADER = "Freehold-Position"
RECORD = b"record_outcome"
Keyed = Annotated[Once, Depends(once)]


class Client:
    """A client in this process, whose application runs during its calls alone."""

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._run: Callable[..., Any] = asyncio.run

    def get(self, path: str, **options: Any) -> httpx.Response:
        """The answer."""
        return self.ask("GET", path, **options)

    def post(self, path: str, **options: Any) -> httpx.Response:
        """The answer."""
        return self.ask("POST", path, **options)

    def ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        """The answer."""

        async def asked() -> httpx.Response:
            transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="https://shop") as client:
                return await client.request(method, path, **options)

        found: httpx.Response = self._run(asked())
        return found

    @contextmanager
    def living(self) -> Iterator[Client]:
        """Between the application's start and its end."""
        life = self.app.router.lifespan_context(self.app)
        with asyncio.Runner() as runner:
            self._run = runner.run
            runner.run(life.__aenter__())
            try:
                yield self
            finally:
                runner.run(life.__aexit__(None, None, None))


Serve = Callable[..., AbstractContextManager[Client]]


@pytest.mark.parametrize("kind", [errors.OutcomeLost, errors.OutcomeAborted, errors.OutcomeTaken])
def test_what_may_come_again_under_its_key_says_when(kind: type[FreeholdError]) -> None:
    problem = problem_of(kind("m", hint="again"))
    assert problem is not None
    assert (problem.status, problem.headers(), problem.hint) == (503, {"Retry-After": "1"}, "again")


@pytest.mark.parametrize("kind", [errors.PrivilegeMissing, errors.InputError])
def test_what_the_application_did_wrong_is_not_the_clients(kind: type[FreeholdError]) -> None:
    problem = problem_of(kind("permission denied for table secret", hint="GRANT ... ON secret"))
    assert problem is not None
    assert problem.status == 500
    assert "secret" not in str(problem.document())


def alone(**routes: Any) -> Client:
    """An application without a database, for what ends before one is needed."""
    app = FastAPI()
    for name, endpoint in routes.items():
        app.add_api_route(f"/{name}", endpoint)

    @app.websocket("/socket")
    async def socket(connection: WebSocket) -> None:
        await connection.accept()

    def who(connection: HTTPConnection) -> tuple[Any, str]:
        asked = connection.headers.get("x-fail", "")
        if asked == "http":
            raise HTTPException(401, "Log in")
        if asked == "down":
            raise errors.ServerDown("nothing answers at db.internal", hint="Start it.")
        return A, "ana"

    install(app, who, position_cookie=COOKIE)
    return Client(app)


@pytest.mark.parametrize("status", [499, 599, 418])
def test_a_status_without_a_name_is_answered(status: int) -> None:
    def fail() -> None:
        raise HTTPException(status, "so")

    answer = alone(fail=fail).get("/fail")
    assert (answer.status_code, answer.json()["detail"]) == (status, "so")
    assert answer.json()["title"]


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_a_body_has_none(status: int) -> None:
    def fail() -> None:
        raise HTTPException(status, headers={"X-Own": "1"})

    answer = alone(fail=fail).get("/fail")
    assert (answer.status_code, answer.content, answer.headers["x-own"]) == (status, b"", "1")
    assert "content-type" not in answer.headers


@pytest.mark.parametrize("detail", [{"field": "name", "why": None}, ["a", "b"]])
def test_a_detail_that_is_no_text_stays_json(detail: Any) -> None:
    def fail() -> None:
        raise HTTPException(409, detail)

    found = alone(fail=fail).get("/fail").json()
    assert (found["errors"], "detail" in found) == (detail, False)


@pytest.mark.parametrize(("why", "status"), [("http", 401), ("down", 503)])
def test_why_nobody_could_be_identified(why: str, status: int) -> None:
    answer = alone().get("/nowhere", headers={"X-Fail": why, "X-Request-ID": "r-1"})
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert answer.json()["request_id"] == answer.headers["x-request-id"] == "r-1"
    assert "db.internal" not in answer.text
    assert ("retry-after" in answer.headers) is (why == "down")


@pytest.mark.parametrize("extensions", [{}, {"websocket.http.response": {}}])
def test_a_handshake_is_refused_as_the_server_can(extensions: dict[str, Any]) -> None:
    app: Any = alone().app
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    asked = {"path": "/socket", "headers": [(b"x-fail", b"http")], "query_string": b"", "extensions": extensions}
    asyncio.run(app({"type": "websocket", **asked}, receive, send))
    if not extensions:
        assert [(each["type"], each["code"]) for each in sent] == [("websocket.close", 1008)]
        return
    start, body = sent
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 401)
    assert b"x-request-id" in dict(start["headers"])
    assert b"Log in" in body["body"]


def connection(**headers: str) -> Request:
    """A request by itself."""
    raw = [(name.encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "headers": raw, "freehold.trace": Trace()})


def test_the_newest_position_is_left() -> None:
    ring = KeyRing((Key.new("k"),))
    old, new = (Position(1, 1, lsn).token(ring) for lsn in (0x9, 0x10))
    for order in ((old, new), (new, old)):
        request = connection()
        for each in order:
            leave_position(request, each)
        assert request.scope["freehold.trace"].position == new


def test_a_cookie_without_a_name_is_no_position() -> None:
    assert position_of(connection(cookie="nonsense")) is None
    assert position_of(connection(cookie=f"{COOKIE}=p"), cookie=COOKIE) == "p"


@pytest.fixture
def serve(fastapi_shop: Built) -> Serve:
    """The client of an application whose database tells positions."""
    layer = DataLayer(shop.Base.metadata, *shop.DECLARATIONS, name=fastapi_shop.name)

    @contextmanager
    def served(url: str = "") -> Iterator[Client]:
        address = url or fastapi_shop.environment()["SHOP_DATABASE"]
        app = FastAPI(lifespan=lifespan(layer, address, blocking=True, keys=str(fastapi_shop.keys), positions=True))
        install(app, lambda _: (A, "ana"), position_cookie=COOKIE)

        async def add(session: AsyncSession, name: str) -> dict[str, Any]:
            session.add(shop.Product(name=name, stock=1))
            return {"name": name}

        def add_blocking(session: Session, name: str) -> dict[str, Any]:
            session.add(shop.Product(name=name, stock=1))
            return {"name": name}

        @app.post("/products")
        async def products(key: Keyed, name: str) -> Response:
            return await key.run(add, name)

        @app.post("/blocking/products")
        def products_blocking(key: Keyed, name: str) -> Response:
            return key.run_blocking(add_blocking, name)

        @app.get("/products")
        async def names(session: Annotated[AsyncSession, read()]) -> list[str]:
            return list(await session.scalars(sa.select(shop.Product.name)))

        @app.get("/blocking/products")
        def names_blocking(session: Annotated[Session, blocking_read()]) -> list[str]:
            return list(session.scalars(sa.select(shop.Product.name)))

        with Client(app).living() as client:
            yield client

    return served


def ring_of(built: Built) -> KeyRing:
    """The application's keys."""
    return KeyRing.find(str(built.keys))


@pytest.mark.parametrize("path", ["/products", "/blocking/products"])
def test_a_repeated_answer_carries_a_position_behind_the_first(serve: Serve, fastapi_shop: Built, path: str) -> None:
    with serve() as client:
        first, again = (client.post(path, params={"name": "tea"}, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert (again.text, again.headers["idempotency-replayed"]) == (first.text, "true")
    places = [Position.parse(answer.headers[HEADER], ring_of(fastapi_shop)) for answer in (first, again)]
    assert places[0] <= places[1]


@pytest.mark.parametrize("path", ["/products", "/blocking/products"])
def test_a_settled_commit_carries_a_position(
    serve: Serve, fastapi_shop: Built, killable_proxy: KillableProxy, path: str
) -> None:
    with serve(fastapi_shop.through(killable_proxy.port)) as client:
        sprung = killable_proxy.cut_after(RECORD)
        answer = client.post(path, params={"name": "tea"}, headers={"Idempotency-Key": "k"})
    assert sprung.is_set()
    assert answer.status_code == 200, answer.text
    assert Position.parse(answer.headers[HEADER], ring_of(fastapi_shop)).lsn > 0


@pytest.mark.parametrize("path", ["/products", "/blocking/products"])
@pytest.mark.parametrize("fault", ["keys", "cluster"])
def test_a_cookie_that_is_no_good_is_dropped_and_a_header_refused(
    serve: Serve, fastapi_shop: Built, path: str, fault: str
) -> None:
    ring = KeyRing((Key.new("gone"),)) if fault == "keys" else ring_of(fastapi_shop)
    token = Position(1, 1, 1).token(ring)
    with serve() as client:
        answer = client.get(path, headers={"Cookie": f"{COOKIE}={token}"})
        assert (answer.status_code, answer.json()) == (200, [])
        assert f"{COOKIE}={token}" not in answer.headers["set-cookie"]
        refused = client.get(path, headers={HEADER: token})
    assert (refused.status_code, refused.json()["code"]) == (400, "replica.position-invalid")


def test_a_form_that_was_read_already_is_told_by_what_it_holds() -> None:
    def told(name: str, content: bytes) -> str:
        # As FastAPI leaves it, where the endpoint takes a form.
        request = Request({"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": []})
        request._stream_consumed = True
        file = UploadFile(BytesIO(content), filename="p.txt", headers=Headers({"content-type": "text/plain"}))
        request._form = FormData([("name", name), ("picture", file)])
        found = asyncio.run(_fingerprint(request))
        assert file.file.read() == content
        return found

    assert told("tea", b"green") == told("tea", b"green")
    assert len({told("tea", b"green"), told("tea", b"black"), told("rum", b"green")}) == 3
