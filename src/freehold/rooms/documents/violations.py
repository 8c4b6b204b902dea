"""Documents refused for one reason: a stored one without a required property, or with a value of a wrong type."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from freehold.kernel.names import Sql, ddl, literal
from freehold.rooms.documents.schema import Node, constant

SAMPLES: Mapping[str, Any] = {"object": {}, "array": [], "string": "", "boolean": True, "null": None, "number": 0.5}


def violating(root: Node, column: Sql, spared: Collection[str]) -> Iterator[tuple[str, Sql]]:
    """What each attack violates, and the expression of its document over the stored one.

    ``spared`` are properties whose wrong values another column refuses first.
    """
    if not isinstance(root, Mapping):
        return
    stored = ddl("COALESCE({}, '{{}}'::jsonb)", column)
    if _wrong(root):
        yield "the type of the whole", ddl("{}::jsonb", literal(constant(SAMPLES[_wrong(root)])))
    for name in root.get("required", ()):
        yield f"required {name}", ddl("{} - {}", stored, literal(name))
    for name, child in root.get("properties", {}).items():
        kind = _wrong(child)
        if kind and name not in spared:
            value = literal(constant(SAMPLES[kind]))
            change = "jsonb_set({}, ARRAY[{}], {}::jsonb)"
            yield f"the type of {name}", ddl(change, stored, literal(name), value)


def _wrong(node: Any) -> str:
    """A type that the schema refuses; "" where it names none or refuses none."""
    declared = node.get("type") if isinstance(node, Mapping) else None
    if not declared:
        return ""
    kinds = {declared} if isinstance(declared, str) else set(declared)
    return next((kind for kind in SAMPLES if kind not in kinds and not (kind == "number" and "integer" in kinds)), "")
