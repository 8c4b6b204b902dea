"""Where injections are made: what a caller is told is held against what is stored, each time."""

from __future__ import annotations

import random
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Self

import psycopg

from torture.ground import Ground
from torture.vault import Clients

END_WAITS = {
    name: psycopg.sql.SQL(
        "SELECT {}(pid) FROM pg_stat_activity WHERE usename = %s AND wait_event IN ('SyncRep', 'PgSleep')"
    ).format(psycopg.sql.Identifier(name))
    for name in ("pg_cancel_backend", "pg_terminate_backend")
}
ACTIVE = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s AND state = 'active'"
STORED = "SELECT count(*) FROM vault.entry WHERE mark = %s"


class Success(BaseException):
    """The call returned; never raised."""


class Field:
    """An application, what it was told, and what of that is wrong."""

    def __init__(self, where: Ground, clients: Clients, draw: random.Random, name: str) -> None:
        self.where, self.clients, self.draw = where, clients, draw
        self.told: Counter[str] = Counter()
        self.wrong: list[str] = []
        self._name, self._number = name, 0
        self._admin = where.admin()
        self._interrupting = False
        self._handler: Any = None

    def __enter__(self) -> Self:
        self._handler = signal.signal(signal.SIGINT, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        signal.signal(signal.SIGINT, self._handler)
        self._admin.close()

    def _interrupt(self, number: int, frame: FrameType | None) -> None:
        if self._interrupting:
            raise KeyboardInterrupt

    def mark(self, kind: str) -> str:
        """A mark of its own."""
        self._number += 1
        return f"{kind} {self._name} {self._number}"

    def expect(self, mark: str, call: Callable[[], Any], wanted: Mapping[type[BaseException], bool | None]) -> None:
        """Call, and hold what it raised or gave against what is stored.

        Parameters
        ----------
        call
            May also give an error instead of raising it.
        wanted
            Whether the mark is stored, by each type that may come; None where it may be either.
        """
        kind: type[BaseException] = Success
        try:
            self._interrupting = True
            given = call()
            self._interrupting = False
            if isinstance(given, BaseException):
                kind = type(given)
        except BaseException as error:  # noqa: BLE001  # interrupts among them, and judged here
            self._interrupting = False
            kind = type(error)
        self.told[kind.__name__] += 1
        self._judge(mark, kind, wanted)

    def _judge(self, mark: str, kind: type[BaseException], wanted: Mapping[type[BaseException], bool | None]) -> None:
        stored = self._stored(mark)
        if kind not in wanted:
            self.wrong.append(f"{kind.__name__} for {mark}")
        elif stored > 1 or wanted[kind] not in {None, bool(stored)}:
            self.wrong.append(f"{kind.__name__}, and {stored} rows, for {mark}")

    def _stored(self, mark: str) -> int:
        while self._ask(ACTIVE, self.where.login):
            time.sleep(0.002)
        return self._ask(STORED, mark)

    def _ask(self, query: str, value: str) -> int:
        found = self._admin.execute(query, (value,)).fetchone()
        assert found is not None
        return int(found[0])

    @contextmanager
    def ending_waits(self, function: str) -> Iterator[None]:
        """Cancel or terminate, again and again, whoever waits inside COMMIT."""
        over = threading.Event()

        def serve() -> None:
            with self.where.admin() as admin:
                while not over.wait(0.003):
                    admin.execute(END_WAITS[function], (self.where.login,))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()
