"""The check at start-up: a login that could step around row security does not run an application."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from freehold.errors import ContextForged, ContextKeyMissing, UnsafeLogin
from freehold.kernel.template import read_sql
from freehold.runtime.connections import PACKAGE
from freehold.runtime.context import Context
from freehold.runtime.literal import Written
from freehold.runtime.signer import Signer

MACHINES = ("owner", "verifier", "definer", "refresh")


def check_login(connection: sa.Connection, layer_name: str, tables: Iterable[sa.Table]) -> None:
    """Refuse a login that is, or may become, a role that row security does not hold.

    Raises
    ------
    UnsafeLogin
        It is a superuser, bypasses row security, owns a table of the layer, or may act as one of the layer's machines.
    """
    arguments = login_question(layer_name, tables)
    refuse_unsafe(connection.exec_driver_sql(Written(read_sql(PACKAGE, "read_login")), arguments).all(), layer_name)


def login_question(layer_name: str, tables: Iterable[sa.Table]) -> dict[str, list[str]]:
    """The parameters of ``read_login.sql``."""
    names = [(table.schema or "public", table.name) for table in tables]
    return {
        "machines": [f"{layer_name}_{purpose}" for purpose in MACHINES],
        "schemas": [schema for schema, _ in names],
        "tables": [table for _, table in names],
    }


def refuse_unsafe(found: Sequence[Sequence[Any]], layer_name: str) -> None:
    """Raise :class:`UnsafeLogin` where ``read_login.sql`` found a way around row security."""
    if found:
        raise UnsafeLogin(
            "This login could step around row security, so no application may run on it",
            detail="; ".join(f"it {how} {what}" for how, what in found),
            hint=f"Connect as {layer_name}_app_a or {layer_name}_app_b, or another member of {layer_name}_rw alone.",
        )


def check_key(connection: sa.Connection, signer: Signer) -> None:
    """Refuse to start with a key that the database does not know.

    Raises
    ------
    ContextKeyMissing
        No key of that id is in use in the database, or it has another secret.
    """
    link: Any = connection.connection.driver_connection
    token = signer.token(Context("", "start-up"), link.backend)
    try:
        connection.exec_driver_sql(Written(read_sql(PACKAGE, "verify_context")), (token,))
    except ContextForged as error:
        raise unknown_key(signer) from error


def unknown_key(signer: Signer) -> ContextKeyMissing:
    """The error for a key that the database does not know."""
    return ContextKeyMissing(
        f"The database does not know the context key {signer.keys.signing.key_id}",
        hint="Add it with SELECT freehold.add_context_key_v1(key_id, secret), or sign with a key that it knows.",
    )
