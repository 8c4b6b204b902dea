"""A row's key as an application gives it."""

from __future__ import annotations

from typing import Any

from freehold.errors import InputError
from freehold.kernel.declare import Entity, name_of, table_of


def key_of(entity: Entity, key: Any) -> dict[str, Any]:
    """The key's columns with their values, from a value or a tuple in the key's order.

    Raises
    ------
    InputError
        It has another number of values than the primary key.
    """
    names = [column.name for column in table_of(entity).primary_key.columns]
    values = key if isinstance(key, tuple) else (key,)
    if len(values) != len(names):
        raise InputError(
            f"A key of {'.'.join(name_of(entity))} has {len(names)} values, and {len(values)} were given",
            detail=f"Its columns are {', '.join(names)}.",
            hint="Give the values in the order of the primary key.",
        )
    return dict(zip(names, values, strict=True))
