"""Groups that sum to zero whenever a transaction commits.

Statement triggers add up what each statement changes in each group. Where that is not zero, the difference waits in a
table of its own, whose deferred trigger judges each group once, at COMMIT.

A group that is in balance needs no lock: every transaction that commits has changed it by zero, and one that changes
the same rows waits for the row, or fails at a higher isolation level. Who makes good a group that was out of balance
before the rule writes a row of it, transaction 0, as everybody does who makes it good.
"""

from __future__ import annotations

from collections.abc import Iterator

from freehold.errors import DeclarationError
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, joined, shortened, trusted
from freehold.kernel.objects import Column, Constraint, Grant, Object, Table, TableFacts
from freehold.rooms.constraints.declare import Balanced
from freehold.rooms.constraints.names import Place, owned, readable

EXACT = ("numeric", "integer", "bigint", "smallint")
CHANGES = {"insert": ("fresh",), "update": ("fresh", "gone"), "delete": ("gone",)}
NEW, OLD = "NEW TABLE AS fresh", "OLD TABLE AS gone"
TRANSITIONS = {"insert": NEW, "update": f"{OLD} {NEW}", "delete": OLD}


def balance_place(declaration: Balanced, model: Model) -> Place:
    """Where the rule is."""
    return Place(declaration, model, f"{declaration.amount}_balance")


def due_name(place: Place) -> str:
    """The name of the table of differences."""
    return shortened(f"{place.name}_due")


def compile_balanced(declaration: Balanced, model: Model) -> Iterator[Object]:
    """The table of differences, what writes it, and what judges it."""
    place = balance_place(declaration, model)
    group = place.with_tenant(declaration.per)
    _check_columns(declaration, place, group)
    reason = f"groups of {declaration.title} sum to zero"
    yield model.machine_role("definer", "owns functions that run with their own rights; nobody acts as it")
    yield from readable(place.table, model, reason, "SELECT")
    due = _due(place, group, reason)
    yield due
    yield from _due_rights(due, group, model, reason)
    yield from _noting(declaration, place, due, group, reason)
    yield from _judging(declaration, place, due, group, reason)


def _check_columns(declaration: Balanced, place: Place, group: tuple[str, ...]) -> None:
    loose = [name for name in (*group, declaration.amount) if not place.column(name).not_null]
    kind = place.column(declaration.amount).type
    if loose or not kind.lower().startswith(EXACT):
        raise DeclarationError(
            f"Balanced on {declaration.title} needs an exact amount, and columns that are never NULL",
            detail=f"{declaration.amount} is {kind}; nullable: {', '.join(loose) or 'none'}",
            hint="Use numeric or an integer type, and nullable=False.",
        )


def _due(place: Place, group: tuple[str, ...], reason: str) -> Table:
    """The table of differences; what a crash empties belonged to transactions that are gone with it."""
    schema, name = place.table.schema, due_name(place)
    kinds = {
        "transaction_id": "xid8",
        **{column: place.column(column).type for column in group},
        "difference": "numeric",
    }
    facts = TableFacts(
        tenant_column=place.table.facts.tenant_column,
        of=place.rule.table,
        role="state",
        application=frozenset(),
        writers=(place.model.role("definer"),) if place.tenant else (),
    )
    columns = (
        Column(schema=schema, table=name, column=column, type=kind, not_null=True) for column, kind in kinds.items()
    )
    return Table(schema=schema, table=name, persistence="u", columns=tuple(columns), facts=facts, reason=reason)


def _due_rights(due: Table, group: tuple[str, ...], model: Model, reason: str) -> Iterator[Object]:
    key = ("transaction_id", *group)
    yield Constraint(
        schema=due.schema,
        table=due.table,
        constraint=shortened(f"{due.table}_pk"),
        type="p",
        definition=ddl("PRIMARY KEY ({})", idents(key)),
        columns=key,
        reason=reason,
    )
    rights = ("DELETE", "INSERT", "SELECT", "UPDATE")
    yield Grant(on="table", target=due.name, grantee=model.role("definer"), privileges=rights, reason=reason)


def _noting(declaration: Balanced, place: Place, due: Table, group: tuple[str, ...], reason: str) -> Iterator[Object]:
    for verb, sides in CHANGES.items():
        holes = {"due": due.sql, "group": idents(group), "changes": _changes(declaration, group, sides)}
        note = place.function("note_balance", reason, holes, of=verb)
        yield from owned(note, place.model)
        text = ddl(
            "AFTER {} ON {} REFERENCING {} FOR EACH STATEMENT EXECUTE FUNCTION {}",
            trusted(verb.upper()),
            place.table.sql,
            trusted(TRANSITIONS[verb]),
            note.signature,
        )
        yield place.trigger(verb, text, reason)


def _changes(declaration: Balanced, group: tuple[str, ...], sides: tuple[str, ...]) -> Sql:
    """What a statement adds to each row's group, and takes from it."""
    signs = {"fresh": ddl(""), "gone": ddl("-")}
    parts = (
        ddl("SELECT {}, {}{} AS difference FROM {}", idents(group), signs[side], ident(declaration.amount), ident(side))
        for side in sides
    )
    return joined(parts, " UNION ALL ")


def _judging(declaration: Balanced, place: Place, due: Table, group: tuple[str, ...], reason: str) -> Iterator[Object]:
    holes = {
        "due": due.sql,
        "base": place.table.sql,
        "amount": ident(declaration.amount),
        "group": idents(group),
        "new_group": joined(ddl("NEW.{}", ident(name)) for name in group),
        "same_group": _match("d", group),
        "of_group": _match("b", group),
    }
    judge = place.function("judge_balance", reason, holes | place.told())
    yield from owned(judge, place.model)
    text = ddl(
        "AFTER INSERT ON {} DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.transaction_id <> '0'::xid8)"
        " EXECUTE FUNCTION {}",
        due.sql,
        judge.signature,
    )
    yield place.trigger("commit", text, reason, due)


def _match(alias: str, group: tuple[str, ...]) -> Sql:
    return joined((ddl("{0}.{1} = NEW.{1}", ident(alias), ident(name)) for name in group), " AND ")
