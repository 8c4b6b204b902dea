"""ECMA-262 patterns, as JSON Schema writes them, in the words of PostgreSQL's regular expressions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from freehold.errors import DeclarationError

DOT = r"[^\n\r\u2028\u2029]"
SPACE = r"\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
CLASSES = {"d": "0-9", "w": "A-Za-z0-9_", "s": SPACE}
"""ECMA's classes; PostgreSQL's own follow the locale."""
CONTROLS = {"t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
MOST = 255
"""The highest bound of a quantifier that PostgreSQL takes."""

_ESCAPE = re.compile(r"\\(?:u\{([0-9A-Fa-f]+)\}|u([0-9A-Fa-f]{4})|x([0-9A-Fa-f]{2})|([tnvfr])|([^\w\s]))", re.ASCII)
_QUANTIFIER = re.compile(r"(?:[*+?]|\{(\d+)(,(\d*))?\})\??")
_GROUP = re.compile(r"\((?:\?(?::|<[A-Za-z_]\w*>|=|!))?")


def translate(pattern: str) -> str:
    """The PostgreSQL regular expression that matches the same texts.

    Raises
    ------
    DeclarationError
        The pattern uses what PostgreSQL reads differently: a back reference, a word boundary, a lookbehind, a Unicode
        property, a flag, or a quantifier above 255.
    """
    return "".join(_Reader(pattern).read())


@dataclass
class _Reader:
    """A pattern and how far it is read."""

    pattern: str
    at: int = 0

    def read(self) -> Iterator[str]:
        closing: list[bool] = []
        repeatable = False
        while self.at < len(self.pattern):
            sign = self.pattern[self.at]
            if sign in "*+?{":
                if not repeatable:
                    raise self._refused("a quantifier of nothing")
                yield self._quantifier()
                repeatable = False
            elif sign == "(":
                text, repeats = self._group()
                closing.append(repeats)
                yield text
                repeatable = False
            elif sign == ")":
                if not closing:
                    raise self._refused("a closing parenthesis alone")
                repeatable = closing.pop()
                yield self._take(")")
            elif sign in "^$|":
                repeatable = False
                yield self._take(sign)
            else:
                repeatable = True
                yield self._atom(sign)
        if closing:
            raise self._refused("a parenthesis that is not closed")

    def _take(self, text: str) -> str:
        self.at += 1
        return text

    def _atom(self, sign: str) -> str:
        if sign == ".":
            return self._take(DOT)
        if sign == "[":
            return self._bracket()
        if sign == "\\":
            name = self.pattern[self.at + 1 : self.at + 2]
            if name.lower() in CLASSES and name:
                self.at += 2
                return ("[^" if name.isupper() else "[") + CLASSES[name.lower()] + "]"
            return _plain(self._escaped())
        if sign in "]}":
            raise self._refused(f"a bare {sign}")
        return self._take(_plain(sign))

    def _quantifier(self) -> str:
        found = _QUANTIFIER.match(self.pattern, self.at)
        if not found:
            raise self._refused("a bare {")
        if any(int(bound) > MOST for bound in (found[1], found[3]) if bound):
            raise self._refused(f"a quantifier above {MOST}")
        if found[1] and found[3] and int(found[1]) > int(found[3]):
            raise self._refused("a quantifier whose bounds are out of order")
        self.at = found.end()
        return found[0]

    def _group(self) -> tuple[str, bool]:
        found = _GROUP.match(self.pattern, self.at)
        if not found or self.pattern[found.end() : found.end() + 1] == "?":
            raise self._refused("a lookbehind, a flag or a group of an unknown kind")
        self.at = found.end()
        looks = found[0] in {"(?=", "(?!"}
        return (found[0] if looks else "(?:"), not looks

    def _escaped(self) -> str:
        found = _ESCAPE.match(self.pattern, self.at)
        if not found:
            raise self._refused(f"the escape {self.pattern[self.at : self.at + 2]}")
        self.at = found.end()
        code = found[1] or found[2] or found[3]
        if code and (not 0 < int(code, 16) < 0x110000 or 0xD800 <= int(code, 16) < 0xE000):
            raise self._refused(f"the code {code}, which no text holds")
        return chr(int(code, 16)) if code else CONTROLS.get(found[4], found[5])

    def _bracket(self) -> str:
        self.at += 1
        head = "["
        if self.pattern.startswith("^", self.at):
            head = self._take("[^")
        parts = list(self._members())
        if not parts:
            raise self._refused("an empty bracket")
        return head + "".join(parts) + "]"

    def _members(self) -> Iterator[str]:
        while not self.pattern.startswith("]", self.at):
            first = self._member()
            more = self.pattern[self.at : self.at + 2]
            if len(first) == 1 and len(more) == 2 and more[0] == "-" and more[1] != "]":
                self.at += 1
                last = self._member()
                if len(last) != 1 or last < first:
                    raise self._refused("a range that has no order")
                yield _plain(first) + "-" + _plain(last)
            else:
                yield _plain(first) if len(first) == 1 else first
        self.at += 1

    def _member(self) -> str:
        if self.at >= len(self.pattern):
            raise self._refused("a bracket that is not closed")
        sign = self.pattern[self.at]
        if sign != "\\":
            return self._take(sign)
        name = self.pattern[self.at + 1 : self.at + 2]
        if name in CLASSES:
            self.at += 2
            return CLASSES[name]
        return self._escaped()

    def _refused(self, what: str) -> DeclarationError:
        return DeclarationError(
            f"The pattern {self.pattern!r} uses {what} at character {self.at + 1}",
            detail="PostgreSQL's regular expressions read it differently from ECMA-262, or not at all.",
            hint="Write the pattern without it.",
        )


def _plain(sign: str) -> str:
    """One character that stands for itself, inside brackets or outside."""
    if sign.isalnum() or ord(sign) > 127 or sign in " _":
        return sign
    return f"\\u{ord(sign):04x}"
