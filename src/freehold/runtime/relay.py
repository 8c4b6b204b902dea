"""Delivers messages of the outbox at least once, in the order of their keys, and sets aside what is never taken."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from datetime import timedelta
from threading import Event as Flag
from time import monotonic
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from psycopg.rows import class_row

from freehold.errors import ConnectionLost, MessageNotTaken, MessageRefused, ServerDown
from freehold.events import Listener, MessageDead, MessageDelivered, MessageFailed, RelayDisconnected, ignore
from freehold.kernel.template import read_sql
from freehold.runtime.nodes import primary_conninfo
from freehold.runtime.outbox import Message
from freehold.runtime.targets import Notify, Target, as_like, check_targets, deliver, first_match
from freehold.runtime.workload import Retry
from freehold.servers.faults import connect, translate, translated

PACKAGE = "freehold.runtime"
BREATH = 0.5
"""Seconds after which a waiting relay looks whether it was told to stop."""
PASSING = ("25", "40", "53", "55", "57", "58")
"""Classes of SQLSTATE that pass by themselves: a demoted primary, a conflict, a full server, a lock, a restart."""

RETRY = Retry(attempts=20, seconds=float("inf"), base=1.0, cap=3600.0)
"""Four and a half hours on average, ten minutes of it in the first ten attempts."""

Connection = psycopg.Connection[Any]


@dataclass(slots=True)
class _Delivery:
    """A message in the hands of a target."""

    message: Message
    began: float = field(default_factory=monotonic)


class Relay:
    """Takes messages out of the outbox and gives them to targets.

    A message is marked as delivered after its target returned, so that one whose relay dies in between is delivered
    again, with the same token. Several relays share the work; they need no leader.

    Parameters
    ----------
    url
        The database, with the layer's jobs login; directly and not through a pooler in transaction mode, which knows no
        LISTEN. (Without LISTEN messages wait for the poll.)
    targets
        Topic patterns, such as ``"invoice.*"``, and who takes them: a function of a `Message`, a
        :class:`~freehold.runtime.webhook.Webhook` or a `Notify`. The first pattern that fits is taken; topics that fit
        none are left to other relays. A function is called in a thread, with tenant and actor of the message bound as
        by :class:`~freehold.runtime.scope.acting`. Any exception means "not delivered": `MessageRefused` makes a dead
        letter, every other one is tried again.
    workers
        How many deliveries run at a time.
    lease
        Seconds after which a message of a dead relay is taken by another. Deliveries may take longer: their leases are
        renewed.
    retry
        How often a message is tried before it is a dead letter, and the bounds of the waits, of which a random part is
        waited.
    poll
        Seconds between looks into the outbox where nothing wakes the relay.

    Raises
    ------
    InputError
        The address cannot be read, there are no targets, or one is a coroutine function, which no thread could await.
    """

    def __init__(
        self,
        url: str | sa.URL,
        targets: Mapping[str, Target],
        *,
        workers: int = 4,
        lease: float = 30.0,
        retry: Retry = RETRY,
        poll: float = 1.0,
        listener: Listener = ignore,
        draw: Callable[[], float] = random.random,
    ) -> None:
        check_targets(targets)
        self._conninfo = primary_conninfo(url)
        self._targets = dict(targets)
        self._topics = [as_like(pattern) for pattern in targets]
        self._workers = workers
        self._lease = lease
        self._retry = retry
        self._poll = poll
        self._listener = listener
        self._draw = draw
        self._running: dict[Future[None], _Delivery] = {}
        self._renewed = monotonic()

    @translated("relay messages")
    def run(self, stop: Flag | None = None) -> None:
        """Relay until the flag is set; a lost connection is opened again, however long the server is away.

        Deliveries that have begun are ended and marked before it returns.

        Raises
        ------
        LoginRefused, DatabaseMissing, PrivilegeMissing
            What no waiting mends.
        """
        stop = stop or Flag()
        failures = 0
        with ThreadPoolExecutor(self._workers, thread_name_prefix="freehold-relay") as pool:
            while not stop.is_set():
                try:
                    with connect(self._conninfo, autocommit=True) as connection:
                        connection.execute(_query("listen_outbox"))
                        failures = 0
                        self._attend(connection, pool, stop)
                except (ServerDown, psycopg.Error) as error:
                    failures += 1
                    self._rest(error, failures, stop)

    @translated("relay messages")
    def run_once(self) -> int:
        """Deliver all that is due now; how many deliveries were tried."""
        with (
            ThreadPoolExecutor(self._workers, thread_name_prefix="freehold-relay") as pool,
            connect(self._conninfo, autocommit=True) as connection,
        ):
            return self._drain(connection, pool, Flag())

    def _attend(self, connection: Connection, pool: ThreadPoolExecutor, stop: Flag) -> None:
        while not stop.is_set():
            self._drain(connection, pool, stop)
            until = monotonic() + self._poll
            while not stop.is_set() and (left := until - monotonic()) > 0:
                if any(True for _ in connection.notifies(timeout=min(left, BREATH), stop_after=1)):
                    break

    def _rest(self, error: ServerDown | psycopg.Error, failures: int, stop: Flag) -> None:
        if not _passes(error):
            raise error
        seconds = self._draw() * min(self._retry.cap, 0.1 * 2.0 ** min(failures, 7))
        self._listener(RelayDisconnected(str(error).strip(), seconds))
        stop.wait(seconds)

    def _drain(self, connection: Connection, pool: ThreadPoolExecutor, stop: Flag) -> int:
        """Deliver until nothing is due and nothing under way."""
        tried = 0
        while True:
            begun = 0 if stop.is_set() else self._begin(connection, pool)
            tried += begun
            if not begun and not self._running:
                return tried
            done, _ = wait(self._running, timeout=min(self._poll, self._lease / 3), return_when=FIRST_COMPLETED)
            for future in done:
                self._settle(connection, self._running[future], future)
                # Only what is settled is let go: a connection lost in between leaves the rest to the next one.
                del self._running[future]
            self._renew(connection)

    def _begin(self, connection: Connection, pool: ThreadPoolExecutor) -> int:
        """Give what is due to free workers; how many messages."""
        free = self._workers - len(self._running)
        if not free:
            return 0
        parameters = {"topics": self._topics, "batch": free, "patience": timedelta(seconds=self._lease)}
        with connection.cursor(row_factory=class_row(Message)) as cursor:
            taken = cursor.execute(_query("take_messages"), parameters).fetchall()
        for message in taken:
            target = self._targets[first_match(self._targets, message.topic)]
            if isinstance(target, Notify):
                self._notify(connection, target, message)
            else:
                self._running[pool.submit(deliver, target, message)] = _Delivery(message)
        return len(taken)

    def _renew(self, connection: Connection) -> None:
        if not self._running or monotonic() - self._renewed < self._lease / 3:
            return
        messages = [delivery.message for delivery in self._running.values()]
        parameters = {
            "ids": [message.id for message in messages],
            "leases": [message.lease for message in messages],
            "patience": timedelta(seconds=self._lease),
        }
        connection.execute(_query("renew_messages"), parameters)
        self._renewed = monotonic()

    def _notify(self, connection: Connection, target: Notify, message: Message) -> None:
        delivery = _Delivery(message)
        parameters = {"channel": target.channel, "payload": target.payload(message)}
        try:
            marked = connection.execute(_query("notify_message"), parameters | _place(message)).fetchone()
        except psycopg.Error as error:
            if connection.broken or _passes(error):
                raise
            self._fail(connection, message, error)
        else:
            self._tell_delivered(delivery, marked is not None)

    def _settle(self, connection: Connection, delivery: _Delivery, future: Future[None]) -> None:
        error = future.exception()
        if error is not None:
            self._fail(connection, delivery.message, error)
            return
        marked = connection.execute(_query("deliver_message"), _place(delivery.message)).fetchone()
        self._tell_delivered(delivery, marked == (True,))

    def _tell_delivered(self, delivery: _Delivery, marked: bool) -> None:
        """Not told where the lease was lost: whoever has it now delivers the message again."""
        message = delivery.message
        if marked:
            seconds = monotonic() - delivery.began
            self._listener(MessageDelivered(message.id, message.topic, message.attempts, seconds))

    def _fail(self, connection: Connection, message: Message, error: BaseException) -> None:
        told = f"{type(error).__name__}: {error}".replace("\0", "").encode(errors="replace").decode()
        again = self._next_wait(message, error)
        after = None if again is None else timedelta(seconds=again)
        parameters = _place(message) | {"error": told, "again_after": after}
        if connection.execute(_query("fail_message"), parameters).fetchone() != (True,):
            return
        if again is None:
            self._listener(MessageDead(message.id, message.topic, message.attempts, told))
        else:
            self._listener(MessageFailed(message.id, message.topic, message.attempts, told, again))

    def _next_wait(self, message: Message, error: BaseException) -> float | None:
        """Seconds until the next try, or None for a dead letter; never sooner than the receiver asked for."""
        if isinstance(error, MessageRefused) or message.attempts >= self._retry.attempts:
            return None
        asked = (error.retry_after or 0.0) if isinstance(error, MessageNotTaken) else 0.0
        return max(self._draw() * self._retry.bound(message.attempts), min(asked, self._retry.cap))


def _passes(error: ServerDown | psycopg.Error) -> bool:
    """Whether waiting and connecting again may mend it."""
    if isinstance(error, ServerDown):
        return True
    return (error.sqlstate or "").startswith(PASSING) or isinstance(translate(error), ServerDown | ConnectionLost)


def _query(name: str) -> sql.SQL:
    return sql.SQL(read_sql(PACKAGE, name))


def _place(message: Message) -> dict[str, Any]:
    return {"id": message.id, "lease": message.lease}
