"""Who waited for whom in a deadlock, in which order each took its tables, and an order that both could follow."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any, Protocol
from weakref import WeakSet

import psycopg
import sqlalchemy as sa

from freehold.events import DeadlockMet, Listener, ignore
from freehold.kernel.declare import name_of
from freehold.kernel.template import read_sql
from freehold.runtime.context import Backend
from freehold.runtime.peer import peer_of

PACKAGE = "freehold.runtime"
_TOKEN = re.compile(
    r"""
      (?P<skip> --[^\n]* | /\*.*?\*/ | [eE]?'(?:[^'\\]|''|\\.)*' | \$(?P<tag>\w*)\$.*?\$(?P=tag)\$ )
    | (?P<name> (?:"(?:[^"]|"")+"|[^\W\d][\w$]*) (?:\s*\.\s*(?:"(?:[^"]|"")+"|[^\W\d][\w$]*))* )
    | (?P<mark> [,(] )
    | (?P<other> \S )
    """,
    re.VERBOSE | re.DOTALL,
)
_PART = re.compile(r'"((?:[^"]|"")+)"|([^\W\d][\w$]*)')
_BEFORE_TABLE = frozenset({"from", "join", "into", "update", "only", "using", "table", "merge", ","})
_NUMBER = re.compile(r"\d+")
SIDES = ("own", "other")
ASKING = 2
"""Seconds."""
LIMIT = b"SET LOCAL statement_timeout = '2s'"
OWN_ORDER = "rows of one table in the order of its primary key"


class Tables:
    """Finds the application's tables in the statements that it sent.

    Compiled statements write tables by their names behind a few words; what is in a string or a comment is passed over,
    and a name that is none of these tables is no table.
    """

    def __init__(self, tables: Iterable[sa.Table]) -> None:
        self._known = {name_of(table): table for table in tables}
        self._bare = {name[1]: name for name in self._known}

    def named(self, statement: str) -> tuple[str, ...]:
        """The tables of one statement as ``schema.table``, in the order in which it names them."""
        found: dict[str, None] = {}
        before = ""
        for token in _TOKEN.finditer(statement):
            if token["skip"]:
                continue
            word = token["name"] or token["mark"] or token["other"]
            place = self._place(word, bare=before != ",") if token["name"] and before in _BEFORE_TABLE else None
            if place is not None:
                found.setdefault(".".join(place))
            before = word.lower()
        return tuple(found)

    def _place(self, name: str, *, bare: bool) -> tuple[str, str] | None:
        # Behind a comma, a name without its schema may as well be a column.
        parts = [quoted.replace('""', '"') or plain.lower() for quoted, plain in _PART.findall(name)]
        if len(parts) == 1:
            return self._bare.get(parts[0]) if bare else None
        place = (parts[-2], parts[-1])
        return place if place in self._known else None

    def taken(self, statements: Sequence[str]) -> tuple[str, ...]:
        """The tables of a transaction in the order in which it first named them."""
        return tuple(dict.fromkeys(table for statement in statements for table in self.named(statement)))

    def order(self, names: Iterable[str]) -> tuple[str, ...]:
        """One order for the tables: those that others refer to come first, and else by name."""
        wanted = set(names)
        chosen = [table for name, table in sorted(self._known.items()) if ".".join(name) in wanted]
        ordered = sa.schema.sort_tables(chosen)
        return tuple(".".join(name_of(table)) for table in ordered)


@dataclass(frozen=True, slots=True)
class DeadlockReport:
    """What is known of a deadlock; what is not is empty.

    Parameters
    ----------
    statement, other_statement
        The last statement of either, as compiled: without values.
    tables, other_tables
        What each transaction named, in its order.
    proposed_order
        The tables that both named, in an order that both could follow.
    advice
        The same in a sentence.
    """

    statement: str
    other_statement: str
    tables: tuple[str, ...]
    other_tables: tuple[str, ...]
    proposed_order: tuple[str, ...]
    advice: str

    def event(self) -> DeadlockMet:
        """The event that tells it."""
        return DeadlockMet(self.statement, self.other_statement, self.tables, self.other_tables, self.proposed_order)


def pids_of(error: psycopg.Error, known: Iterable[int]) -> tuple[int, ...]:
    """The backends that the server's report of the deadlock names, of those that are known.

    Its words are in the server's language and are not read; its numbers are.
    """
    numbers = {int(number) for number in _NUMBER.findall(error.diag.message_detail or "")}
    return tuple(pid for pid in dict.fromkeys(known) if pid in numbers)


def numbers_of(error: psycopg.Error) -> list[int]:
    """Every number in the server's report: backends, and also transactions and objects."""
    found = dict.fromkeys(int(number) for number in _NUMBER.findall(error.diag.message_detail or ""))
    return [number for number in found if number < 2**31]


def ask_beside(sender: Any, pids: Sequence[int], since: float) -> dict[int, Sequence[str]]:
    """The statements of other processes' backends that still run and began before the deadlock was told, by process id.

    A backend that has won a deadlock may have gone on to other statements; those are not what it was about.
    The transaction that has failed can ask nothing, so that a connection is opened beside it; where nobody is let in
    within two seconds, or the answer takes as long, nothing is known. Nobody is asked from an event loop, which would
    stand still meanwhile.

    Parameters
    ----------
    since
        When the deadlock was told, by :func:`time.monotonic`.
    """
    if isinstance(sender, psycopg.AsyncConnection):
        return {}
    address = peer_of(sender.pgconn, direct=True).conninfo
    try:
        with psycopg.connect(address, connect_timeout=ASKING) as beside:
            # Not among the options of the connection, which a pooler refuses.
            beside.execute(LIMIT)
            ago = monotonic() - since
            rows = beside.execute(read_sql(PACKAGE, "read_activity").encode(), (list(pids), ago)).fetchall()
    except psycopg.Error:
        return {}
    return {pid: (query,) for pid, query in rows if query}


def report(
    error: psycopg.Error, own_pid: int, statements: Mapping[int, Sequence[str]], tables: Tables
) -> DeadlockReport:
    """The report of a deadlock that this error ended.

    Parameters
    ----------
    own_pid
        The backend that was told the error.
    statements
        What the open transactions have sent, by backend: this process's own, and what :func:`ask_beside` saw.
    """
    own = statements.get(own_pid, ())
    others = [pid for pid in pids_of(error, statements) if pid != own_pid]
    other = statements[others[0]] if others else ()
    mine, theirs = tables.taken(own), tables.taken(other)
    both = [table for table in mine if table in theirs]
    order = tables.order(both or mine)
    return DeadlockReport(
        statement=own[-1] if own else "",
        other_statement=other[-1] if other else "",
        tables=mine,
        other_tables=theirs,
        proposed_order=order,
        advice=_advice(both, theirs, order),
    )


def _advice(both: Sequence[str], theirs: Sequence[str], order: Sequence[str]) -> str:
    if not order:
        return ""
    if len(both) == 1:
        return f"Lock the {OWN_ORDER}: {both[0]}."
    met = [table for table in theirs if table in both]
    if both and list(both) == met:
        return f"Both take their tables in the same order; lock the {OWN_ORDER}: {', '.join(both)}."
    return f"Let every transaction take its tables in one order: {', '.join(order)}."


class Sender(Protocol):
    """A connection that remembers what its transaction has sent."""

    backend: Backend
    log: list[str]


class Deadlocks:
    """Tells the deadlocks of one process, with what its open transactions have sent.

    Parameters
    ----------
    ask
        Asks the server, beside one of these connections, what other processes' backends are at.
    """

    def __init__(
        self,
        tables: Tables,
        listener: Listener = ignore,
        ask: Callable[[Any, Sequence[int], float], Mapping[int, Sequence[str]]] = ask_beside,
    ) -> None:
        self._tables = tables
        self._listener = listener
        self._ask = ask
        self._senders: WeakSet[Any] = WeakSet()
        self._lock = threading.Lock()

    def watch(self, sender: Sender) -> None:
        """Remember a connection until it is forgotten."""
        with self._lock:
            self._senders.add(sender)

    def tell(self, error: psycopg.Error, sender: Sender) -> DeadlockReport:
        """Report the deadlock that ended the connection's transaction, to the listener as well."""
        since, sent = monotonic(), self._sent()
        # Behind a pooler no connection knows its backend; this one's statements are its own all the same.
        sent[sender.backend.pid] = tuple(sender.log)
        foreign = [number for number in numbers_of(error) if number not in sent]
        if len(pids_of(error, sent)) < len(SIDES):
            sent |= self._ask(sender, foreign, since)
        found = report(error, sender.backend.pid, sent, self._tables)
        self._listener(found.event())
        return found

    def _sent(self) -> dict[int, Sequence[str]]:
        with self._lock:
            senders: list[Sender] = list(self._senders)
        return {each.backend.pid: tuple(each.log) for each in senders if each.backend.pid}
