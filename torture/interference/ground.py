"""Two databases with a layer: one tenant's rows and the shared ones are equal in both, the other tenant's are not."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace

from psycopg import sql

from freehold import DataLayer
from freehold.operations import apply_layer
from freehold.servers import OwnedServer
from torture.interference.catalog import Connection, Reach, Relation, Row, ask, functions, relations, sample
from torture.interference.pair import Pair, Side
from torture.interference.rows import Sower

TENANTS: Mapping[str, tuple[str, str]] = {
    "uuid": ("aaaaaaaa-0000-4000-8000-00000000000a", "bbbbbbbb-0000-4000-8000-00000000000b"),
    "integer": ("101", "202"),
    "bigint": ("101", "202"),
    "text": ("asker", "other"),
}
"""The tenant that asks and the one that must not be seen, by the type of the tenant's column."""
ROWS, LEFT_ROWS, RIGHT_ROWS = 6, 5, 8
"""Rows of the asker in each table, and of the other tenant in the two databases."""
FIRST_NUMBER = 100_000
"""Where every sequence goes on, in both."""
KEY = bytes(range(64))
SIGN = """
SELECT freehold.sign_context_v1(concat_ws('|',
    (extract(epoch FROM now()) * 1000000)::bigint, (extract(epoch FROM now() + '12 hours') * 1000000)::bigint,
    '0', gen_random_uuid(), encode('asker', 'base64'), encode(convert_to(%s, 'UTF8'), 'base64')))
"""
"""A context of no connection in particular, as behind a pooler, so that both databases take it."""


@dataclass
class Twins:
    """The two databases, and the token with which the tenant asks in both."""

    server: OwnedServer
    layer: DataLayer
    names: tuple[str, str]
    token: str
    barren: tuple[str, ...]

    @property
    def role(self) -> str:
        """The application's login."""
        return self.layer.declared.model.role("app_a")

    @property
    def schemas(self) -> list[str]:
        """The layer's schemas."""
        return sorted({table.schema for table in self.layer.declared.model.tables})

    @contextmanager
    def pair(self, *harm: str) -> Iterator[tuple[Pair, Reach]]:
        """Both databases with some harm done, which is undone at the end; and what the role can then name."""
        left, right = (self.server.connect(name, autocommit=True) for name in self.names)
        with left, right, left.transaction(force_rollback=True), right.transaction(force_rollback=True):
            for connection in (left, right):
                for statement in harm:
                    connection.execute(statement.encode())
            ours, theirs = (Side(each, self.role, self.token, nested=True) for each in (left, right))
            yield Pair(ours, theirs), self._reach(left, right)

    def _reach(self, left: Connection, right: Connection) -> Reach:
        """What the role can name in the left database, with samples of the rows of both."""
        found = (
            replace(each, rows=_samples(left, right, each))
            for each in relations(left, self.schemas, self.role)
            if each.schema in self.schemas  # the statistics of the catalog's own tables differ between any two
        )
        return Reach(tuple(found), functions(left, self.schemas, self.role))


def _samples(left: Connection, right: Connection, relation: Relation) -> tuple[Row, ...]:
    rows = (*sample(left, relation), *sample(right, relation))
    return tuple({tuple(row.items()): row for row in rows}.values())


def twins(server: OwnedServer, layer: DataLayer, seed: int) -> Twins:
    """Build both: one is filled for the asker and copied, then each gets another tenant of its own."""
    model = layer.declared.model
    asker, other = TENANTS[model.tenant_type.lower()]
    base, left, right = (f"{layer.name}_{end}" for end in ("base", "left", "right"))
    _create(server, base, "template1")
    with server.connect(base, autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        connection.execute("SELECT freehold.add_context_key_v1('twins', %s)", (KEY,))
        token, others = (str(connection.execute(SIGN, (t,)).fetchall()[0][0]) for t in (asker, other))
        sower = Sower(connection, model, random.Random(seed))
        sower.shared(ROWS)
        shared = {name: list(rows) for name, rows in sower.planted.items()}
        sower.tenant(asker, token, ROWS)
    barren = set(sower.barren)
    for number, (name, count) in enumerate(((left, LEFT_ROWS), (right, RIGHT_ROWS)), 1):
        _create(server, name, base)
        with server.connect(name, autocommit=True) as connection:
            _let_in(connection, model.role("app_a"))
            sower = Sower(connection, model, random.Random(seed + number), planted=dict(shared))
            sower.tenant(other, others, count)
            barren |= set(sower.barren)
            for schema, sequence in ask(connection, "read_sequences"):
                whole = sql.Identifier(schema, sequence).as_string()
                connection.execute("SELECT setval(%s::regclass, %s)", (whole, FIRST_NUMBER))
            connection.execute("ANALYZE")
    return Twins(server, layer, (left, right), token, tuple(sorted(barren)))


def _create(server: OwnedServer, name: str, template: str) -> None:
    with server.connect(autocommit=True) as admin:
        text = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        admin.execute(text.format(sql.Identifier(name), sql.Identifier(template)))


def _let_in(connection: Connection, role: str) -> None:
    """Rights on a database are not copied with it."""
    connection.execute(
        sql.SQL("GRANT CONNECT, TEMPORARY ON DATABASE {} TO {}").format(
            sql.Identifier(connection.info.dbname), sql.Identifier(role)
        )
    )
