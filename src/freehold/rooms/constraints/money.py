"""An amount of money: three CHECKs, each with its own name, so that an error says which one refuses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from string import ascii_uppercase

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal, shortened
from freehold.kernel.objects import Constraint, Object
from freehold.rooms.constraints.declare_money import Money


def money_rules(declaration: Money) -> Mapping[str, Sql]:
    """What holds of each row, by the name of its constraint: the currency is known, nothing is half there, no NaN."""
    amount, currency = ident(declaration.amount), ident(declaration.currency)
    codes = joined(literal(code) for code in declaration.codes())
    return {
        money_name(declaration, "currency"): ddl("{} IN ({})", currency, codes),
        money_name(declaration, "whole"): ddl("({} IS NULL) = ({} IS NULL)", amount, currency),
        money_name(declaration, "finite"): ddl("{} <> 'NaN'", amount),
    }


def money_name(declaration: Money, rule: str) -> str:
    """The name of one of its constraints."""
    return shortened(f"{declaration.table[1]}_{declaration.name or declaration.amount}_{rule}")


def unknown_code(declaration: Money) -> str:
    """A code of the right form that is not allowed."""
    allowed = set(declaration.codes())
    return next(code for code in map("".join, product(reversed(ascii_uppercase), repeat=3)) if code not in allowed)


def compile_money(declaration: Money, model: Model) -> Iterator[Object]:
    """A constraint each."""
    table = model.table(*declaration.table)
    for name, rule in money_rules(declaration).items():
        yield Constraint(
            schema=table.schema,
            table=table.table,
            constraint=name,
            type="c",
            definition=ddl("CHECK ({})", rule),
            columns=(declaration.amount, declaration.currency),
            reason=f"{declaration.title}.{declaration.amount} is an amount of money",
        )
