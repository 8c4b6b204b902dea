"""What the user writes: a column of documents, the schema of each version, and the paths that queries use."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of
from freehold.rooms.documents.path import Path, Promoted
from freehold.rooms.documents.schema import Schema, schema_of

NEWEST = 32767
"""The highest version: a smallint."""


@dataclass(frozen=True, eq=False)
class Upgrade:
    """An older version of a document: its schema, and the step to the next version.

    Parameters
    ----------
    schema
        A JSON Schema or a pydantic model class.
    step
        Gives the document of the next version for one of this; it is given a copy of its own, and must be a pure
        function, since it runs whenever such a document is read.
    """

    schema: Any
    step: Callable[[Any], Any]


@dataclass(frozen=True)
class Document:
    """Every document in a column satisfies its version's schema, whoever writes it.

    Parameters
    ----------
    entity
        A mapped class or a table.
    column
        A jsonb column of it, by its name in the database.
    schema
        JSON Schema (draft 2020-12) as a mapping, or a pydantic model class.
    version
        The version of ``schema``, from 1 on.
    upgrades
        The older versions that may still be stored, each with its step to the next; the newest of them is
        ``version - 1`` and none is left out. With one or more, the table needs the column ``<column>_version``, which
        :func:`freehold.rooms.documents.version_column` makes.
    index
        Paths by which queries look for rows.
    promoted
        Paths that are columns of their own.

    Raises
    ------
    DeclarationError
        The schema uses what is not supported, or the versions, columns or paths do not fit.
    """

    entity: Entity
    column: str
    schema: Any
    version: int = 1
    upgrades: Mapping[int, Upgrade] = field(default_factory=dict)
    index: tuple[Path, ...] = ()
    promoted: tuple[Promoted, ...] = ()

    def __post_init__(self) -> None:
        found = column_of(self.entity, self.column)
        if not isinstance(_plain(found.type), JSONB):
            raise self.refused("is not a jsonb column", "Give it the type DocumentType(...) or JSONB.")
        if not 1 <= self.version <= NEWEST:
            raise self.refused(f"cannot have the version {self.version}", f"Count versions from 1 to {NEWEST}.")
        expected = set(range(self.version - len(self.upgrades), self.version))
        if set(self.upgrades) != expected or 0 in expected:
            raise self.refused(
                f"has upgrades from {sorted(self.upgrades)} to version {self.version}",
                "Give each older version that may be stored its upgrade, up to the one before the newest.",
            )
        if self.version_column:
            self._check_version_column()
        assert self.schemas

    def _check_version_column(self) -> None:
        found = column_of(self.entity, self.version_column)
        default = getattr(found.server_default, "arg", None)
        if not isinstance(found.type, sa.SmallInteger) or found.nullable or str(default) != str(self.version):
            raise self.refused(
                f"needs {self.version_column} as a smallint that is never null and defaults to {self.version}",
                f"Write {self.version_column}: Mapped[int] = version_column({self.version}).",
            )

    def refused(self, what: str, hint: str) -> DeclarationError:
        """The error that names this column."""
        return DeclarationError(f"Column {'.'.join((*name_of(self.entity), self.column))} {what}", hint=hint)

    @property
    def version_column(self) -> str:
        """The companion column; "" where one version alone is stored and the table has none."""
        name = f"{self.column}_version"
        has = name in column_of(self.entity, self.column).table.columns
        return name if has or self.upgrades or self.version > 1 else ""

    @cached_property
    def schemas(self) -> Mapping[int, Schema]:
        """The schema of each version that may be stored."""
        older = {number: schema_of(upgrade.schema) for number, upgrade in sorted(self.upgrades.items())}
        return {**older, self.version: schema_of(self.schema)}


def _plain(kind: Any) -> Any:
    return kind.impl_instance if isinstance(kind, sa.types.TypeDecorator) else kind
