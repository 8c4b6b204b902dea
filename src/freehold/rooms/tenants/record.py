"""What was done to a tenant as an entry of the audit, where the layer has one."""

from __future__ import annotations

import json
from typing import Any

from freehold.kernel.template import read_sql
from freehold.rooms.tenants.live import PACKAGE, Connection

RECORDER = "freehold.record_action_v1(text, text, text, jsonb)"


def record(connection: Connection, tenant: str, action: str, told: dict[str, Any]) -> None:
    """Write the entry, in the current transaction."""
    row = connection.execute("SELECT to_regprocedure(%s) IS NOT NULL", (RECORDER,)).fetchone()
    if row and row[0]:
        connection.execute(read_sql(PACKAGE, "record_action"), (tenant, action, json.dumps(told)))
