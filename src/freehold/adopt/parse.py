"""The parts of what the catalog writes: lists in brackets, quoted names, the clauses of an index or constraint."""

from __future__ import annotations

import re
from collections.abc import Iterator

_NAME = re.compile(r'"(?:[^"]|"")*"|[^\s".,()\'\[\]]+')


def split(text: str, mark: str = ",") -> list[str]:
    """Cut at a mark that stands in no brackets, quotes or constants.

    >>> split("a, lower((b)::text), ')'::text")
    ['a', 'lower((b)::text)', "')'::text"]
    """
    parts, depth, begin = [], 0, 0
    for place, letter in _letters(text):
        depth += (letter in "([") - (letter in ")]")
        if letter == mark and not depth:
            parts.append(text[begin:place].strip())
            begin = place + 1
    return [*parts, text[begin:].strip()]


def _letters(text: str) -> Iterator[tuple[int, str]]:
    """Letters outside of quotes, with their places."""
    place = 0
    while place < len(text):
        letter = text[place]
        if letter in "'\"":
            escapes = letter == "'" and place > 0 and text[place - 1] == "E"
            place = _closing_quote(text, place, escapes)
        else:
            yield place, letter
        place += 1


def _closing_quote(text: str, place: int, escapes: bool) -> int:
    mark = text[place]
    place += 1
    while place < len(text) and text[place] != mark:
        place += 2 if escapes and text[place] == "\\" else 1
    return place


def bracketed(text: str) -> tuple[str, str]:
    """What stands in the brackets that the text begins with, and what follows them.

    >>> bracketed("(a, (b)) INCLUDE (c)")
    ('a, (b)', 'INCLUDE (c)')
    """
    depth = 0
    for place, letter in _letters(text):
        depth += (letter == "(") - (letter == ")")
        if letter == ")" and not depth:
            return text[1:place], text[place + 1 :].strip()
    return "", text


def parts_of(name: str) -> tuple[str, ...]:
    """The parts of a qualified name, without quotes.

    >>> parts_of('app."Order"')
    ('app', 'Order')
    """
    return tuple(unquoted(part) for part in split(name, "."))


def unquoted(name: str) -> str:
    """A name without its quotes."""
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def plain(element: str) -> str:
    """The name of a column, where the element is nothing else; else nothing."""
    match = _NAME.fullmatch(element)
    return unquoted(element) if match else ""


def named_with(element: str) -> tuple[str, str]:
    """A column's name and one word after it, such as an operator class; else nothing twice."""
    match = _NAME.match(element)
    rest = element[match.end() :].strip() if match else ""
    if match is None or not re.fullmatch(r'(?:[a-z_][a-z0-9_]*|"[^"]+")(?:\.(?:[a-z_][a-z0-9_]*|"[^"]+"))?', rest):
        return "", ""
    return unquoted(match[0]), rest


def clause(text: str, word: str) -> tuple[str, str]:
    """The brackets after a word that the text begins with, and the rest; nothing where it begins otherwise."""
    if not text.startswith(f"{word} ("):
        return "", text
    return bracketed(text[len(word) + 1 :])


def peeled(expression: str) -> str:
    """An expression without brackets around the whole of it."""
    inner, rest = bracketed(expression) if expression.startswith("(") else ("", "")
    return inner if inner and not rest else expression
