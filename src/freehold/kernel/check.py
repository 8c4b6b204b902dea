"""What can be seen to be wrong before any room compiles: a declaration given twice, a foreign key to nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from freehold.errors import Contradiction, UnknownColumn, UnknownTable
from freehold.kernel.declare import name_of
from freehold.kernel.room import Room


def refuse_repeated(pairs: Iterable[tuple[Room[Any], Any]]) -> None:
    """Refuse a second declaration of a kind that speaks for the whole layer.

    Raises
    ------
    Contradiction
        There are two, even equal ones: a change of one would be a change of half.
    """
    for room, count in Counter(room.declaration for room, _ in pairs if room.single).items():
        if count > 1:
            raise Contradiction(
                f"The layer holds {count} declarations of {room.__name__}, which speaks for the whole of it",
                hint="Write one that says all.",
            )


def refuse_dangling(metadata: sa.MetaData) -> None:
    """Refuse a foreign key whose other end is not in the metadata.

    Raises
    ------
    UnknownTable, UnknownColumn
        Names the foreign key and what it refers to.
    """
    for table in metadata.tables.values():
        for key in sorted(table.foreign_keys, key=lambda key: (key.parent.name, key.target_fullname)):
            try:
                assert key.column is not None
            except sa.exc.NoReferencedTableError as error:
                raise UnknownTable(
                    f"{_place(table, key)} refers to {key.target_fullname}, whose table is not in the data layer",
                    hint="Correct its name, or import the module that defines it before the layer is made.",
                ) from error
            except sa.exc.NoReferencedColumnError as error:
                raise UnknownColumn(
                    f"{_place(table, key)} refers to {key.target_fullname}, which that table does not have",
                    hint="Give the column's name in the database.",
                ) from error


def _place(table: sa.Table, key: sa.ForeignKey) -> str:
    return f"The foreign key of {'.'.join(name_of(table))}.{key.parent.name}"
