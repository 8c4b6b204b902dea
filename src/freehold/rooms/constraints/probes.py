"""Attacks on each rule: what it refuses, whether its triggers are armed, and whether the rows keep it now."""

from __future__ import annotations

from collections.abc import Iterator

import sqlalchemy as sa

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal
from freehold.kernel.objects import Trigger
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.constraints.balanced import balance_place, compile_balanced
from freehold.rooms.constraints.declare import Balanced, Limit, NoOverlap, Rule, StateMachine
from freehold.rooms.constraints.declare_derived import Kept
from freehold.rooms.constraints.declare_money import Money
from freehold.rooms.constraints.derived import compile_derived, sum_of
from freehold.rooms.constraints.limit import Bond, bond_of, compile_limit
from freehold.rooms.constraints.money_probes import probe_money
from freehold.rooms.constraints.names import PACKAGE, Place, condition
from freehold.rooms.constraints.no_overlap import overlap_place, period
from freehold.rooms.constraints.state_machine import compile_state_machine, state_place

REPLAYED = Sql("SET LOCAL session_replication_role = 'replica'")
LIVE = Sql("SET LOCAL session_replication_role = 'origin'")
JUDGED = Sql("SET CONSTRAINTS ALL IMMEDIATE")


def probe_constraints(declaration: Rule, model: Model) -> Iterator[Probe]:
    """Every attack on one rule."""
    match declaration:
        case NoOverlap():
            yield from _no_overlap(declaration, model)
        case StateMachine():
            yield from _state_machine(declaration, model)
        case Balanced():
            yield from _balanced(declaration, model)
        case Limit():
            yield from _limit(declaration, model)
        case Kept():
            yield from _derived(declaration, model)
        case Money():
            yield from probe_money(declaration, model)


def _rows(place: Place) -> tuple[str, str, str]:
    return (*place.rule.table, place.witness)


def _armed(place: Place, made: Iterator[object]) -> Iterator[Probe]:
    triggers: dict[tuple[str, str], list[str]] = {}
    for item in made:
        if isinstance(item, Trigger):
            triggers.setdefault((item.schema, item.table), []).append(item.trigger)
    for name, found in sorted(triggers.items()):
        table = place.model.table(*name)
        names = joined(literal(trigger) for trigger in sorted(found))
        yield Probe(
            promise=f"the triggers of {place.name} on {'.'.join(name)} fire",
            subject=table.key,
            attack=fill(PACKAGE, "list_triggers", table=literal(table.sql), names=names),
            expect=Returns(tuple((trigger, "O") for trigger in sorted(found))),
        )


def _none(place: Place, promise: str, attack: Sql) -> Probe:
    return Probe(promise=promise, subject=place.table.key, attack=attack, expect=Returns(((0,),)))


def _no_overlap(declaration: NoOverlap, model: Model) -> Iterator[Probe]:
    place = overlap_place(declaration, model)
    attack = fill(PACKAGE, "read_exclusion", table=literal(place.table.sql), constraint=literal(place.name))
    yield Probe(
        promise=f"{declaration.title} has its exclusion constraint, valid",
        subject=place.table.key,
        attack=attack,
        expect=Returns(((True, True),)),
    )
    yield _none(place, f"no two rows of {declaration.title} overlap", _overlaps(declaration, place))


def _overlaps(declaration: NoOverlap, place: Place) -> Sql:
    agree = place.with_tenant(declaration.per)
    return fill(
        PACKAGE,
        "count_overlaps",
        base=place.table.sql,
        period=period(declaration, place),
        columns=ddl(", {}", idents(agree)) if agree else ddl(""),
        counted=_condition(declaration.where),
        same=joined((ddl("a.{0} = b.{0}", ident(name)) for name in agree), " AND ") if agree else ddl("true"),
    )


def _condition(where: sa.ColumnElement[bool] | None) -> Sql:
    """A declared condition, as part of a probe."""
    return Sql(condition(where).replace("%", "%%"))


