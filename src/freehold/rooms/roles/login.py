"""The guard at the application's door: no login that could step around row security."""

from __future__ import annotations

from typing import Any

import psycopg

from freehold.errors import UnsafeLogin
from freehold.kernel.template import read_sql

POWERS = (
    "is a superuser",
    "bypasses row security",
    "creates roles",
    "may act as the layer's owner",
)


def refuse_unsafe_login(connection: psycopg.Connection[Any], owner: str) -> None:
    """Check the login of a connection before the application uses it.

    Parameters
    ----------
    connection
        Logged in as the application would be.
    owner
        The layer's owner role, such as ``retail_owner``.

    Raises
    ------
    UnsafeLogin
        The login is a superuser, has BYPASSRLS or CREATEROLE, or is or may become the owner.
    """
    row = connection.execute(read_sql(__package__, "read_login").encode(), {"owner": owner}).fetchone()
    assert row is not None
    name, *held = row
    found = [power for power, holds in zip(POWERS, held, strict=True) if holds]
    if found:
        raise UnsafeLogin(
            f"The application must not run as {name}: it {' and '.join(found)}",
            detail="Such a login can read and change every tenant's rows.",
            hint="Log in as <layer>_app_a or <layer>_app_b.",
        )
