"""Documents in an application: a typed column, its version, and the rewriting of older versions."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import psycopg
import sqlalchemy as sa
from psycopg import sql
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import MappedColumn, mapped_column

from freehold.errors import InputError
from freehold.events import Listener, Progress, ignore
from freehold.kernel.declare import table_of
from freehold.kernel.names import Sql, ddl, ident, idents, joined, trusted
from freehold.kernel.template import fill
from freehold.rooms.documents.declare import Document, Upgrade
from freehold.rooms.documents.functions import names_of
from freehold.servers.faults import translated

PACKAGE = __package__ or ""


def version_column(version: int) -> MappedColumn[int]:
    """The companion column of a document whose newest version is ``version``.

    The ORM and Core write the version that this code knows; raw SQL that names none gets the database's default.
    """
    return mapped_column(sa.SmallInteger, nullable=False, default=version, server_default=str(version))


def upgraded(document: Any, stored: int, version: int, upgrades: Mapping[int, Upgrade]) -> Any:
    """A document of the newest version, by the step of each version from its own on.

    Raises
    ------
    InputError
        No upgrade leads from the stored version: it is newer than this code, or was taken out of the declaration.
    """
    found = copy.deepcopy(document) if stored != version else document
    for number in range(stored, version) if stored <= version else (stored,):
        if number not in upgrades:
            raise InputError(
                f"A document has version {stored}, and no upgrade leads from {number} to {version}",
                hint="Deploy the code that knows the version, or declare its upgrade again.",
            )
        found = upgrades[number].step(found)
    return found


class DocumentType(sa.types.TypeDecorator[Any]):
    """A jsonb column that gives and takes objects of a pydantic model, or plain values where no model is given.

    Objects are not watched for changes inside: assign a new one (``model_copy(update=...)``). A column of plain
    dictionaries may be wrapped, ``MutableDict.as_mutable(DocumentType())``.

    Parameters
    ----------
    model
        A pydantic model class, or None.
    version, upgrades
        As in the declaration; with upgrades, a select reads ``<column>_version`` along and gives the newest version.
    """

    impl = JSONB
    cache_ok = True

    def __init__(self, model: Any = None, version: int = 1, upgrades: Mapping[int, Upgrade] | None = None) -> None:
        super().__init__(none_as_null=True)
        self.model = model
        self.version = version
        # A tuple of pairs is part of SQLAlchemy's cache key.
        self.upgrades = tuple(sorted((upgrades or {}).items()))

    def coerce_compared_value(self, op: Any, value: Any) -> Any:
        """Paths and texts beside the column are what they are beside a plain jsonb column."""
        return self if hasattr(value, "model_dump") else self.impl_instance.coerce_compared_value(op, value)

    def column_expression(self, column: Any) -> Any:
        """The version beside the document, for what may be stored in several."""
        if not self.upgrades:
            return None
        version = column.table.c[f"{column.name}_version"]
        pair = sa.func.jsonb_build_array(version, sa.type_coerce(column, JSONB()))
        return sa.type_coerce(sa.case((sa.type_coerce(column, JSONB()).is_not(None), pair)), self)

    def process_bind_param(self, value: Any, dialect: sa.Dialect) -> Any:
        """The JSON of a model's object."""
        dump = getattr(value, "model_dump", None)
        if dump is not None:
            return dump(mode="json", by_alias=True)
        if self.model is not None and value is not None:
            raise InputError(
                f"A document of {self.model.__name__} cannot be made of {type(value).__name__}",
                hint=f"Give an object of {self.model.__name__}.",
            )
        return value

    def process_result_value(self, value: Any, dialect: sa.Dialect) -> Any:
        """The model's object of the newest version."""
        if value is None:
            return None
        if self.upgrades:
            stored, document = value
            value = upgraded(document, stored, self.version, dict(self.upgrades))
        return self.model.model_validate(value) if self.model is not None else value


@translated("upgrade documents")
def upgrade_documents(
    connection: psycopg.Connection[Any], declaration: Document, batch: int = 500, *, listener: Listener = ignore
) -> int:
    """Rewrite stored documents of older versions in the newest, in the order of the primary key; how many were.

    Each batch is a transaction of its own. A row that somebody changes meanwhile is left as they made it, and a run
    that was cut short goes on where the next one begins. Afterwards the older versions can leave the declaration.

    Parameters
    ----------
    connection
        In autocommit mode, of a role that sees every row: row security that hid one would make this an error.
    declaration
        The document.
    batch
        Rows read and written at a time.
    listener
        Told of the progress.

    Raises
    ------
    ServerError
        The server refused; batches before are stored.
    """
    if not declaration.version_column:
        return 0
    work = _Rewriting(declaration)
    after: Sequence[Any] | None = None
    total, done, written = work.count(connection), 0, 0
    while True:
        with connection.transaction():
            connection.execute("SET LOCAL row_security = off")
            rows = work.read(connection, after, batch)
            # The triggers of other rooms write under policies of their own.
            connection.execute("SET LOCAL row_security = on")
            written += sum(work.write(connection, row) for row in rows)
        if not rows:
            return written
        after, done = rows[-1][2:], done + len(rows)
        listener(Progress(f"documents of {work.title}", done, max(total, done)))


class _Rewriting:
    """The statements that rewrite one column."""

    def __init__(self, declaration: Document) -> None:
        names = names_of(declaration)
        self.title = f"{names.schema}.{names.table}.{names.column}"
        self._declaration = declaration
        key = [column.name for column in table_of(declaration.entity).primary_key.columns]
        if not key:
            raise declaration.refused("is in a table without a primary key", "Give the table a primary key.")
        marks = joined(trusted("%s") for _ in key)
        holes: dict[str, Sql] = {
            "table": names.qualified(names.table),
            "version_column": ident(declaration.version_column),
            "version": trusted(str(declaration.version)),
        }
        column, keys = ident(names.column), idents(key)
        fillers: Callable[[str, Sql], Sql] = lambda name, after: fill(  # noqa: E731
            PACKAGE, name, **holes, column=column, key=keys, after=after
        )
        self._count = fill(PACKAGE, "count_older", **holes)
        self._first = fillers("read_older", Sql(""))
        self._next = fillers("read_older", ddl("AND ({}) > ({})", keys, marks))
        match = joined((ddl("{} = %s", ident(name)) for name in key), " AND ")
        self._write = fill(PACKAGE, "write_newest", **holes, column=column, same_key=match)

    def count(self, connection: psycopg.Connection[Any]) -> int:
        """How many documents are of an older version."""
        with connection.transaction():
            connection.execute("SET LOCAL row_security = off")
            row = connection.execute(sql.SQL(self._count)).fetchone()
        return int(row[0]) if row else 0

    def read(self, connection: psycopg.Connection[Any], after: Sequence[Any] | None, batch: int) -> list[Any]:
        """The next rows: version, document as text, and key."""
        text = sql.SQL(self._first if after is None else self._next)
        return connection.execute(text, [*(after or ()), batch]).fetchall()

    def write(self, connection: psycopg.Connection[Any], row: Sequence[Any]) -> int:
        """Write one document unless it is no longer what was read; 1 or 0."""
        stored, text, *key = row
        found = text
        if text is not None:
            document = json.loads(text)
            found = json.dumps(upgraded(document, stored, self._declaration.version, self._declaration.upgrades))
        return connection.execute(sql.SQL(self._write), [found, *key, stored, text]).rowcount
