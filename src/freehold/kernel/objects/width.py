"""Whether a type can hold every value of another, and whether its values are stored alike."""

from __future__ import annotations

import re

_TYPE = re.compile(r"(?P<base>[^(]+)(\((?P<first>\d+)(,(?P<second>-?\d+))?\))?(?P<rest>.*)")
TIMES = ("timestamp with time zone", "timestamp without time zone")
INTEGERS = ("smallint", "integer", "bigint")


def narrower(new: str, old: str) -> bool:
    """Whether ``new`` may be unable to hold what ``old`` holds; both as ``format_type`` writes them.

    >>> narrower("character varying(20)", "character varying(40)"), narrower("numeric(10,2)", "numeric(8,2)")
    (True, False)
    """
    if new == old or new == "text" or (new, old) in (("inet", "cidr"), TIMES, TIMES[::-1]):
        return False
    if new in INTEGERS and old in INTEGERS:
        return INTEGERS.index(new) < INTEGERS.index(old)
    ours, theirs = _TYPE.fullmatch(new), _TYPE.fullmatch(old)
    if not ours or not theirs or (ours["base"], ours["rest"]) != (theirs["base"], theirs["rest"]):
        return not (new == "numeric" and old in INTEGERS)
    if not ours["first"]:
        return ours["base"] not in {"numeric", "character varying"}
    return not theirs["first"] or _shorter(ours, theirs)


def _shorter(new: re.Match[str], old: re.Match[str]) -> bool:
    scale, old_scale = int(new["second"] or 0), int(old["second"] or 0)
    return scale < old_scale or int(new["first"]) - scale < int(old["first"]) - old_scale


_ALIKE = {
    ("inet", "cidr"),
    TIMES,  # sessions that apply are in UTC
    TIMES[::-1],
    ("text", "character varying"),
    ("character varying", "text"),
}
_LENGTHS = {"character varying", "numeric", "bit varying"}


def rewrites(new: str, old: str) -> bool:
    """Whether PostgreSQL writes every row anew where a column changes its type (ALTER TABLE, "Notes").

    >>> rewrites("character varying(40)", "character varying(20)"), rewrites("bigint", "integer")
    (False, True)
    """
    ours, theirs = _TYPE.fullmatch(new), _TYPE.fullmatch(old)
    if not ours or not theirs or ours["rest"] != theirs["rest"]:
        return (new, old) not in _ALIKE
    if ours["base"] != theirs["base"]:
        return ours["first"] is not None or (ours["base"], theirs["base"]) not in _ALIKE
    if ours["base"] not in _LENGTHS:
        return True
    if not ours["first"]:
        return False
    if not theirs["first"]:
        return True
    return _shorter(ours, theirs) or int(ours["second"] or 0) != int(theirs["second"] or 0)
