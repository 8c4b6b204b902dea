"""Passwords: no part of a plan, and never sent to the server in clear."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg import sql

ALGORITHM = "scram-sha-256"


def set_password(connection: psycopg.Connection[Any], role: str, password: str) -> None:
    """Give a role a password.

    The SCRAM-SHA-256 verifier (RFC 5803) is computed here, so that the clear text is in no log of the server and in no
    view of its activity.
    """
    encoding = connection.info.encoding
    verifier = connection.pgconn.encrypt_password(password.encode(encoding), role.encode(encoding), ALGORITHM.encode())
    statement = sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(verifier.decode()))
    connection.execute(statement)
