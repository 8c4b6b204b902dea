"""Whatever is inserted, updated, deleted, restored and purged: no row is lost, doubled or changed on the way."""

from __future__ import annotations

from typing import Any

import hypothesis.strategies as st
import psycopg
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from tests.rooms.building import act_as, bind

from .conftest import Built
from .layer import ONE, TWO

tenants, keys, names = st.sampled_from([ONE, TWO]), st.integers(1, 3), st.sampled_from([None, "x", "O'Neil, (1)"])
CUSTOMERS = "SELECT tenant_id, id, name FROM shop.customer"
LINES = "SELECT tenant_id, id, customer_id FROM shop.line"
LAST = "SELECT max(deletion) FROM shop.customer_deleted WHERE id = %s"
Key = tuple[Any, int]


def machine(built: Built) -> type[RuleBasedStateMachine]:
    """Two tenants' customers, their lines, and the deletions of both, beside the database's own."""
    connection = built.connection

    class Rows(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            for table in ("line", "customer", "line_deleted", "customer_deleted"):
                connection.execute(f"DELETE FROM shop.{table}".encode())
            connection.execute("DELETE FROM shop.line_deleted; DELETE FROM shop.customer_deleted")
            self.live: dict[Key, str | None] = {}
            self.lines: dict[Key, int] = {}
            self.gone: list[tuple[Key, str | None, dict[Key, int]]] = []

        def do(self, tenant: Any, statement: str, values: tuple[Any, ...]) -> str:
            """One transaction of the application; its SQLSTATE, empty for success."""
            try:
                with connection.transaction():
                    bind(connection, tenant)
                    act_as(connection, f"{built.name}_app_a")
                    connection.execute(statement.encode(), values)
            except psycopg.Error as error:
                return error.sqlstate or "?"
            return ""

        def taken(self, key: Key, name: str | None) -> bool:
            others = (n for k, n in self.live.items() if k[0] == key[0] and k != key)
            return name is not None and name in others

        @rule(t=tenants, k=keys, n=names)
        def insert(self, t: Any, k: int, n: str | None) -> None:
            statement = "INSERT INTO shop.customer (tenant_id, id, name) VALUES (%s, %s, %s)"
            refused = (t, k) in self.live or self.taken((t, k), n)
            assert self.do(t, statement, (t, k, n)) == ("23505" if refused else "")
            if not refused:
                self.live[t, k] = n

        @rule(t=tenants, k=keys, n=names)
        def update(self, t: Any, k: int, n: str | None) -> None:
            refused = (t, k) in self.live and self.taken((t, k), n)
            assert self.do(t, "UPDATE shop.customer SET name = %s WHERE id = %s", (n, k)) == "23505" * refused
            if (t, k) in self.live and not refused:
                self.live[t, k] = n

        @rule(t=tenants, line=keys, k=keys)
        def add_line(self, t: Any, line: int, k: int) -> None:
            statement = "INSERT INTO shop.line (tenant_id, id, customer_id) VALUES (%s, %s, %s)"
            expected = "23505" if (t, line) in self.lines else "" if (t, k) in self.live else "23503"
            assert self.do(t, statement, (t, line, k)) == expected
            if not expected:
                self.lines[t, line] = k

        @rule(t=tenants, first=keys, last=keys)
        def delete(self, t: Any, first: int, last: int) -> None:
            assert self.do(t, "DELETE FROM shop.customer WHERE id BETWEEN %s AND %s", (first, last)) == ""
            for key in [key for key in self.live if key[0] == t and first <= key[1] <= last]:
                children = {line: k for line, k in self.lines.items() if (line[0], k) == key}
                self.gone.append((key, self.live.pop(key), children))
                self.lines = {line: k for line, k in self.lines.items() if line not in children}

        @rule(t=tenants, k=keys)
        def restore(self, t: Any, k: int) -> None:
            found = next((item for item in reversed(self.gone) if item[0] == (t, k)), None)
            code = self.do(t, f"SELECT shop.restore_customer_deleted_v1(({LAST}))", (k,))
            if found is None:
                assert code == "FH041"
                return
            key, name, children = found
            refused = key in self.live or self.taken(key, name) or bool(children.keys() & self.lines.keys())
            assert code == ("FH042" if refused else "")
            if not refused:
                self.gone.remove(found)
                self.live[key] = name
                self.lines |= children

        @rule()
        def purge(self) -> None:
            for table in ("line", "customer"):
                age = f"UPDATE shop.{table}_deleted SET deleted_at = deleted_at - interval '91 days'"
                connection.execute(age.encode())
            assert connection.execute("SELECT shop.purge_line_deleted_v1(0)").fetchall() == [(0,)]
            if any(children for _, _, children in self.gone):
                held = sum(bool(children) for _, _, children in self.gone)
                purged = connection.execute("SELECT shop.purge_customer_deleted_v1(1000)").fetchall()
                assert purged == [(len(self.gone) - held,)]
            connection.execute("SELECT shop.purge_line_deleted_v1(1000), shop.purge_customer_deleted_v1(1000)")
            self.gone = []

        @invariant()
        def nothing_is_lost(self) -> None:
            live = {(t, k): n for t, k, n in connection.execute(CUSTOMERS.encode())}
            lines = {(t, k): c for t, k, c in connection.execute(LINES.encode())}
            assert (live, lines) == (self.live, self.lines)
            counted = "SELECT (SELECT count(*) FROM shop.customer_deleted), (SELECT count(*) FROM shop.line_deleted)"
            expected = (len(self.gone), sum(len(children) for _, _, children in self.gone))
            assert connection.execute(counted.encode()).fetchall() == [expected]

    return Rows


def test_no_row_is_lost_or_doubled(built: Built) -> None:
    options = settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(machine(built), settings=options)
