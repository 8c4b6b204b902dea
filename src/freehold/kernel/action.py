"""What an operator does by Freehold, told to whoever records actions in the database, where somebody does."""

from __future__ import annotations

import json
from typing import Any

import psycopg

RECORDER = "freehold.record_action_v1"
"""The function that records an action; a room that offers it writes an entry in the current transaction."""


def record_action(
    connection: psycopg.Connection[Any], kind: str, subject: str, action: str, told: dict[str, Any]
) -> bool:
    """Have an action recorded in the current transaction; returns whether somebody records.

    Parameters
    ----------
    kind
        What was acted on: ``plan``, ``role``, ``partition``, ``tenant``.
    subject
        Which one.
    action
        What was done to it, a word.
    told
        Facts, without values of rows and without secrets.
    """
    row = connection.execute(
        "SELECT to_regprocedure(%s) IS NOT NULL", (f"{RECORDER}(text, text, text, jsonb)",)
    ).fetchone()
    if not (row and row[0]):
        return False
    connection.execute(
        "SELECT freehold.record_action_v1(%s, %s, %s, %s::jsonb)", (kind, subject, action, json.dumps(told))
    )
    return True
