"""The ledger's own attacks: one role of each kind on each relation, under one tenant, for another tenant's rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import LiteralString

from freehold.isolation.catalog import PUBLIC, Actor, Exits, Relation, Right
from freehold.isolation.known import Known
from freehold.kernel.names import Sql, ddl, ident, idents, qualified, trusted
from freehold.kernel.objects import Key
from freehold.kernel.room import Affects, Expectation, Probe, Raises, Returns

ROOM = "isolation"
AS_TENANT = (
    "SELECT pg_catalog.set_config('freehold.context', "
    "freehold.issue_context_v1(%(tenant)s::text, 'prober', '1 minute'), true)"
)


@dataclass(frozen=True, slots=True)
class Attack:
    """What one role tries on one exit; ``alike`` hold the same rights under the same policies, and are spoken for."""

    exit: str
    role: str
    alike: tuple[str, ...]
    probes: tuple[Probe, ...]


def ordinary(exits: Exits, known: Known) -> tuple[Actor, ...]:
    """The roles that row security has to hold: not a superuser's, not a machine's, not the declared owner's."""
    owners = {relation.owner for relation in exits.relations}
    return tuple(
        actor
        for actor in exits.actors.values()
        if actor.reachable
        and not actor.superuser
        and not (actor.name in known.roles and actor.name in owners and not actor.enters)
    )


def attacks(exits: Exits, known: Known) -> Iterator[Attack]:
    """Every attack, in the order of the catalog."""
    actors = ordinary(exits, known)
    for relation in exits.relations:
        if relation.kind not in "rpvm" or (relation.kind == "v" and relation.invoker):
            continue
        column = known.column(relation.table, relation.columns)
        place = _place(relation, column, exits, known)
        for group in alike(relation, actors, exits) if column and place else ():
            right = exits.rights[relation.oid, group[0]]
            probes = tuple(_probes(relation, column, place, group[0], right, known))
            if probes:
                yield Attack(title(relation), group[0], group[1:], probes)


def title(relation: Relation) -> str:
    """The exit's name in the ledger."""
    return f"{KINDS[relation.kind]} {relation.schema}.{relation.name}"


KINDS = {"r": "table", "p": "table", "v": "view", "m": "materialized view", "f": "foreign table", "S": "sequence"}


def alike(relation: Relation, actors: Sequence[Actor], exits: Exits) -> list[tuple[str, ...]]:
    """Roles with rights on a relation, those with the same ones under the same policies together, logins first."""
    groups: dict[Right, list[str]] = {}
    for actor in sorted(actors, key=lambda each: (each.name == PUBLIC, not each.enters, each.name)):
        right = exits.rights.get((relation.oid, actor.name))
        if right and not actor.bypasses:
            groups.setdefault(right, []).append(actor.name)
    return [tuple(names) for names in groups.values() if names[0] != PUBLIC]


def sources(relation: Relation, exits: Exits) -> Iterator[Relation]:
    """Every relation that a view reads, through other views too."""
    by_oid = {each.oid: each for each in exits.relations}
    seen: set[int] = set()
    waiting = list(relation.reads)
    while waiting:
        oid = waiting.pop()
        if oid not in seen and oid in by_oid:
            seen.add(oid)
            waiting.extend(by_oid[oid].reads)
            yield by_oid[oid]


def _place(relation: Relation, column: str, exits: Exits, known: Known) -> tuple[str, str, str] | tuple[()]:
    """Where two tenants have rows: the relation itself, or an owned table that a view reads."""
    if relation.kind in "rp":
        return (*relation.table, column)
    read = (known.owned.get(each.table) and each for each in sources(relation, exits))
    found = next((each for each in read if each), None)
    return (*found.table, known.owned[found.table]) if found else ()


def _probes(
    relation: Relation, column: str, place: tuple[str, str, str] | tuple[()], role: str, right: Right, known: Known
) -> Iterator[Probe]:
    def probe(promise: str, attack: Sql, expect: Expectation, bound: bool = True) -> Probe:
        return Probe(
            promise=f"{role} {promise} {title(relation)}",
            subject=Key("table", relation.table),
            attack=attack,
            expect=expect,
            role=role,
            prepare=(AS_TENANT,) if bound else (),
            rows_in=place,
            room=ROOM,
        )

    def statement(template: LiteralString) -> Sql:
        return ddl(
            template,
            table=qualified(*relation.table),
            column=ident(column),
            other=ddl("(%(other)s::text)::{}", trusted(known.tenant_type)),
            columns=idents(relation.written),
            updated=ident(right.updates),
        )

    if "SELECT" in right.words and right.sees_tenant:
        read = statement("SELECT EXISTS (SELECT FROM {table} WHERE {column} = {other})")
        yield probe("reads no row of another tenant in", read, Returns(((False,),)))
    elif "SELECT" in right.words:
        blind = statement("SELECT FROM {table} LIMIT 1")
        yield probe("reads no row without a context in", blind, Raises("FH001"), bound=False)
    if relation.kind not in "rp":
        return
    if "INSERT" in right.words and relation.written:
        insert = statement(
            "INSERT INTO {table} ({columns}) SELECT {columns}"
            " FROM pg_catalog.jsonb_populate_record(NULL::{table}, %(row)s::jsonb)"
        )
        yield probe("inserts no row for another tenant into", insert, Raises("42501"))
    if right.updates and right.sees_tenant:
        update = statement("UPDATE {table} SET {updated} = {updated} WHERE {column} = {other}")
        yield probe("updates no row of another tenant in", update, Affects(0))
    if "DELETE" in right.words and right.sees_tenant:
        delete = statement("DELETE FROM {table} WHERE {column} = {other}")
        yield probe("deletes no row of another tenant from", delete, Affects(0))
