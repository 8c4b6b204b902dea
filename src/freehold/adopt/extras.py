"""Objects that no model can tell, as the layer tells them: in the kernel's own classes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import MISSING, fields

from freehold.adopt.naming import Names
from freehold.adopt.source import Node, Text, call, tuple_of, written
from freehold.adopt.ways import Way, Ways
from freehold.kernel.objects import Constraint, Key, Object
from freehold.kernel.stable import stable

GROUPS = (
    ("extensions", ("extension",)),
    ("schemas", ("schema",)),
    ("types", ("enum", "domain")),
    ("functions", ("function",)),
    ("keys", ("constraint", "index")),
    ("views", ("view",)),
    ("guards", ("row_security", "policy")),
    ("triggers", ("trigger",)),
)
"""The variables of the layer's module, and the kinds that each holds."""

_READ_BACK = frozenset({"returns", "definer", "settings", "parameters", "defaults", "validated", "valid"})
"""Fields that follow from the definition."""

_SQL = frozenset({"definition", "using", "check", "checks", "default"})


def extra_lines(ways: Ways, names: Names) -> Iterator[tuple[str, str]]:
    """``(variable, its line)`` of each group that holds something."""
    for wanted, kinds in GROUPS:
        found = [item for key, item in ways.catalog.objects.items() if key.kind in kinds and ways.of(key) is Way.EXTRA]
        if found:
            name = names.give(wanted, f"{wanted}_")
            made = call("Extra", *(_object(item, ways) for item in sorted(found, key=lambda item: item.key)))
            yield name, written(made, 0, f"{name} = ")


def _object(item: Object, ways: Ways) -> Node:
    named: dict[str, Node | None] = {}
    for field in fields(item):
        value = getattr(item, field.name)
        default = field.default_factory() if field.default_factory is not MISSING else field.default
        told = field.compare or field.name == "into"
        if told and field.name not in _READ_BACK and value != default:
            named[field.name] = _value(item, field.name, value)
    named["after"] = _after(item, ways)
    return call(type(item).__name__, **named)


def _value(item: Object, name: str, value: object) -> Node:
    if isinstance(value, tuple):
        return tuple_of([_value(item, name, each) for each in value])
    if not isinstance(value, str):
        return repr(value)
    unchecked = isinstance(item, Constraint) and name == "definition" and not item.validated
    marked = " NOT VALID" if unchecked and not value.endswith(" NOT ENFORCED") else ""
    text = stable(value) if name in _SQL and item.kind != "function" else value
    return Text(text + marked, block="\n" in text)


def _after(item: Object, ways: Ways) -> Node | None:
    """What must be there first although its kind comes later."""
    objects = ways.catalog.objects
    needs = {_whole(need) for need in ways.catalog.needs.get(item.key, ())}
    later = sorted(need for need in needs if need in objects and objects[need].rank >= item.rank and need != item.key)
    later = [need for need in later if ways.told(need) and need not in item.parents]
    return tuple_of([_key(need) for need in later]) if later else None


def _whole(key: Key) -> Key:
    """The table of a column."""
    return Key("table", key.name[:2]) if key.kind == "column" else key


def _key(key: Key) -> Node:
    return call("Key", Text(key.kind), tuple_of(map(Text, key.name)))
