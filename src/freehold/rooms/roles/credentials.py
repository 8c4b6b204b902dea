"""Passwords: no part of a plan, and never sent to the server in clear."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

from freehold.kernel.action import record_action

ALGORITHM = "scram-sha-256"


def set_password(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """Give a role a password.

    The SCRAM-SHA-256 verifier (RFC 5803) is computed here, so that the clear text is in no log of the server and in no
    view of its activity. Where the layer has an audit, an entry says that the password changed.
    """
    encoding = connection.info.encoding
    verifier = connection.pgconn.encrypt_password(password.encode(encoding), role.encode(encoding), ALGORITHM.encode())
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
    with connection.transaction():
        connection.execute(statement)
        record_action(connection, "role", role, "password", {})
