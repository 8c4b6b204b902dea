"""Constraints of a table in SQLAlchemy's words; what they cannot say is None, and goes to the layer as it is."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from freehold.adopt.columns import check_text
from freehold.adopt.parse import bracketed, clause, parts_of, peeled, plain, split
from freehold.adopt.source import Node, Text, call, list_of, tuple_of
from freehold.kernel.objects import Constraint
from freehold.kernel.stable import stable

_ACTION = re.compile(r"ON (UPDATE|DELETE) (CASCADE|RESTRICT|SET NULL|SET DEFAULT|NO ACTION)(?: (\([^)]*\)))?\s*")
_MATCH = re.compile(r"MATCH (FULL|PARTIAL)\s*")
_DEFERRED = {"": {}, "DEFERRABLE": {"deferrable": "True"}}
_INITIALLY = "DEFERRABLE INITIALLY DEFERRED"


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key: what it refers to, and the options that it is written with."""

    columns: tuple[str, ...]
    table: tuple[str, ...]
    referred: tuple[str, ...]
    options: Mapping[str, Node | None]


def constraint_call(
    item: Constraint, target: Callable[[tuple[str, ...]], str], *, closes: bool = False, inline: bool = False
) -> Node | None:
    """The call that says a constraint, or None.

    Parameters
    ----------
    target
        How the models name a table that a foreign key refers to.
    closes
        Whether a foreign key closes a circle of tables, so that SQLAlchemy orders them without it.
    inline
        Whether a foreign key is written at its only column.
    """
    makers = {"p": _key, "u": _key, "c": _check, "x": _exclusion}
    if item.type == "f":
        found = foreign_key(item)
        return None if found is None else _foreign_key_call(item, found, target, closes, inline)
    return makers[item.type](item)


def _key(item: Constraint) -> Node | None:
    """A primary key or unique constraint."""
    head, _, _ = item.definition.partition("(")
    listed, rest = bracketed(item.definition[len(head) :])
    columns = [plain(part) for part in split(listed)]
    include, rest = clause(rest, "INCLUDE")
    included = [plain(part) for part in split(include)] if include else []
    words = head.strip()
    options = _deferred(rest)
    if not all(columns + included) or options is None or words not in _KEYS:
        return None
    name, nulls = _KEYS[words]
    return call(
        name,
        *map(Text, columns),
        name=Text(item.constraint),
        **options,
        postgresql_include=list_of(map(Text, included)) if included else None,
        postgresql_nulls_not_distinct=nulls,
    )


_KEYS: Mapping[str, tuple[str, str | None]] = {
    "PRIMARY KEY": ("sa.PrimaryKeyConstraint", None),
    "UNIQUE": ("sa.UniqueConstraint", None),
    "UNIQUE NULLS NOT DISTINCT": ("sa.UniqueConstraint", "True"),
}


def _deferred(rest: str) -> dict[str, Node | None] | None:
    """The options of what may follow a constraint; None where something else does."""
    if rest == _INITIALLY:
        return {"deferrable": "True", "initially": Text("DEFERRED")}
    found = _DEFERRED.get(rest)
    return None if found is None else dict(found)


def _check(item: Constraint) -> Node | None:
    body, rest = bracketed(item.definition.removeprefix("CHECK "))
    if rest or not body:
        return None
    return call("sa.CheckConstraint", check_text(peeled(body)), name=Text(item.constraint), **_unvalidated(item))


def _unvalidated(item: Constraint) -> dict[str, Node | None]:
    return {} if item.validated else {"postgresql_not_valid": "True"}


def _exclusion(item: Constraint) -> Node | None:
    match = re.match(r"EXCLUDE USING (\w+) ", item.definition)
    if match is None:
        return None
    listed, rest = bracketed(item.definition[match.end() :])
    where, rest = clause(rest, "WHERE")
    elements = [part.rpartition(" WITH ") for part in split(listed)]
    options = _deferred(rest)
    if options is None or not all(element for element, _, _ in elements):
        return None
    return call(
        "postgresql.ExcludeConstraint",
        *(tuple_of((_excluded(element), Text(operator))) for element, _, operator in elements),
        name=Text(item.constraint),
        using=Text(match[1]),
        where=call("sa.text", Text(stable(peeled(where)))) if where else None,
        **options,
    )


def _excluded(element: str) -> Node:
    column = plain(element)
    return Text(column) if column else call("sa.text", Text(stable(element)))


def foreign_key(item: Constraint) -> ForeignKey | None:
    """The parts of a foreign key, or None where SQLAlchemy has no word for one of them."""
    if not item.definition.startswith("FOREIGN KEY ("):
        return None
    own, rest = bracketed(item.definition.removeprefix("FOREIGN KEY "))
    place = rest.removeprefix("REFERENCES ")
    begin = place.index("(") if '"' not in place else _bracket(place)
    listed, rest = bracketed(place[begin:])
    columns = tuple(plain(part) for part in split(own))
    referred = tuple(plain(part) for part in split(listed))
    options = _key_options(rest)
    if options is None or not all(columns + referred):
        return None
    return ForeignKey(columns, parts_of(place[:begin]), referred, {**options, **_unvalidated(item)})


def _bracket(text: str) -> int:
    """Where the first bracket stands outside of quotes."""
    quotes = 0
    for place, letter in enumerate(text):
        quotes += letter == '"'
        if letter == "(" and quotes % 2 == 0:
            return place
    return 0


def _key_options(rest: str) -> dict[str, Node | None] | None:
    options: dict[str, Node | None] = {}
    if match := _MATCH.match(rest):
        options["match"] = Text(match[1])
        rest = rest[match.end() :]
    while match := _ACTION.match(rest):
        columns = f" {match[3]}" if match[3] else ""
        options[f"on{match[1].lower()}"] = Text(f"{match[2]}{columns}")
        rest = rest[match.end() :]
    deferred = _deferred(rest)
    return None if deferred is None else {**options, **deferred}


def _foreign_key_call(
    item: Constraint, found: ForeignKey, target: Callable[[tuple[str, ...]], str], closes: bool, inline: bool
) -> Node | None:
    named: dict[str, Node | None] = {
        "name": Text(item.constraint),
        **found.options,
        "use_alter": "True" if closes else None,
    }
    table = target(found.table)
    if any("." in name for name in (*found.table, *found.referred)):
        return None  # SQLAlchemy cuts the reference at its dots
    referred = [Text(f"{table}.{column}") for column in found.referred]
    if inline:
        return call("sa.ForeignKey", referred[0], **named)
    return call("sa.ForeignKeyConstraint", list_of(map(Text, found.columns)), list_of(referred), **named)
