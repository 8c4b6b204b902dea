"""Python text: calls that stand on one line where they fit, and one argument a line where they do not.

Every broken call ends in a comma, so that a formatter leaves it as it is at a line length of 88 and of 120.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

WIDTH = 88
LONGEST = 118
"""Characters of a line beyond which a text is cut into pieces."""

_PIECE = re.compile(r"\S*\s*")


@dataclass(frozen=True)
class Group:
    """Something in brackets: ``opening`` holds the bracket and what stands before it."""

    opening: str
    items: tuple[tuple[str, Node], ...] = ()
    closing: str = ")"


@dataclass(frozen=True)
class Text:
    """A text constant; ``block`` keeps its lines as lines."""

    value: str
    block: bool = False


Node = str | Text | Group
"""Code as it stands, a text constant, or a group."""


def call(function: str, /, *items: Node, **named: Node | None) -> Group:
    """A call; arguments that are None are left out."""
    return Group(f"{function}(", (*(("", item) for item in items), *_named(named)))


def _named(items: Mapping[str, Node | None]) -> Iterator[tuple[str, Node]]:
    return ((f"{name}=", item) for name, item in items.items() if item is not None)


def tuple_of(items: Iterable[Node]) -> Group:
    """A tuple."""
    return Group("(", tuple(("", item) for item in items))


def list_of(items: Iterable[Node]) -> Group:
    """A list."""
    return Group("[", tuple(("", item) for item in items), "]")


def dict_of(items: Mapping[str, Node]) -> Group:
    """A dictionary with texts as keys."""
    return Group("{", tuple((f"{quoted(key)}: ", item) for key, item in items.items()), "}")


def quoted(text: str) -> str:
    """A text constant on one line, in the quotes that need fewer escapes.

    >>> print(quoted("it's"), quoted('a "b"'))
    "it's" 'a "b"'
    """
    mark = "'" if text.count('"') > text.count("'") else '"'
    return mark + "".join(_escaped(letter, mark) for letter in text) + mark


def _escaped(letter: str, mark: str) -> str:
    if letter in (mark, "\\"):
        return f"\\{letter}"
    return letter if letter.isprintable() else repr(letter)[1:-1]


def flat(node: Node) -> str:
    """The node on one line."""
    if isinstance(node, str):
        return node
    if isinstance(node, Text):
        return quoted(node.value)
    inner = ", ".join(f"{lead}{flat(item)}" for lead, item in node.items)
    single = "," if node.opening == "(" and len(node.items) == 1 else ""
    return f"{node.opening}{inner}{single}{node.closing}"


def _has_block(node: Node) -> bool:
    if isinstance(node, Group):
        return any(_has_block(item) for _, item in node.items)
    return isinstance(node, Text) and node.block


def written(node: Node, indent: int = 0, lead: str = "", tail: str = "") -> str:
    """The node after ``lead``, its first line not indented: whoever calls has done that."""
    line = f"{lead}{flat(node)}{tail}"
    if not _has_block(node) and (indent + len(line) <= WIDTH or isinstance(node, str)):
        return line
    if isinstance(node, Text):
        return f"{lead}{_long(node, indent, len(lead) + len(tail), bool(lead))}{tail}"
    assert isinstance(node, Group)
    if not node.items:
        return line
    deeper = " " * (indent + 4)
    lines = "".join(f"{deeper}{written(item, indent + 4, name, ',')}\n" for name, item in node.items)
    return f"{lead}{node.opening}\n{lines}{' ' * indent}{node.closing}{tail}"


def _long(text: Text, indent: int, beside: int, named: bool) -> str:
    """A text in pieces, or in triple quotes where it has lines of its own and nothing to escape."""
    value = text.value
    if text.block and _triple(value):
        raw = "r" if "\\" in value else ""
        return f'{raw}"""{value}"""'
    one = quoted(value)
    if indent + beside + len(one) <= LONGEST:
        return one
    inner = indent + 4 if named else indent
    pieces = _pieces(value, LONGEST - inner - 4)
    if len(pieces) == 1:
        return one
    if not named:
        return f"\n{' ' * inner}".join(quoted(piece) for piece in pieces)
    lines = "".join(f"{' ' * inner}{quoted(piece)}\n" for piece in pieces)
    return f"(\n{lines}{' ' * indent})"


def _triple(value: str) -> bool:
    clean = all(letter.isprintable() or letter == "\n" for letter in value)
    ends = value.endswith(('"', "\\"))
    return clean and '"""' not in value and not ends and not _BLANK.search(value)


_BLANK = re.compile(r"[ \t]+(\n|$)")
"""Blanks at the end of a line, which editors take away."""


def _pieces(value: str, room: int) -> list[str]:
    """Cut after blanks and line ends."""
    pieces = [""]
    for word in _PIECE.findall(value):
        begins = pieces[-1].endswith("\n") or len(quoted(pieces[-1] + word)) > room
        if begins and pieces[-1]:
            pieces.append(word)
        else:
            pieces[-1] += word
    return [piece for piece in pieces if piece]
