"""What the user writes: whose versions are kept, and for how long."""

from __future__ import annotations

from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, name_of, seconds_of, table_of


@dataclass(frozen=True)
class History:
    """Every version of every row of a table.

    Parameters
    ----------
    entity
        A mapped class or a table; it needs a primary key.
    keep
        How long a version is kept after it ended, such as ``"7 years"``; None keeps all.

    >>> import sqlalchemy as sa
    >>> History(sa.Table("price", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)), keep="7 years").keep
    '7 years'
    """

    entity: Entity
    keep: str | None = None

    def __post_init__(self) -> None:
        if self.keep is not None:
            seconds_of(self.keep)
        if not table_of(self.entity).primary_key.columns:
            raise DeclarationError(
                f"Table {'.'.join(name_of(self.entity))} has no primary key, so that its rows are nobody over time",
                hint="Give the table a primary key, or take it out of History.",
            )
