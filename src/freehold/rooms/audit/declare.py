"""What the user writes: the tables whose changes are audited, what is hidden, and how soon it is sealed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of, seconds_of, table_of

CLASSES = frozenset({"read", "write", "function", "role", "ddl", "misc", "misc_set", "all"})
"""What pgaudit tells apart (pgaudit 1.7, ``pgaudit.log``)."""


@dataclass(frozen=True, init=False)
class Audit:
    """Who did what to which row, and what administrators changed, in one append-only table.

    Parameters
    ----------
    entities
        Mapped classes or tables with a primary key; every change of their rows leaves an entry.
    hide
        Columns whose values are left out; the entry says that they changed.
    admin
        Whether changes of the database's form and rights are audited too, by event triggers, which only a superuser
        can make.
    sealed_within
        How old the oldest entry may be that no seal holds, such as ``"1 hour"``; None asks for no seals.
    pgaudit
        Classes of statements that the server's extension ``pgaudit`` writes to the server's log, where the server loads
        it: ``role`` and ``ddl``, for instance, since commands of the whole cluster leave no entry.

    >>> Audit(admin=True, sealed_within="1 hour").admin
    True
    """

    entities: tuple[Entity, ...]
    hide: Mapping[Entity, Sequence[str]] = field(default_factory=dict)
    admin: bool = True
    sealed_within: str | None = None
    pgaudit: tuple[str, ...] = ()

    def __init__(
        self,
        *entities: Entity,
        hide: Mapping[Entity, Sequence[str]] | None = None,
        admin: bool = True,
        sealed_within: str | None = None,
        pgaudit: Sequence[str] = (),
    ) -> None:
        object.__setattr__(self, "entities", entities)
        object.__setattr__(self, "hide", dict(hide or {}))
        object.__setattr__(self, "admin", admin)
        object.__setattr__(self, "sealed_within", sealed_within)
        object.__setattr__(self, "pgaudit", tuple(pgaudit))
        self._check()

    def hidden(self, table: tuple[str, str]) -> tuple[str, ...]:
        """The hidden columns of a table."""
        return next((tuple(columns) for entity, columns in self.hide.items() if name_of(entity) == table), ())

    def _check(self) -> None:
        if self.sealed_within is not None:
            seconds_of(self.sealed_within)
        unknown = sorted(set(self.pgaudit) - CLASSES)
        if unknown:
            raise DeclarationError(
                f"pgaudit has no class {', '.join(unknown)}", hint=f"Use some of {', '.join(sorted(CLASSES))}."
            )
        audited = {name_of(entity) for entity in self.entities}
        for entity in self.entities:
            if not table_of(entity).primary_key.columns:
                raise DeclarationError(
                    f"Table {'.'.join(name_of(entity))} has no primary key, so that no entry can name its row",
                    hint="Give the table a primary key, or take it out of Audit.",
                )
        for entity, columns in self.hide.items():
            if name_of(entity) not in audited:
                raise DeclarationError(
                    f"Audit hides columns of {'.'.join(name_of(entity))}, which it does not audit",
                    hint="Name the table in Audit, or take it out of hide=.",
                )
            for column in columns:
                if column_of(entity, column).primary_key:
                    raise DeclarationError(
                        f"Audit cannot hide {'.'.join((*name_of(entity), column))}: an entry names its row by it",
                        hint="Hide other columns, or encrypt this one.",
                    )
