"""SQL files of the package: statements as they stand, and function bodies whose holes take quoted identifiers only."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

from freehold.kernel.names import Sql

_HOLE = re.compile(r"\{\{(\w+)\}\}")


@cache
def read_sql(package: str, name: str) -> Sql:
    """The text of ``sql/<name>.sql`` of a package.

    >>> read_sql("freehold.journal", "read_managed")  # doctest: +SKIP
    """
    return Sql(files(package).joinpath("sql", f"{name}.sql").read_text(encoding="utf-8"))


def fill(package: str, name: str, **holes: Sql) -> Sql:
    """Fill the ``{{hole}}`` marks of a template; every hole must be given and every one given must be there."""
    text = read_sql(package, name)
    wanted = set(_HOLE.findall(text))
    if wanted != set(holes):
        raise KeyError(f"{package}/sql/{name}.sql has holes {sorted(wanted)}, given {sorted(holes)}")
    return Sql(_HOLE.sub(lambda match: holes[match[1]], text).strip())
