"""What lives in a server's sessions longer than a transaction, looked at through the pooler on each of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

SETTINGS = (
    "SELECT name, setting FROM pg_settings WHERE name <> 'application_name' AND NOT starts_with(name, 'plpgsql.')"
    " UNION ALL SELECT 'freehold.context', coalesce(current_setting('freehold.context', true), '')"
    " UNION ALL SELECT 'freehold.request_id', coalesce(current_setting('freehold.request_id', true), '')"
    " UNION ALL SELECT 'statements', count(*)::text FROM pg_prepared_statements WHERE name !~ '^PGBOUNCER_'"
    " UNION ALL SELECT 'cursors', count(*)::text FROM pg_cursors WHERE is_holdable"
    " UNION ALL SELECT 'advisory locks', count(*)::text FROM pg_locks"
    " WHERE locktype = 'advisory' AND pid = pg_backend_pid()"
    " UNION ALL SELECT 'channels', count(*)::text FROM pg_listening_channels()"
    " UNION ALL SELECT 'role', current_user::text"
    " UNION ALL SELECT 'temporary tables', count(*)::text FROM pg_class WHERE relnamespace = pg_my_temp_schema()"
)

Sessions = Mapping[int, Mapping[str, str]]


@dataclass
class Leftovers:
    """Clients that hold every server connection of the pool at once."""

    clients: list[psycopg.Connection[Any]]

    def read(self) -> Sessions:
        """The state of each server session, by its process."""
        return {client.execute("SELECT pg_backend_pid()").fetchone()[0]: self._one(client) for client in self.clients}  # type: ignore[index]

    def _one(self, client: psycopg.Connection[Any]) -> dict[str, str]:
        return dict(client.execute(SETTINGS).fetchall())

    @staticmethod
    def compare(before: Sessions, after: Sessions) -> list[str]:
        """What a session has now that no session had before."""
        clean = next(iter(before.values()))
        return [
            f"server session {pid} keeps {name} = {value!r}, before {clean.get(name)!r}"
            for pid, state in after.items()
            for name, value in state.items()
            if value != clean.get(name)
        ]


@contextmanager
def leftovers(conninfo: str, connections: int) -> Iterator[Leftovers]:
    """Take every connection of the pool, in a transaction each, so that the pooler gives no session twice."""
    with ExitStack() as stack:
        clients = [stack.enter_context(psycopg.connect(conninfo, prepare_threshold=None)) for _ in range(connections)]
        for client in clients:
            client.execute("SELECT 1")
        yield Leftovers(clients)
