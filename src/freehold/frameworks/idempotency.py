"""The header Idempotency-Key: a request that is repeated is answered again and not done again.

See "The Idempotency-Key HTTP Header Field" (IETF, draft-ietf-httpapi-idempotency-key-header).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from fastapi import HTTPException, Request
from fastapi.encoders import jsonable_encoder
from starlette.datastructures import UploadFile
from starlette.responses import JSONResponse, Response

from freehold.frameworks.fastapi import blocking_database, database
from freehold.frameworks.starlette import leave_position
from freehold.runtime import AsyncSession, Session
from freehold.runtime.scope import current

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
CHUNK = 65536
"""Bytes of an uploaded file that are held at once."""
NOTHING = sa.select(sa.null())
_KEY = re.compile(r'"([\x21\x23-\x5b\x5d-\x7e]{1,255})"|([\x21\x23-\x5b\x5d-\x7e]{1,255})')
"""A structured field's string (RFC 8941), and the bare value that most clients send."""


@dataclass(frozen=True, slots=True)
class Once:
    """One request under its key.

    Parameters
    ----------
    key
        The client's key, with the actor: a client cannot be answered with what was another's.
    fingerprint
        Digest of method, path, query and body (of a form its fields and files, whose boundary clients choose anew);
        another request under the same key is refused with 422.
    """

    request: Request
    key: str
    fingerprint: str

    async def run(
        self,
        function: Callable[..., Awaitable[Any]],
        *arguments: Any,
        status: int = 200,
        workload: str = "default",
    ) -> Response:
        """Answer with what ``function(session, *arguments)`` gives, done and stored in one transaction.

        A repeated request, at the same time or later, waits for the first and gets the same status and body. An
        exception stores nothing, so that the same key may be tried again. The function may run several times, but
        only one run is committed.

        Where positions are on, the answer carries one that has what was stored, a repeated answer too.
        """
        db, runs = database(self.request), _Runs()

        async def work(session: AsyncSession) -> dict[str, Any]:
            runs.last = session
            return _answer_of(status, await function(session, *arguments))

        found = await db.run(work, workload=workload, key=self.key, request=self.fingerprint)
        position = runs.position
        if not position and db.positions:
            # Another call stored it, or COMMIT's own answer was lost: where the primary is now is behind it.
            async with db.read(mode="snapshot", workload=workload) as session:
                await session.execute(NOTHING)
            position = session.position
        return self._answer(found, runs, position)

    def run_blocking(
        self, function: Callable[..., Any], *arguments: Any, status: int = 200, workload: str = "default"
    ) -> Response:
        """:meth:`run` for endpoints without ``async``."""
        db, runs = blocking_database(self.request), _Runs()

        def work(session: Session) -> dict[str, Any]:
            runs.last = session
            return _answer_of(status, function(session, *arguments))

        found = db.run(work, workload=workload, key=self.key, request=self.fingerprint)
        position = runs.position
        if not position and db.positions:
            with db.read(mode="snapshot", workload=workload) as session:
                session.execute(NOTHING)
            position = session.position
        return self._answer(found, runs, position)

    def _answer(self, found: Mapping[str, Any], runs: _Runs, position: str) -> Response:
        leave_position(self.request, position)
        headers = {REPLAYED: "true"} if runs.last is None else {}
        return Response(found["body"], found["status"], headers, JSONResponse.media_type)


@dataclass(slots=True)
class _Runs:
    """The session of the last run; None where the stored answer was there already."""

    last: AsyncSession | Session | None = None

    @property
    def position(self) -> str:
        """Where its COMMIT was; "" where nobody knows."""
        return "" if self.last is None else self.last.position


async def once(request: Request) -> Once:
    """Depend on the request's key: ``once: Annotated[Once, Depends(once)]``.

    Raises
    ------
    HTTPException
        400: the header is missing or is no key.
    """
    given = request.headers.get(HEADER)
    if given is None:
        raise HTTPException(400, f"The header {HEADER} is missing; give each request a new one, such as a UUID")
    found = _KEY.fullmatch(given.strip())
    if found is None:
        raise HTTPException(400, f"The header {HEADER} holds no key of 1 to 255 printable characters")
    owned = json.dumps([current().actor, found[1] or found[2]])
    return Once(request, _digest(owned.encode()), await _fingerprint(request))


def _answer_of(status: int, result: Any) -> dict[str, Any]:
    # As text: what is sent again is the same to the byte, and jsonb keeps no order of members.
    return {"status": status, "body": bytes(JSONResponse(jsonable_encoder(result)).body).decode()}


async def _fingerprint(request: Request) -> str:
    head = json.dumps([request.method, request.url.path, request.url.query])
    return _digest(head.encode() + b"\0" + await _body(request))


async def _body(request: Request) -> bytes:
    try:
        return await request.body()
    except RuntimeError:
        # FastAPI has read it as a form already, and keeps what it found.
        form = await request.form()
        return json.dumps([[name, *await _told(value)] for name, value in form.multi_items()]).encode()


async def _told(value: UploadFile | str) -> list[str | None]:
    if isinstance(value, str):
        return [value]
    content = hashlib.sha256()
    await value.seek(0)
    while part := await value.read(CHUNK):
        content.update(part)
    await value.seek(0)
    return [value.filename, value.content_type, content.hexdigest()]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
