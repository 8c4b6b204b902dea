"""Turn what psycopg raises into Freehold's errors, by SQLSTATE and never by text."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import pq

from freehold import errors
from freehold.errors import FreeholdError
from freehold.servers.refusal import ask_again, endpoint
from freehold.storage import is_unwritable

CODES: Mapping[str, tuple[type[FreeholdError], str]] = {
    "FH001": (errors.ContextMissing, "Open the transaction with a tenant: db.transaction(tenant=..., actor=...)."),
    "FH002": (errors.ContextForged, "Let the runtime sign the context; check that both sides hold the same key."),
    "FH003": (errors.ContextExpired, "Make the transaction shorter, or give its workload a longer context lifetime."),
    "FH004": (errors.ContextReplayed, "A context serves one backend; bind it again on every BEGIN."),
    "FH020": (errors.ResultTooLarge, "Return a reference to the rows, or declare Outcomes(largest_result=...)."),
    "FH021": (errors.OutcomeTaken, "Claim the key again: its outcome is there."),
    "FH022": (errors.OutcomeKeyInvalid, "Use a UUID, or the digest of what is longer."),
    "FH030": (errors.MessageTooLarge, "Send a reference to the rows, or declare Outbox(largest_payload=...)."),
    "FH031": (errors.MessageInvalid, "Give a topic of 1 to 255 bytes, a payload, and a key of at most 512 bytes."),
    "FH080": (errors.AuditAppendOnly, "Entries and seals are only ever added."),
    "FH040": (errors.TruncateRefused, "Delete the rows: DELETE keeps them."),
    "FH041": (errors.DeletedRowMissing, "Look at deleted(...): it may be restored, purged, or another tenant's."),
    "FH044": (errors.RestoreAltered, "Name the columns that a trigger writes: SoftDelete(..., rewritten=[...])."),
    "42501": (errors.PrivilegeMissing, "Log in as a role that holds the privilege, or declare the grant."),
    "53100": (errors.ServerFull, "Free space on the server's disk and run again; what was committed is safe."),
    "25006": (errors.ServerFull, "The server or transaction is read-only: is this a replica, or its disk read-only?"),
    "58030": (errors.ServerFull, "The server could not write or read a file; look at its disk and its log."),
    "3D000": (errors.DatabaseMissing, "Create the database, or correct its name in the URL."),
    "53300": (errors.TooManyConnections, "All connections are taken; put a pooler in front, or raise max_connections."),
    "57P03": (errors.ServerDown, "The server is starting up or shutting down; try again in a moment."),
}
CLASSES: Mapping[str, tuple[type[FreeholdError], str]] = {
    "28": (errors.LoginRefused, "Check user and password, and the server's pg_hba.conf."),
    "08": (errors.ConnectionLost, "Run again: what was not committed is rolled back."),
}
_LOOK = "The SQLSTATE tells the kind: see appendix A of PostgreSQL's manual, and the server's log."
_UNWRITABLE = "The server may not open its own file: is its disk read-only? Mend that and run again; the rest is safe."
LOST = ("57P01", "57P02", "57P05")


def translate(error: psycopg.Error, *, doing: str = "") -> FreeholdError:
    """The typed error for what the server or libpq said; ``doing`` names the work, as in "load orders"."""
    kind, hint = _kind(error)
    subject = f"{doing[:1].upper()}{doing[1:]} failed" if doing else "PostgreSQL refused"
    code = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
    return kind(f"{subject}{code}.", detail=_words(error), hint=hint or error.diag.message_hint or _LOOK)


@contextmanager
def translated(doing: str) -> Iterator[None]:
    """Raise typed errors in place of psycopg's; as a decorator, for every call of a function."""
    try:
        yield
    except psycopg.Error as error:
        raise translate(error, doing=doing) from error


def connect(conninfo: str, *, autocommit: bool = False, timeout: int = 10) -> psycopg.Connection[Any]:
    """Connect, or say in a typed error why not.

    Raises
    ------
    ServerDown
        Nothing answers, or the server takes no connections now.
    LoginRefused
        Wrong password, unknown role, or no entry in pg_hba.conf.
    DatabaseMissing
        The server has no database of that name.
    """
    try:
        return psycopg.connect(conninfo, autocommit=autocommit, connect_timeout=timeout)
    except psycopg.ProgrammingError as error:
        raise errors.InputError(
            "The server's address cannot be read.",
            detail=str(error),
            hint="Write postgresql://user@host:port/database.",
        ) from error
    except psycopg.OperationalError as error:
        raise refused(error, conninfo, timeout) from error


def refused(error: psycopg.Error, conninfo: str, timeout: int) -> FreeholdError:
    """The typed error for a connection that did not come about.

    libpq hides the SQLSTATE of a failed connection, so it is asked for again, with the protocol traced.
    """
    state = ask_again(conninfo, timeout)
    where = endpoint(conninfo)
    kind, hint = CONNECTING.get(state) or CODES.get(state) or CLASSES.get(state[:2]) or _NOBODY
    code = f" (SQLSTATE {state})" if state else ""
    message = f"{_OPENING.get(kind, 'No connection to')} {where}{code}."
    return kind(message, detail=str(error).strip(), hint=hint)


_NOBODY = (errors.ServerDown, "Is it running, and is that its port?")
# PgBouncer answers a login that it does not let in with a violation of the protocol.
CONNECTING: Mapping[str, tuple[type[FreeholdError], str]] = {
    "08P01": (errors.LoginRefused, "Check user, password and database, and look into the pooler's log."),
}
_OPENING: Mapping[type[FreeholdError], str] = {
    errors.ServerDown: "No PostgreSQL takes connections at",
    errors.TooManyConnections: "All connections are taken at",
    errors.LoginRefused: "Login refused at",
    errors.DatabaseMissing: "The database does not exist at",
}


def _kind(error: psycopg.Error) -> tuple[type[FreeholdError], str]:
    state = error.sqlstate or ""
    if state in LOST or (not state and _connection_is_gone(error)):
        return CLASSES["08"]
    if is_unwritable(error):
        return errors.ServerFull, _UNWRITABLE
    return CODES.get(state) or CLASSES.get(state[:2]) or (errors.ServerError, "")


def _connection_is_gone(error: psycopg.Error) -> bool:
    if error.pgconn is not None:
        return error.pgconn.status == pq.ConnStatus.BAD
    return isinstance(error, psycopg.OperationalError)


def _words(error: psycopg.Error) -> str:
    diag = error.diag
    return ": ".join(part for part in (diag.message_primary, diag.message_detail) if part) or str(error).strip()
