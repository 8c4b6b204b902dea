"""Whether a type can hold every value of another."""

from __future__ import annotations

import re

_TYPE = re.compile(r"(?P<base>[^(]+)(\((?P<first>\d+)(,(?P<second>-?\d+))?\))?(?P<rest>.*)")
INTEGERS = ("smallint", "integer", "bigint")


def narrower(new: str, old: str) -> bool:
    """Whether ``new`` may be unable to hold what ``old`` holds; both as ``format_type`` writes them.

    >>> narrower("character varying(20)", "character varying(40)"), narrower("numeric(10,2)", "numeric(8,2)")
    (True, False)
    """
    if new == old or new == "text" or (new, old) == ("inet", "cidr"):
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
