"""What the user writes: which roles the layer has, and where their rights differ from the default."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of

TableName = tuple[str, str]
ColumnRights = Mapping[str, Sequence[str]] | Sequence[str]

READERS = ("rw", "ro", "auditor")
COLUMN_PRIVILEGES = ("SELECT", "INSERT", "UPDATE")
_TIME = re.compile(r"\d+(us|ms|s|min|h|d)?")


@dataclass(frozen=True)
class Roles:
    """The layer's roles and their limits.

    The owner, the application's group ``rw`` and its pair of logins ``app_a`` and ``app_b`` are always there.

    Parameters
    ----------
    writes
        Shared and exempt tables that the application may write; it only reads the other shared ones and does not see
        the other exempt ones.
    columns
        Narrower rights by column. ``{Customer: {"ro": ["id", "name"]}}`` lets ``ro`` read two columns;
        ``{Customer: {"rw": {"UPDATE": ["name"]}}}`` lets the application change one. The roles are
        ``rw``, ``ro`` and ``auditor``.
    read_only, auditor, monitor, migrator, jobs, backup
        Whether the layer has that login.
    statement_timeout, lock_timeout, idle_timeout
        Limits of the application's logins, as PostgreSQL writes times; ``idle_timeout`` is for an idle transaction.
    long_timeout
        The statement timeout of logins that read or compute much: ``ro``, ``auditor``, ``jobs``.
    connection_limit
        Connections of each of the application's two logins.
    """

    writes: Sequence[Entity] = ()
    columns: Mapping[Entity, Mapping[str, ColumnRights]] = field(default_factory=dict)
    read_only: bool = True
    auditor: bool = True
    monitor: bool = True
    migrator: bool = True
    jobs: bool = True
    backup: bool = True
    statement_timeout: str = "30s"
    lock_timeout: str = "5s"
    idle_timeout: str = "60s"
    long_timeout: str = "30min"
    connection_limit: int = 80

    def __post_init__(self) -> None:
        for name in ("statement_timeout", "lock_timeout", "idle_timeout", "long_timeout"):
            _check_time(name, getattr(self, name))
        for entity, rights in self.columns.items():
            _check_rights(entity, rights)

    @property
    def written(self) -> frozenset[TableName]:
        """The tables of ``writes`` by name."""
        return frozenset(name_of(entity) for entity in self.writes)

    def column_rights(self, table: TableName, purpose: str) -> dict[str, tuple[str, ...]]:
        """Column lists by privilege that narrow the rights of one role on one table."""
        for entity, rights in self.columns.items():
            if name_of(entity) == table and purpose in rights:
                return {word: tuple(columns) for word, columns in _by_privilege(rights[purpose])}
        return {}


def _by_privilege(rights: ColumnRights) -> Iterator[tuple[str, Sequence[str]]]:
    if isinstance(rights, Mapping):
        yield from rights.items()
    else:
        yield "SELECT", rights


def _check_time(name: str, value: str) -> None:
    if not _TIME.fullmatch(value):
        raise DeclarationError(
            f"Roles({name}={value!r}) is not a time",
            hint="Write it as PostgreSQL does, without a space: 500ms, 30s, 5min, 1h.",
        )


def _check_rights(entity: Entity, rights: Mapping[str, ColumnRights]) -> None:
    for purpose, given in rights.items():
        if purpose not in READERS:
            raise DeclarationError(
                f"Roles(columns=...) of {'.'.join(name_of(entity))} names the role {purpose!r}",
                hint=f"Rights by column exist for {', '.join(READERS)}.",
            )
        for word, columns in _by_privilege(given):
            if word not in COLUMN_PRIVILEGES:
                raise DeclarationError(
                    f"{word!r} is not a privilege on a column of {'.'.join(name_of(entity))}",
                    hint=f"PostgreSQL grants {', '.join(COLUMN_PRIVILEGES)} by column.",
                )
            for column in columns:
                column_of(entity, column)
