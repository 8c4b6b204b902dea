"""What the user writes: which columns of a table the application encrypts, and which of them can be searched."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of, table_of
from freehold.rooms.encryption.columns import EncryptedType

NORMALISE = ("exact", "casefold")
KEYS = (sa.Uuid, sa.Integer, sa.Text, sa.VARCHAR, sa.String)
"""Types of key columns of which Python and PostgreSQL write the same text."""


@dataclass(frozen=True, slots=True)
class BlindIndex:
    """Exact search by a keyed, truncated hash beside the encrypted column.

    It tells who reads the table which rows of one tenant probably have the same value, and how often each occurs;
    fewer bits tell less and give more false positives, which the search filters out.

    Parameters
    ----------
    bits
        Bits of the hash, from 8 to 128, in whole bytes.
    normalise
        ``exact``, or ``casefold``: case, and forms of the same letter (Unicode NFKC), make no difference.
    unique
        No two rows of a tenant have the same value; takes 128 bits.
    """

    bits: int = 32
    normalise: str = "exact"
    unique: bool = False

    def __post_init__(self) -> None:
        if self.unique and self.bits != 128:
            object.__setattr__(self, "bits", 128)
        if self.bits % 8 or not 8 <= self.bits <= 128:
            raise DeclarationError(
                f"A blind index cannot have {self.bits} bits", hint="Use 8 to 128 bits in whole bytes, such as 32."
            )
        if self.normalise not in NORMALISE:
            raise DeclarationError(
                f"A blind index cannot normalise by {self.normalise!r}", hint=f"Use one of {', '.join(NORMALISE)}."
            )

    def normal(self, data: bytes) -> bytes:
        """What is hashed of an encoded value."""
        if self.normalise == "exact":
            return data
        return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", data.decode()).casefold()).encode()


@dataclass(frozen=True, eq=False)
class Encrypted:
    """Columns that the application encrypts; the server never sees their clear text.

    >>> Encrypted(Contact, "email", "phone", search={"email": BlindIndex()})  # doctest: +SKIP

    Parameters
    ----------
    entity
        A mapped class or a table.
    columns
        Columns of the type :class:`EncryptedType`, by their names in the database.
    search
        Columns of these that can be searched; each needs the companion ``<column>_blind``, which
        :func:`blind_index_column` makes.
    clear
        Columns of these that are encrypted beside a clear one for the time in which a table moves from one to the
        other: the clear column by the encrypted one's name. Where an application writes the clear one alone, the
        database takes the encrypted value away, so that none is ever out of date; :func:`seal` brings it again.

    Raises
    ------
    DeclarationError
        A column has another type, a companion or a clear column is missing, or the application cannot know the primary
        key beforehand.
    """

    entity: Entity
    columns: tuple[str, ...]
    search: Mapping[str, BlindIndex]
    clear: Mapping[str, str]

    def __init__(
        self,
        entity: Entity,
        *columns: str,
        search: Mapping[str, BlindIndex] | None = None,
        clear: Mapping[str, str] | None = None,
    ) -> None:
        object.__setattr__(self, "entity", entity)
        object.__setattr__(self, "columns", columns)
        object.__setattr__(self, "search", dict(search or {}))
        object.__setattr__(self, "clear", dict(clear or {}))
        self._check_columns()
        self._check_key()

    @property
    def table(self) -> tuple[str, str]:
        """Schema and name of the table."""
        return name_of(self.entity)

    @cached_property
    def types(self) -> Mapping[str, EncryptedType]:
        """The type of each encrypted column."""
        return {name: column_of(self.entity, name).type for name in self.columns}  # type: ignore[misc]

    @property
    def key(self) -> tuple[str, ...]:
        """The columns of the primary key, in order."""
        return tuple(column.name for column in table_of(self.entity).primary_key.columns)

    def refused(self, what: str, hint: str) -> DeclarationError:
        """The error that names the table."""
        return DeclarationError(f"Table {'.'.join(self.table)} {what}", hint=hint)

    def _check_columns(self) -> None:
        if not self.columns or len(set(self.columns)) < len(self.columns):
            raise self.refused("encrypts no column, or one twice", "Name each encrypted column once.")
        for name in self.columns:
            found = column_of(self.entity, name)
            if not isinstance(found.type, EncryptedType):
                raise self.refused(f"has no encrypted type in {name}", 'Give the column the type EncryptedType("str").')
            if found.server_default is not None or found.default is not None or found.primary_key:
                raise self.refused(
                    f"cannot encrypt {name}, which has a default or is part of the key",
                    "Let the application give the value, and keep keys in clear.",
                )
        for name, index in self.search.items():
            self._check_search(name, index)
        for name, clear in self.clear.items():
            self._check_clear(name, clear)

    def _check_clear(self, name: str, clear: str) -> None:
        if name not in self.columns or clear in self.columns:
            raise self.refused(
                f"copies {clear} into {name}, and must encrypt the one and not the other",
                'Name the encrypted column first: clear={"email_sealed": "email"}.',
            )
        if column_of(self.entity, clear).primary_key or not column_of(self.entity, name).nullable:
            raise self.refused(
                f"cannot copy {clear} into {name}: the first is part of the key, or the second may not be empty",
                "Let the encrypted column be nullable until every row has a value in it.",
            )

    def _check_search(self, name: str, index: BlindIndex) -> None:
        if name not in self.columns:
            raise self.refused(f"searches {name}, which it does not encrypt", "Name the column among the columns too.")
        companion = column_of(self.entity, blind(name))
        if not isinstance(companion.type, sa.LargeBinary) or not companion.nullable:
            raise self.refused(
                f"needs {blind(name)} as a nullable bytea",
                f"Write {blind(name)}: Mapped[bytes | None] = blind_index_column().",
            )
        if index.normalise != "exact" and self.types[name].kind != "str":
            raise self.refused(f"folds the case of {name}, which is no text", 'Use normalise="exact".')

    def _check_key(self) -> None:
        table = table_of(self.entity)
        if not table.primary_key.columns:
            raise self.refused("has no primary key to bind values to", "Give it one.")
        for column in table.primary_key.columns:
            if column.server_default is not None or column is table.autoincrement_column:
                raise self.refused(
                    f"has {column.name} made by the server, and a value is encrypted for its row before that",
                    "Let the application make the key: mapped_column(default=uuid4), or autoincrement=False.",
                )
            if type(column.type) not in {
                *KEYS,
                sa.BigInteger,
                sa.SmallInteger,
                sa.UUID,
                sa.BIGINT,
                sa.INTEGER,
                sa.TEXT,
            }:
                raise self.refused(
                    f"has {column.name} of type {column.type} in its key, which has no one text",
                    "Use uuid, integers or text as keys of tables with encrypted columns.",
                )
            if any(key.onupdate for key in column.foreign_keys):
                raise self.refused(
                    f"has {column.name} in its key, which the server changes with what it refers to",
                    "Leave ON UPDATE out of the foreign key: encrypted values are bound to the key.",
                )


def blind(column: str) -> str:
    """The companion of a column with a blind index."""
    return f"{column}_blind"
