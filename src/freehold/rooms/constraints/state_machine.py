"""A status that goes only where it may: row triggers whose conditions the server judges without calling a function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal, trusted
from freehold.kernel.objects import Object
from freehold.rooms.constraints.declare import StateMachine
from freehold.rooms.constraints.names import Place, owned


def state_place(declaration: StateMachine, model: Model) -> Place:
    """Where the rule is."""
    return Place(declaration, model, f"{declaration.column}_states")


def compile_state_machine(declaration: StateMachine, model: Model) -> Iterator[Object]:
    """The function that refuses, and a trigger each for INSERT and UPDATE.

    They fire after the row is written, so that no other trigger can still change the status.
    """
    place = state_place(declaration, model)
    reason = f"{declaration.title}.{declaration.column} goes only where it may"
    refuse = place.function(
        "refuse_status",
        reason,
        {
            "column": ident(declaration.column),
            "column_text": literal(declaration.column),
            "states": _texts(declaration.states),
            **place.told(),
        },
        definer=False,
    )
    yield from owned(refuse, model)
    for verb, condition in (("insert", _begins(declaration)), ("update", _moves(declaration))):
        text = ddl(
            "AFTER {} ON {} FOR EACH ROW WHEN ({}) EXECUTE FUNCTION {}",
            trusted(verb.upper()),
            place.table.sql,
            condition,
            refuse.signature,
        )
        yield place.trigger(verb, text, reason)


def _begins(declaration: StateMachine) -> Sql:
    """A new row that begins elsewhere; NULL is nowhere."""
    column = ident(declaration.column)
    return ddl("(NEW.{}::text = ANY (ARRAY[{}])) IS NOT TRUE", column, _texts(declaration.initial))


def _moves(declaration: StateMachine) -> Sql:
    """A row that moved where it may not."""
    column = ident(declaration.column)
    ways = [
        ddl("(OLD.{0}::text = {1} AND NEW.{0}::text = ANY (ARRAY[{2}]))", column, literal(before), _texts(then))
        for before, then in declaration.allowed.items()
        if then
    ]
    allowed = joined(ways, " OR ") if ways else ddl("false")
    return ddl("OLD.{0} IS DISTINCT FROM NEW.{0} AND ({1}) IS NOT TRUE", column, allowed)


def _texts(values: Iterable[str]) -> Sql:
    return joined(literal(value) for value in values)
