"""Attacks on amounts of money: an unknown currency, half an amount, NaN, and what is stored now."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import column_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.constraints.declare_money import Money
from freehold.rooms.constraints.money import money_rules, unknown_code
from freehold.rooms.constraints.names import PACKAGE, Place

CHECKED = "23514"
ONE, NAN, NULL = Sql("1"), Sql("'NaN'"), Sql("NULL")
REPLAYED = Sql("SET LOCAL session_replication_role = 'replica'")
"""No trigger of the application answers before the CHECK does."""


def probe_money(declaration: Money, model: Model) -> Iterator[Probe]:
    """The constraints are there, hold in every row, and refuse what they must."""
    table = model.table(*declaration.table)
    title, rules = f"{declaration.title}.{declaration.amount}", money_rules(declaration)
    names = joined(literal(name) for name in rules)
    yield Probe(
        promise=f"{title} has its CHECKs, valid",
        subject=table.key,
        attack=fill(PACKAGE, "list_checks", table=literal(table.sql), names=names),
        expect=Returns(tuple((name, True) for name in sorted(rules))),
    )
    holds = joined((ddl("({}) IS NOT FALSE", rule) for rule in rules.values()), " AND ")
    yield Probe(
        promise=f"every {title} that is stored is an amount of money",
        subject=table.key,
        attack=fill(PACKAGE, "count_no_money", base=table.sql, rules=Sql(holds.replace("%", "%%"))),
        expect=Returns(((0,),)),
    )
    for promise, number, code in _attacks(declaration):
        yield _refused(declaration, model, f"{title} {promise}", number, code)


def _attacks(declaration: Money) -> Iterator[tuple[str, Sql, Sql]]:
    """What is promised, and the amount and currency that break it."""
    known = literal(declaration.codes()[0])
    yield "has no unknown currency", ONE, literal(unknown_code(declaration))
    yield "is never NaN", NAN, known
    if column_of(declaration.entity, declaration.amount).nullable:
        yield "is not missing where a currency is given", NULL, known
    if column_of(declaration.entity, declaration.currency).nullable:
        yield "is not without a currency", ONE, NULL


def _refused(declaration: Money, model: Model, promise: str, number: Sql, code: Sql) -> Probe:
    table = model.table(*declaration.table)
    witness = Place(declaration, model, declaration.amount).witness
    attack = fill(
        PACKAGE,
        "write_money",
        base=table.sql,
        amount=ident(declaration.amount),
        number=number,
        currency=ident(declaration.currency),
        code=code,
        witness=ident(witness),
    )
    return Probe(
        promise=promise,
        subject=table.key,
        attack=attack,
        expect=Raises(CHECKED),
        prepare=(REPLAYED,),
        rows_in=(*declaration.table, witness),
    )
