"""When a row is held."""

from __future__ import annotations

from freehold.kernel.names import Sql, ddl, ident, literal
from freehold.rooms.tenants.declare import LegalHold


def held(rule: LegalHold, row: Sql) -> Sql:
    """The condition that the law keeps a row still: by the server's clock, and always where it says no time."""
    if rule.keep is None or rule.since is None:
        return Sql("true")
    since = ddl("{}.{}", row, ident(rule.since))
    return ddl("({0} + interval {1} > pg_catalog.now()) IS NOT FALSE", since, literal(rule.keep))
