"""Learn the SQLSTATE of a refused connection, which libpq tells only in its protocol trace."""

from __future__ import annotations

import re
import select
import tempfile
import time

from psycopg import pq
from psycopg.conninfo import conninfo_to_dict

# pqTraceOutput_ErrorResponse prints each field as its letter and a quoted value; C is the SQLSTATE.
ERROR_RESPONSE = re.compile(rb'\bErrorResponse\b.*? C "([0-9A-Z]{5})"')

TRACED_START = 180000
"""The libpq whose trace holds the start of a connection."""


def ask_again(conninfo: str, timeout: float) -> str:
    """Connect once more with the protocol traced, and give the SQLSTATE, or "" when no server answered.

    A libpq older than 18 does not trace the start of a connection; then the answer is "28000" if the server asked for a
    password and refused it, "" otherwise. It is "" too where the second attempt succeeds: the server has come back.
    """
    with tempfile.TemporaryFile() as trace:
        pgconn = pq.PGconn.connect_start(conninfo.encode())
        try:
            pgconn.trace(trace.fileno())
            asked = _finish(pgconn, time.monotonic() + timeout)
            pgconn.untrace()
        finally:
            pgconn.finish()
        trace.seek(0)
        found = ERROR_RESPONSE.findall(trace.read())
    return found[-1].decode() if found else ("28000" if asked else "")


def _finish(pgconn: pq.abc.PGconn, deadline: float) -> bool:
    """Drive the connection to its end; whether it failed for a password that the trace does not tell."""
    state = int(pq.PollingStatus.WRITING)
    while state in (pq.PollingStatus.READING, pq.PollingStatus.WRITING) and pgconn.status != pq.ConnStatus.BAD:
        reading, writing = ([pgconn.socket], []) if state == pq.PollingStatus.READING else ([], [pgconn.socket])
        remaining = deadline - time.monotonic()
        if remaining <= 0 or not any(select.select(reading, writing, [], remaining)):
            return False
        state = pgconn.connect_poll()
    if pgconn.status != pq.ConnStatus.BAD:
        return False
    return bool(pgconn.needs_password or (pgconn.used_password and pq.version() < TRACED_START))


def endpoint(conninfo: str) -> str:
    """Host, port, database and user of a connection string, for a message; never the password."""
    found = conninfo_to_dict(conninfo)
    where = f"{found.get('host') or found.get('hostaddr') or 'the local socket'}:{found.get('port') or 5432}"
    return f"{where}, database {found.get('dbname') or found.get('user')}, user {found.get('user')}"