def _state_machine(declaration: StateMachine, model: Model) -> Iterator[Probe]:
    place = state_place(declaration, model)
    yield from _armed(place, compile_state_machine(declaration, model))
    final = [state for state in declaration.states if not declaration.allowed.get(state)]
    before = (final or declaration.states)[0]
    after = next((to for to in declaration.states if to not in {before, *declaration.allowed.get(before, ())}), "")
    if not after:
        return
    holes = {"base": place.table.sql, "column": ident(declaration.column)}
    witness = ident(place.witness)
    put = fill(PACKAGE, "place_status", status=literal(before), witness=witness, **holes)
    yield Probe(
        promise=f"{declaration.title}.{declaration.column} does not go from {before} to {after}",
        subject=place.table.key,
        attack=fill(PACKAGE, "move_status", status=literal(after), **holes),
        expect=Raises("FH090"),
        prepare=(REPLAYED, put, LIVE),
        rows_in=_rows(place),
    )


def _balanced(declaration: Balanced, model: Model) -> Iterator[Probe]:
    place = balance_place(declaration, model)
    yield from _armed(place, compile_balanced(declaration, model))
    base, amount = place.table.sql, ident(declaration.amount)
    yield Probe(
        promise=f"a row of {declaration.title} that is changed alone does not pass COMMIT",
        subject=place.table.key,
        attack=JUDGED,
        expect=Raises("FH091"),
        prepare=(fill(PACKAGE, "unbalance_row", base=base, amount=amount, witness=ident(place.witness)),),
        rows_in=_rows(place),
    )
    group = idents(place.with_tenant(declaration.per))
    attack = fill(PACKAGE, "count_unbalanced", base=base, group=group, amount=amount)
    yield _none(place, f"every group of {declaration.title} sums to zero", attack)


def _limit(declaration: Limit, model: Model) -> Iterator[Probe]:
    bond = bond_of(declaration, model)
    place = bond.place
    yield from _armed(place, compile_limit(declaration, model))
    attack = fill(
        PACKAGE,
        "count_over_limit",
        base=place.table.sql,
        key=idents(bond.key),
        given=joined((ddl("{} IS NOT NULL", ident(name)) for name in bond.key), " AND "),
        counted=_condition(declaration.where),
        at_most=bond.at_most("t"),
    )
    yield _none(place, f"no parent has more of {declaration.title} than it may", attack)
    if isinstance(declaration.at_most, str):
        yield _lowered(declaration, bond)


def _lowered(declaration: Limit, bond: Bond) -> Probe:
    place = bond.place
    limit = ident(str(declaration.at_most))
    raised = fill(
        PACKAGE,
        "raise_limit",
        parent=bond.parent.sql,
        limit=limit,
        of_child=bond.of_parent("p", "c"),
        base=place.table.sql,
        counted=_condition(declaration.where),
        witness=ident(place.witness),
    )
    lowered = fill(PACKAGE, "lower_limit", parent=bond.parent.sql, limit=limit)
    return Probe(
        promise=f"a limit of {declaration.title} is not lowered below what is there",
        subject=bond.parent.key,
        attack=lowered,
        expect=Raises("FH092"),
        prepare=(REPLAYED, raised, LIVE),
        rows_in=_rows(place),
    )


def _derived(declaration: Kept, model: Model) -> Iterator[Probe]:
    bond = sum_of(declaration, model)
    place, title = bond.place, f"{declaration.title}.{declaration.column}"
    yield from _armed(place, compile_derived(declaration, model))
    attack = fill(
        PACKAGE,
        "count_underived",
        parent=bond.parent.sql,
        column=bond.column,
        key=bond.key,
        source=Sql(bond.rows(bond.child.sql, ddl("")).replace("%", "%%")),
        of_parent=bond.of_parent("d"),
    )
    yield _none(place, f"{title} is what {declaration.source_title} adds up to", attack)
    holes = {"parent": bond.parent.sql, "column": bond.column, "witness": ident(place.witness)}
    yield Probe(
        promise=f"{title} is not written by hand",
        subject=place.table.key,
        attack=fill(PACKAGE, "write_derived", **holes),
        expect=Raises("FH093"),
        rows_in=_rows(place),
    )
