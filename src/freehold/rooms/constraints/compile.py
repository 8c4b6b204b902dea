"""What each rule needs in the database."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.objects import Object
from freehold.kernel.room import Scope
from freehold.rooms.constraints.balanced import balance_place, compile_balanced, due_name
from freehold.rooms.constraints.declare import Balanced, Limit, NoOverlap, Rule, StateMachine
from freehold.rooms.constraints.declare_derived import Kept
from freehold.rooms.constraints.declare_money import Money
from freehold.rooms.constraints.derived import compile_derived
from freehold.rooms.constraints.limit import bond_of, compile_limit
from freehold.rooms.constraints.money import compile_money
from freehold.rooms.constraints.no_overlap import compile_no_overlap
from freehold.rooms.constraints.state_machine import compile_state_machine


def compile_constraints(declaration: Rule, model: Model) -> Iterator[Object]:
    """The objects of one rule."""
    match declaration:
        case NoOverlap():
            yield from compile_no_overlap(declaration, model)
        case StateMachine():
            yield from compile_state_machine(declaration, model)
        case Balanced():
            yield from compile_balanced(declaration, model)
        case Limit():
            yield from compile_limit(declaration, model)
        case Kept():
            yield from compile_derived(declaration, model)
        case Money():
            yield from compile_money(declaration, model)
        case _:
            raise TypeError(f"{declaration!r} is no rule of this room")


def scope_constraints(declaration: Rule, model: Model) -> Iterator[Scope]:
    """A trigger on a table that a rule keeps for itself could change what is judged."""
    if isinstance(declaration, Balanced):
        place = balance_place(declaration, model)
        yield Scope("trigger", (place.table.schema, due_name(place)))
    elif isinstance(declaration, Limit):
        bond = bond_of(declaration, model)
        yield Scope("trigger", (bond.place.table.schema, bond.guard))
