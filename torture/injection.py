"""Ten thousand injected texts as the application's role: none may show, count or change a row of another tenant."""

from __future__ import annotations

import random
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg.sql import SQL, Literal

from freehold import Database, Workload, sql
from freehold.kernel.template import read_sql
from freehold.runtime.context import Backend, Context, sign
from freehold.runtime.workload import NO_RETRY
from freehold.servers import Binaries
from torture.draw import Target
from torture.estate import NOTES, Estate, Note, estate, tenant
from torture.ground import Failures
from torture.payloads import Attacker
from torture.reads import SEEN
from torture.result import Result
from torture.wire import Answer, told

TENANTS = 50
OWN, VICTIM = tenant(7), tenant(8)
CONNECTIONS = 2
"""Of the server: the victim holds one, and the attacker has the other."""
CHUNK = 50
"""Texts during which a victim's transaction stays open."""
DEFECT_SIZE = 2000
"""At most so many texts until a planted defect must have been found."""
SHOWN = 3
# Some texts ask for a lock that the victim's transaction denies them; nothing is learned from waiting for it.
BESIEGED = Workload("besieged", lock_timeout=0.05, retry=NO_RETRY)
POOL: dict[str, Any] = {"pool_size": 1, "max_overflow": 0, "workloads": (BESIEGED,)}
MARK = re.compile(r"mark-of-(\d+)-")
HEXADECIMAL = re.compile(r"6d61726b2d6f662d((?:3\d)+)2d")
ENDS = re.compile(r"\b(COMMIT|ABORT|ROLLBACK)\b|\bEND;")


class Undo(Exception):
    """Leaves a transaction without storing anything."""


@dataclass(frozen=True)
class Defect:
    """A hole made on purpose: what the administrator does, how it is undone, or how the victim behaves."""

    plant: Sequence[str] = ()
    remove: Sequence[str] = ()
    careless_victim: bool = False


DEFECTS: dict[str, Defect] = {
    "a policy on an unsigned setting": Defect(
        ["CREATE POLICY unsigned ON estate.note USING (tenant_id::text = current_setting('app.tenant_id', true))"],
        ["DROP POLICY unsigned ON estate.note"],
    ),
    "membership in a role that row security does not hold": Defect(
        [
            "CREATE ROLE estate_support BYPASSRLS",
            "GRANT USAGE ON SCHEMA estate TO estate_support",
            "GRANT SELECT ON ALL TABLES IN SCHEMA estate TO estate_support",
            "GRANT estate_support TO estate_app_a",
        ],
        ["DROP OWNED BY estate_support", "DROP ROLE estate_support"],
    ),
    "a view with its owner's rights": Defect(
        [
            "CREATE VIEW estate.overview AS SELECT tenant_id, mark FROM estate.note",
            "GRANT SELECT ON estate.overview TO estate_rw",
        ],
        ["DROP VIEW estate.overview"],
    ),
    "a function with its owner's rights": Defect(
        [
            "CREATE FUNCTION estate.find(bigint) RETURNS SETOF text LANGUAGE sql SECURITY DEFINER"
            " AS 'SELECT mark FROM estate.note WHERE tenant_id = $1'"
        ],
        ["DROP FUNCTION estate.find"],
    ),
    "a context in the text of a statement": Defect(careless_victim=True),
    "a policy that lets everything be written": Defect(
        [
            "CREATE POLICY open ON estate.note FOR INSERT WITH CHECK (true)",
            "ALTER TABLE estate.note DISABLE TRIGGER USER",
        ],
        ["DROP POLICY open ON estate.note", "ALTER TABLE estate.note ENABLE TRIGGER USER"],
    ),
}


def foreign(answer: Answer, secret: bytes) -> str:
    """What in an answer belongs to another tenant or is the signing key; "" where nothing does."""
    for text in (*answer.texts, *(value for _, value in answer.cells)):
        owners = {*MARK.findall(text), *(bytes.fromhex(found).decode() for found in HEXADECIMAL.findall(text))}
        if owners - {str(OWN)} or secret.hex() in text:
            return text[:200]
    counted = [value for name, value in answer.cells if name == SEEN and value != "0"]
    return f"{counted[0]} rows of others counted" if counted else ""


