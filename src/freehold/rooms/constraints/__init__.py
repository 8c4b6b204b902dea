"""The constraints room: rules over several rows or versions of a row, kept by the database under concurrency."""

from freehold.kernel.room import Phase, Room
from freehold.rooms.constraints.amount import Amount, total
from freehold.rooms.constraints.compile import compile_constraints, scope_constraints
from freehold.rooms.constraints.currencies import current_currencies
from freehold.rooms.constraints.declare import Balanced, Limit, NoOverlap, Rule, StateMachine
from freehold.rooms.constraints.declare_derived import Counter, Derived
from freehold.rooms.constraints.declare_money import Money
from freehold.rooms.constraints.domains import (
    E164,
    CountryCode,
    CurrencyCode,
    EmailAddress,
    LanguageTag,
    Percentage,
    PositiveMoney,
    Slug,
)
from freehold.rooms.constraints.probes import probe_constraints
from freehold.rooms.constraints.runtime import Rebuilt, rebuild

ROOM = Room(
    name="constraints",
    phase=Phase.SHAPE,
    declaration=Rule,
    compile=compile_constraints,
    scope=scope_constraints,
    probes=probe_constraints,
)

__all__ = [
    "E164",
    "ROOM",
    "Amount",
    "Balanced",
    "Counter",
    "CountryCode",
    "CurrencyCode",
    "Derived",
    "EmailAddress",
    "LanguageTag",
    "Limit",
    "Money",
    "NoOverlap",
    "Percentage",
    "PositiveMoney",
    "Rebuilt",
    "Rule",
    "Slug",
    "StateMachine",
    "current_currencies",
    "rebuild",
    "total",
]
