"""Expressions that PostgreSQL would write in another way when it reads its own text again."""

from __future__ import annotations

import re

_LITERAL = r"(?:'(?:[^']|'')*'|NULL)::character varying(?:\(\d+\))?"
_PUSHED = re.compile(rf"\(ARRAY\[({_LITERAL}(?:, {_LITERAL})*)\]\)::text\[\]")


def stable(text: str) -> str:
    """The text from which PostgreSQL makes the expression that it wrote as ``text``.

    ``status IN ('a', 'b')`` on a ``varchar`` is kept with a cast of the whole array to ``text[]``. Written out, the
    cast stands on an ARRAY constructor, and the parser pushes it down to the elements (``transformTypeCast``), which
    is another expression with the same meaning. Without the cast the operator's own coercion gives the first one.

    >>> stable("((status)::text = ANY ((ARRAY['a'::character varying, 'b'::character varying])::text[]))")
    "((status)::text = ANY (ARRAY['a'::character varying, 'b'::character varying]))"
    """
    return _PUSHED.sub(r"ARRAY[\1]", text)
