"""What the log-only guards of a database would have refused, as the administrator reads it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from freehold.kernel.observe import Connection
from freehold.kernel.template import read_sql
from freehold.rooms.tenancy.functions import PACKAGE

WORDS = {
    "hidden": "would be hidden: rows of another tenant",
    "42501": "would be refused (42501): a row of another tenant",
    "FH001": "would be refused (FH001): no tenant is bound",
    "FH002": "would be refused (FH002): the context is forged",
    "FH003": "would be refused (FH003): the context has expired",
    "FH004": "would be refused (FH004): the context was issued for another connection",
    "FH010": "would be refused (FH010): the row would change its tenant",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """One kind of statement that a guard would not let pass.

    Parameters
    ----------
    relation, command
        The table and the kind of policy: a statement that changes rows by a condition reads them too.
    why
        The SQLSTATE that it would get, or ``hidden`` where rows of other tenants would not be seen.
    role, application
        Who sent it: the login, and its ``application_name``.
    statement
        The first thousand characters of what the client sent; parameters are not in it.
    hours
        In how many hours it was seen.
    first_at, last_at
        When it was noted first and last; each session notes a statement once an hour.
    """

    relation: str
    command: str
    why: str
    role: str
    application: str
    statement: str
    hours: int
    first_at: datetime
    last_at: datetime

    @property
    def told(self) -> str:
        """What would happen, in words."""
        return WORDS.get(self.why, f"would be refused ({self.why})")


def read_refusals(connection: Connection, *, hours: int, most: int) -> list[Refusal]:
    """The newest first.

    Parameters
    ----------
    connection
        As an administrator.
    hours
        How far back to look.
    most
        How many to read.
    """
    with connection.cursor(row_factory=class_row(Refusal)) as cursor:
        return cursor.execute(read_sql(PACKAGE, "list_refusals"), {"hours": hours, "most": most}).fetchall()


def clear_refusals(connection: Connection) -> int:
    """Forget what was noted; gives how many notes that were."""
    return connection.execute("DELETE FROM freehold.would_refuse").rowcount


def list_unheld(connection: Connection) -> list[str]:
    """The logins connected to this database, beside this one, that no policy holds."""
    return [role for (role,) in connection.execute(read_sql(PACKAGE, "list_unheld"))]