@dataclass
class Siege:
    """One pass of an attacker against the estate; a hasty one ends with the first thing seen."""

    place: Estate
    db: Database
    victim: Database
    seed: int
    careless_victim: bool = False
    hasty: bool = False
    seen: list[str] = field(default_factory=list)
    states: Counter[str] = field(default_factory=Counter)
    denied: int = 0

    def attack(self, size: int) -> Siege:
        """Inject this many texts; gives itself."""
        before = self._others()
        texts = Attacker(self._target(), random.Random(self.seed)).payloads(size)
        for chunk in _chunks(texts):
            with self._victim():
                for text in chunk:
                    self._inject(text)
            if self.hasty and (self.seen or self._others() != before):
                break
        if self._others() != before:
            self.seen.append("rows of others were changed")
        return self

    def _inject(self, text: str) -> None:
        raw = None
        try:
            with self.db.transaction(tenant=OWN, actor="mallory", workload=BESIEGED.name) as session:
                session.execute(sql("SELECT 1"))
                raw = session.psycopg()
                answer = told(raw, text)
                self.states[answer.state] += 1
                self._judge(answer, text)
                raise Undo
        except (*Failures, Undo) as error:
            self.states[type(error).__name__] += not isinstance(error, Undo)
        if ENDS.search(text):
            # Nothing else outlives the rollback.
            if not self.hasty:
                self._afterwards(text)
            if raw is not None and raw.pgconn.status == psycopg.pq.ConnStatus.OK:
                raw.pgconn.exec_(b"DISCARD ALL")

    def _afterwards(self, text: str) -> None:
        """What the session keeps must serve neither him nor confuse the next tenant on the same connection."""
        for who in (OWN, VICTIM):
            try:
                with self.db.transaction(tenant=who, actor="next") as session:
                    marks = session.scalars(sa.select(Note.mark)).all()
            except Failures:
                # He may spoil the session for others until the pool renews it: no row is seen.
                self.denied += 1
                continue
            own = all(f"mark-of-{who}-" in mark or mark.startswith("x") for mark in marks)
            if not own or (who == VICTIM and len(marks) != NOTES):
                self.seen.append(f"after {text}: {who} saw {marks[:2]}")

    def _judge(self, answer: Answer, text: str) -> None:
        found = foreign(answer, self.place.ground.keys.signing.secret)
        if found:
            self.seen.append(f"{text} showed {found}")

    def _others(self) -> object:
        with self.place.ground.admin() as admin:
            return admin.execute(read_sql("torture", "digest_others"), {"own": OWN}).fetchone()

    def _target(self) -> Target:
        ground = self.place.ground
        with psycopg.connect(self.place.conninfo, prepare_threshold=None) as his:
            relations = [name for (name,) in his.execute(read_sql("torture", "list_readable")).fetchall()]
            functions = [name for (name,) in his.execute(read_sql("torture", "list_callable")).fetchall()]
            roles = [name for (name,) in his.execute(read_sql("torture", "list_roles")).fetchall()]
        wanted = [tenant(number) for number in range(1, self.place.tenants + 1) if tenant(number) != OWN]
        return Target(OWN, wanted, relations, functions, roles, ground.keys.signing.key_id, time.time())

    def _victim(self) -> AbstractContextManager[None]:
        return _careless(self.place) if self.careless_victim else _careful(self.victim)


@contextmanager
def _careful(db: Database) -> Iterator[None]:
    """A victim's transaction, open, with his rows in its parameters."""
    with db.transaction(tenant=VICTIM, actor="victim") as session:
        session.scalars(sa.select(Note).where(Note.mark != f"mark-of-{VICTIM}-x")).all()
        yield


@contextmanager
def _careless(place: Estate) -> Iterator[None]:
    """The same by one who writes his context into the statement."""
    token = sign(place.ground.keys.signing, Context(str(VICTIM), "victim"), Backend())
    with psycopg.connect(place.conninfo, prepare_threshold=None) as connection:
        connection.execute(SQL("SET LOCAL freehold.context = {}").format(Literal(token)))
        yield


def _chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    chunk: list[str] = []
    for text in texts:
        chunk.append(text)
        if len(chunk) == CHUNK:
            yield chunk
            chunk = []
    if chunk:
        yield chunk


@contextmanager
def application(place: Estate) -> Iterator[tuple[Database, Database]]:
    """Two of the application's processes, opened while their login is still a safe one."""
    opened = place.ground.connect(place.url, **POOL), place.ground.connect(place.url, **POOL)
    try:
        yield opened
    finally:
        for each in opened:
            each.dispose()


def found(place: Estate, defect: Defect, seed: int, size: int) -> bool:
    """Whether the attacks find a planted defect."""
    with application(place) as (db, victim), place.ground.admin() as admin:
        _all(admin.execute, defect.plant)
        try:
            return bool(Siege(place, db, victim, seed, defect.careless_victim, hasty=True).attack(size).seen)
        finally:
            _all(admin.execute, defect.remove)


def _all(execute: Callable[[Any], object], statements: Sequence[str]) -> None:
    for statement in statements:
        execute(statement)


def run(size: int, seed: int, *, binaries: Binaries | None = None) -> Result:
    """``size`` different texts, drawn by the seed."""
    with estate(TENANTS, binaries=binaries, connections=CONNECTIONS) as place:
        began = time.monotonic()
        with application(place) as (db, victim):
            siege = Siege(place, db, victim, seed).attack(size)
        seconds = time.monotonic() - began
        missed = [name for name, defect in DEFECTS.items() if not found(place, defect, seed, DEFECT_SIZE)]
    return Result(
        name="injection",
        size=size,
        seed=seed,
        violations=len(siege.seen),
        seconds=seconds,
        defects_seeded=len(DEFECTS),
        defects_caught=len(DEFECTS) - len(missed),
        notes=_notes(siege, missed),
    )


def _notes(siege: Siege, missed: Sequence[str]) -> str:
    ran = siege.states[""]
    refused = ", ".join(f"{count:,} {state}" for state, count in siege.states.most_common(6) if state)
    words = [f"{ran:,} texts ran to their end, others ended with {refused}; {siege.denied:,} sessions were spoilt."]
    words += [f"Missed: {', '.join(missed)}."] if missed else []
    return " ".join([*words, *siege.seen[:SHOWN]])
