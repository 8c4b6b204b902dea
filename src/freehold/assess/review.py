"""Ask everything of one snapshot of the catalog, and put the answers in order."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import psycopg
from psycopg import sql

from freehold.assess.checks import CHECKS
from freehold.assess.finding import Area, Check, Finding, Severity
from freehold.assess.sequences import READERS
from freehold.errors import ServerTooOld
from freehold.kernel.template import read_sql

PACKAGE = __package__ or ""
Connection = psycopg.Connection[Any]
OLDEST = 150000
UNREADABLE = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.ObjectNotInPrerequisiteState,
)
"""What may keep a query from an answer; anything else is a fault of ours, and is told as one."""
_WORST = list(Severity)


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is worth a word.

    Parameters
    ----------
    least_rows, least_bytes
        Smaller tables and indexes are not worth an index, or a word.
    many_rows, many_bytes
        A table with a time wants partitions above either: a hundred million rows, fifty gigabytes.
    old_transactions
        Age of the oldest row at which the end of transaction numbers nears (they end at two billion).
    long_seconds
        How long a transaction may be open.
    """

    least_rows: int = 1000
    least_bytes: int = 2**20
    many_rows: int = 10**8
    many_bytes: int = 50 * 10**9
    old_transactions: int = 10**9
    long_seconds: float = 3600.0


@dataclass(frozen=True)
class Review:
    """What was found, worst first within each area, and what could not be looked at."""

    database: str
    server_version: str
    findings: tuple[Finding, ...]
    not_looked_at: tuple[tuple[Check, str], ...]
    tenant_column: str
    seconds: float

    def counts(self) -> Counter[Severity]:
        """Findings by severity."""
        return Counter(finding.severity for finding in self.findings)

    def of(self, area: Area) -> list[Finding]:
        """The findings of one area."""
        return [finding for finding in self.findings if finding.check.area is area]

    def as_dict(self) -> dict[str, Any]:
        """The review in JSON's types."""
        return {
            "database": self.database,
            "server_version": self.server_version,
            "tenant_column": self.tenant_column or None,
            "seconds": round(self.seconds, 2),
            "counts": {str(severity): self.counts()[severity] for severity in Severity},
            "findings": [finding.as_dict() for finding in self.findings],
            "not_looked_at": [
                {"code": check.code, "title": check.title, "because": reason} for check, reason in self.not_looked_at
            ],
        }


def assess(connection: Connection, *, limits: Limits | None = None, checks: Sequence[Check] = CHECKS) -> Review:
    """Review a database. It only reads, in one snapshot, and takes no lock beyond ACCESS SHARE.

    Parameters
    ----------
    connection
        Of any login, outside a transaction; what it may not read is told as not looked at.

    Raises
    ------
    ServerTooOld
        The server is older than PostgreSQL 15.
    """
    version = connection.info.server_version
    if version < OLDEST:
        raise ServerTooOld(
            f"The server runs PostgreSQL {version // 10000}; a review needs 15 or newer", hint="Upgrade the server."
        )
    started = time.monotonic()
    findings: list[Finding] = []
    missed: list[tuple[Check, str]] = []
    with connection.transaction(force_rollback=True):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL lock_timeout = '1s'")
        connection.execute("SET LOCAL statement_timeout = '60s'")
        connection.execute("SET LOCAL search_path = ''")
        row = connection.execute(sql.SQL(read_sql(PACKAGE, "choose_tenant_column"))).fetchone()
        tenant = str(row[0]) if row else ""
        for check in checks:
            if check.needs and not _may(connection, check.needs):
                missed.append((check, f"the login is no member of {check.needs}"))
                continue
            try:
                with connection.transaction():
                    findings += _asked(connection, check, {**asdict(limits or Limits()), "tenant": tenant})
            except UNREADABLE as error:
                missed.append((check, f"SQLSTATE {error.sqlstate}: {error.diag.message_primary}"))
    findings.sort(key=lambda f: (list(Area).index(f.check.area), _WORST.index(f.severity), f.check.code, f.subject))
    return Review(
        database=connection.info.dbname,
        server_version=connection.info.parameter_status("server_version") or "",
        findings=tuple(findings),
        not_looked_at=tuple(missed),
        tenant_column=tenant,
        seconds=time.monotonic() - started,
    )


def _may(connection: Connection, role: str) -> bool:
    row = connection.execute("SELECT pg_catalog.pg_has_role(%s, 'USAGE')", (role,)).fetchone()
    return bool(row and row[0])


def _asked(connection: Connection, check: Check, values: dict[str, Any]) -> list[Finding]:
    reader = READERS.get(check.query)
    rows = (
        list(reader(connection))
        if reader
        else connection.execute(sql.SQL(read_sql(PACKAGE, f"list_{check.query}")), values).fetchall()
    )
    return [
        Finding(check, Severity(severity) if severity else check.severity, subject, evidence or "", mend or "")
        for severity, subject, evidence, mend in rows
    ]
