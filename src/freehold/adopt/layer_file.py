"""The module of the layer: every table adopted, what no model can tell, and what is left alone."""

from __future__ import annotations

import io
import textwrap
import tokenize
from collections.abc import Iterable, Iterator, Mapping

from freehold.adopt.extras import extra_lines
from freehold.adopt.left import lines
from freehold.adopt.models import Module
from freehold.adopt.naming import Names
from freehold.adopt.source import LONGEST, Node, Text, call, written
from freehold.adopt.tenants import Guess
from freehold.adopt.ways import Ways
from freehold.kernel.objects import Key

_OBJECTS = (
    "Constraint",
    "Domain",
    "Enum",
    "Extension",
    "Function",
    "Index",
    "Key",
    "Policy",
    "RowSecurity",
    "Schema",
    "Trigger",
    "View",
)
_TAKEN = frozenset({"Adopted", "Base", "DataLayer", "Extra", "layer", "annotations", *_OBJECTS})
_WIDE = "# ruff: noqa: E501 - definitions as PostgreSQL writes them"


def write_layer(ways: Ways, module: Module, *, name: str, on: str, guess: Guess | None) -> str:
    """The text of ``layer.py``.

    Parameters
    ----------
    name
        The layer's name.
    on
        The day of the adoption.
    guess
        The tables' likely tenant, told in a comment.
    """
    entities = sorted(module.entities.values())
    extras = list(extra_lines(ways, Names({*_TAKEN, *entities})))
    adopted: list[Node] = [call("Adopted", *entities, on=Text(on))] if entities else []
    layer = written(
        call("DataLayer", "Base.metadata", *adopted, *(n for n, _ in extras), name=Text(name)), 0, "layer = "
    )
    statements = [line for _, line in extras] + ["\n".join([*_told(guess), layer])]
    body = "\n\n".join([*statements, *(["\n".join(_left(ways.left))] if ways.left else [])])
    head = _head(body, entities)
    wide = any(len(line) > LONGEST + 2 for line in body.splitlines())
    title = '"""What the data must promise: so far, that it stays as it was found."""'
    return "\n\n".join([*([_WIDE] if wide else []), title, head, body]) + "\n"


def _told(guess: Guess | None) -> Iterator[str]:
    """What to write for the tenants that the tables seem to have."""
    if guess is None:
        return
    text = (
        f"{guess.root} looks like the table of tenants: {guess.column} is NOT NULL in {guess.tables} tables and "
        f"refers to it. To bring them under the layer, take them out of Adopted and write Tenancy({guess.root}, "
        f'column="{guess.column}").'
    )
    yield from _comment(text)


def _comment(text: str, indent: str = "# ", following: str = "# ") -> list[str]:
    return textwrap.wrap(
        " ".join(text.split()), 88, initial_indent=indent, subsequent_indent=following, break_long_words=False
    )


def _left(left: Mapping[Key, str]) -> Iterator[str]:
    yield "# Left alone, since no plan touches what the layer does not name:"
    for name, reason in lines(left):
        yield from _comment(f"{name}: {reason}", "# - ", "#   ")


def _head(body: str, entities: Iterable[str]) -> str:
    tokens = tokenize.generate_tokens(io.StringIO(body).readline)
    used = {token.string for token in tokens if token.type == tokenize.NAME}
    objects = [name for name in _OBJECTS if name in used]
    imports = [_from("freehold", [name for name in ("Adopted", "DataLayer", "Extra") if name in used])]
    if objects:
        imports.append(_from("freehold.kernel.objects", objects))
    own = _from("models", sorted({"Base", *entities}, key=_import_order))
    return "\n\n".join(["from __future__ import annotations", "\n".join(imports), own])


def _import_order(name: str) -> tuple[int, str]:
    """Constants, then classes, then variables, as isort has them."""
    return (0 if name.isupper() and len(name) > 1 else 1 if name[:1].isupper() else 2, name)


def _from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    if len(line) <= 88:
        return line
    return f"from {module} import (\n" + "".join(f"    {name},\n" for name in names) + ")"
