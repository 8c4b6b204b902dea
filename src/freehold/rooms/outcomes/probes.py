"""Attacks on the promise that an outcome is definite, belongs to its tenant, and is reached in no other way."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, trusted
from freehold.kernel.objects import Key
from freehold.kernel.room import Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.outcomes.declare import Outcomes
from freehold.rooms.outcomes.functions import PACKAGE, SCHEMA

TABLE = Key("table", (SCHEMA, "outcome"))
CLAIM = Key("function", (SCHEMA, "claim_outcome_v1", "text"))
RESOLVE = Key("function", (SCHEMA, "resolve_outcome_v1", "text"))
RECORD = Key("function", (SCHEMA, "record_outcome_v1", "text, bytea, jsonb, integer"))
FORGET = Key("function", (SCHEMA, "forget_outcomes_v1", "bigint"))
POSITION = Key("function", (SCHEMA, "position_v1", ""))
DIRECT = (
    ("read", "SELECT FROM freehold.outcome LIMIT 0"),
    ("write", "INSERT INTO freehold.outcome (owner) SELECT '' WHERE false"),
    ("change", "UPDATE freehold.outcome SET state = 'aborted' WHERE false"),
    ("remove", "DELETE FROM freehold.outcome WHERE false"),
)


def probe_outcomes(declaration: Outcomes, model: Model) -> Iterator[Probe]:
    """Every attack, as the application's login; no row of a tenant is needed."""
    if Key("role", (model.role("app_a"),)) not in model.objects:
        return
    role = model.role("app_a")
    for verb, attack in DIRECT:
        yield _probe(f"the application cannot {verb} outcomes by itself", TABLE, trusted(attack), Raises("42501"), role)
    yield from _owned(role)
    yield from _definite(role)
    yield from _limited(declaration, role)
    yield from _kept(role)
    attack = fill(PACKAGE, "judge_position")
    yield _probe("the application learns the server's position", POSITION, attack, Returns(((True,),)), role)


def _probe(promise: str, subject: Key, attack: Sql, expect: Expectation, role: str, *prepare: Sql) -> Probe:
    return Probe(promise=promise, subject=subject, attack=attack, expect=expect, role=role, prepare=prepare)


def _text(name: str) -> Sql:
    return fill(PACKAGE, name)


def _owned(role: str) -> Iterator[Probe]:
    recorded = (_text("bind_one"), _text("record_probe"), _text("bind_other"))
    yield _probe("no key is claimed without a context", CLAIM, _text("count_claimed"), Raises("FH001"), role)
    promise = "an outcome of another tenant is not seen"
    yield _probe(promise, CLAIM, _text("count_claimed"), Returns(((0,),)), role, *recorded)
    promise = "a key that another tenant uses is free"
    yield _probe(promise, RESOLVE, _text("resolve_probe"), Returns((("aborted", None),)), role, *recorded)


def _definite(role: str) -> Iterator[Probe]:
    one, record, resolve = _text("bind_one"), _text("record_probe"), _text("resolve_probe")
    promise = "a recorded outcome is not written again"
    yield _probe(promise, RECORD, record, Raises("FH021"), role, one, record)
    promise = "a recorded outcome stays when it is resolved"
    yield _probe(promise, RESOLVE, resolve, Returns((("committed", "kept"),)), role, one, record)
    promise = "what was declared aborted never commits"
    yield _probe(promise, RECORD, record, Raises("FH021"), role, one, resolve)


def _limited(declaration: Outcomes, role: str) -> Iterator[Probe]:
    attack = fill(PACKAGE, "record_large", size=trusted(str(declaration.largest_result)))
    promise = f"a result of more than {declaration.largest_result} bytes is refused"
    yield _probe(promise, RECORD, attack, Raises("FH020"), role, _text("bind_one"))


def _kept(role: str) -> Iterator[Probe]:
    forget = _text("forget_batch")
    yield _probe("the application cannot forget outcomes", FORGET, forget, Raises("42501"), role)
    prepare = (_text("bind_one"), _text("record_probe"), forget)
    promise = "an outcome is kept for its time"
    yield _probe(promise, FORGET, _text("count_claimed"), Returns(((1,),)), role, *prepare)
