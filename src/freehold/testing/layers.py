"""A user's layer for tests: applied once a server, a copy of the database for each test, tenants, and a proof."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql

from freehold.kernel.declare import table_of
from freehold.kernel.objects.role import Role
from freehold.kernel.prove import Outcome, Verdict
from freehold.layer import DataLayer
from freehold.operations import apply_layer, prove_layer
from freehold.rooms.roles.credentials import set_password
from freehold.rooms.tenancy import Tenancy
from freehold.runtime import AsyncDatabase, Key, KeyRing
from freehold.runtime import Database as Application
from freehold.servers.owned import OwnedServer
from freehold.testing.database import Database, create_database, drop_leftovers, fresh_database

KNOWS_KEYS = sql.SQL("SELECT to_regclass('freehold.context_key') IS NOT NULL")
ADD_KEY = sql.SQL("SELECT freehold.add_context_key_v1(%s, %s)")
SAMPLES: dict[type, Any] = {
    bool: False,
    int: 1,
    float: 1.0,
    Decimal: Decimal(1),
    date: date(2000, 1, 1),
    datetime: datetime(2000, 1, 1, tzinfo=UTC),
    list: [],
    bytes: b"",
}
"""What a new tenant's row says where the table asks for a value and the test gives none."""


@dataclass(frozen=True)
class LayerDatabase:
    """A layer on a database of the test's own, and every way into it."""

    layer: DataLayer
    database: Database
    keys: KeyRing
    password: str
    _opened: list[Application] = field(default_factory=list)
    _numbers: Iterator[int] = field(default_factory=lambda: count(1))

    def url(self, login: str = "app_a") -> str:
        """The URL of one of the layer's logins: "app_a" is the application's."""
        return self.database.url(user=f"{self.layer.name}_{login}", password=self.password)

    def connect(self, **options: Any) -> Application:
        """The application's database, with the options of :meth:`DataLayer.connect`; closed when the test ends."""
        made = self.layer.connect(self.url(), **{"keys": self.keys, **options})
        self._opened.append(made)
        return made

    async def connect_async(self, **options: Any) -> AsyncDatabase:
        """The same under asyncio; the test disposes of it, in its own event loop."""
        return await self.layer.connect_async(self.url(), **{"keys": self.keys, **options})

    def admin(self) -> psycopg.Connection[Any]:
        """The administrator, whom row security does not hold, in autocommit mode."""
        return self.database.connect(autocommit=True)

    def add_tenant(self, **values: Any) -> Any:
        """A new row of the table that `Tenancy` names; gives its key.

        Parameters
        ----------
        values
            By column. What the table asks for beside them is made up.

        Raises
        ------
        ValueError
            The layer has no tenants, or no value can be made up for a column.
        """
        root = next((found.root for found in self.layer.of_type(Tenancy)), None)
        if root is None:
            raise ValueError("The layer has no tenants")
        table = table_of(root)
        number = next(self._numbers)
        missing = (column for column in table.columns if column.name not in values and _asked(column))
        made = {column.name: _made_up(column, number) for column in missing}
        statement = sa.insert(table).values({**made, **values}).returning(*table.primary_key.columns)
        engine = sa.create_engine(sa.make_url(self.database.url()).set(drivername="postgresql+psycopg"))
        try:
            with engine.begin() as connection:
                return connection.scalars(statement).one()
        finally:
            engine.dispose()

    def prove(self, *rooms: str) -> list[Verdict]:
        """Attack the database as ``freehold prove`` does.

        Parameters
        ----------
        rooms
            Only these rooms' promises; all where none is named.

        Raises
        ------
        AssertionError
            A promise is broken, or a probe could not run; the text names each.
        """
        with self.admin() as connection:
            verdicts = prove_layer(connection, self.layer.declared, rooms=rooms, record=False)
        told = [
            f"{each.verdict}: {each.room}: {each.promise} ({each.subject}): {each.detail}"
            for each in verdicts
            if each.verdict is not Outcome.HELD
        ]
        if told:
            raise AssertionError("\n".join([f"{len(told)} of {len(verdicts)} promises were not held", *told]))
        return verdicts

    def dispose(self) -> None:
        """Close what :meth:`connect` opened."""
        for each in self._opened:
            each.dispose()


@dataclass(frozen=True, slots=True)
class _Template:
    server: OwnedServer
    layer: DataLayer
    name: str
    keys: KeyRing
    password: str


class LayerTemplates:
    """Layers, each applied once a server to a database that tests copy.

    Parameters
    ----------
    cache
        A directory for built declared states, so that copies are planned without a scratch build.
    """

    def __init__(self, cache: Path) -> None:
        self._cache = cache
        self._made: dict[tuple[int, str], _Template] = {}

    @contextmanager
    def copy(self, server: OwnedServer, layer: DataLayer, name: str) -> Iterator[LayerDatabase]:
        """A database of this name with the layer on it; dropped at the end."""
        key = (id(server), layer.name)
        if key not in self._made:
            self._made[key] = self._build(server, layer)
        template = self._made[key]
        with fresh_database(server, name, template=template.name) as database:
            self._apply(database, layer)
            made = LayerDatabase(layer, database, template.keys, template.password)
            try:
                yield made
            finally:
                made.dispose()

    def close(self) -> None:
        """Drop the templates and the layers' roles."""
        for template in self._made.values():
            drop_leftovers(template.server, f"{template.layer.name}_")

    def _build(self, server: OwnedServer, layer: DataLayer) -> _Template:
        key, password = Key.new("tests"), secrets.token_urlsafe()
        database = create_database(server, f"{layer.name}_{secrets.token_hex(3)}")
        self._apply(database, layer)
        with database.connect(autocommit=True) as connection:
            if connection.execute(KNOWS_KEYS).fetchone() == (True,):
                connection.execute(ADD_KEY, (key.key_id, key.secret))
            for role in layer.declared.model.of_kind(Role):
                if role.login:
                    set_password(connection, role.role, password)
        return _Template(server, layer, database.name, KeyRing((key,)), password)

    def _apply(self, database: Database, layer: DataLayer) -> None:
        """Apply what is missing: of a copy the rights on the database itself, which its template does not pass on."""
        with database.connect(autocommit=True) as connection:
            apply_layer(connection, layer.declared, weaker_guard="a test", cache=self._cache)


def _asked(column: sa.Column[Any]) -> bool:
    """Whether an insert must give the column a value."""
    given = column.default or column.server_default or column.identity or column.computed
    return not (column.nullable or given or column is column.table.autoincrement_column)


def _made_up(column: sa.Column[Any], number: int) -> Any:
    """A value of the column's type; another one for each number where it may have to be unique."""
    kind = column.type
    if isinstance(kind, sa.JSON):
        return {}
    if isinstance(kind, sa.Enum):
        return next(iter(kind.enum_class)) if kind.enum_class else kind.enums[0]
    try:
        wanted = kind.python_type
    except NotImplementedError:
        wanted = type(None)
    if column.primary_key and wanted is int:
        return number
    if wanted is uuid.UUID:
        return uuid.uuid4()
    if wanted is str:
        return f"{column.name} {number}"[-(getattr(kind, "length", None) or 100) :]
    if wanted not in SAMPLES:
        raise ValueError(f"No value can be made up for {column}: give add_tenant({column.name}=...) one")
    return SAMPLES[wanted]
