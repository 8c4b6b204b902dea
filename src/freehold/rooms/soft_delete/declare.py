"""What the user writes: whose deleted rows are kept, for how long, and what may be lost with them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from freehold.errors import DeclarationError
from freehold.kernel.declare import Entity, column_of, name_of, seconds_of, table_of


@dataclass(frozen=True)
class SoftDelete:
    """Deleted rows of a table are moved to a table of their own, from which they can be restored.

    Parameters
    ----------
    entity
        A mapped class or a table; it needs a primary key.
    keep
        How long a deleted row is kept, such as ``"90 days"``; None keeps all.
    lose
        Tables whose rows go with a deleted row (ON DELETE CASCADE) and are not kept.
    unlink
        Tables whose rows lose their reference to a deleted row (ON DELETE SET NULL or SET DEFAULT); a restore does not
        bring the reference back.
    rewritten
        Columns that a trigger of the table writes on INSERT, so that a restored row may differ in them.

    Raises
    ------
    DeclarationError
        The table has no primary key, or ``keep`` is no duration.
    UnknownColumn
        The table has no column of ``rewritten``.

    >>> import sqlalchemy as sa
    >>> SoftDelete(sa.Table("price", sa.MetaData(), sa.Column("id", sa.Integer, primary_key=True)), keep="90 days").keep
    '90 days'
    """

    entity: Entity
    keep: str | None = None
    lose: Sequence[Entity] = ()
    unlink: Sequence[Entity] = ()
    rewritten: Sequence[str] = ()

    def __post_init__(self) -> None:
        if self.keep is not None:
            seconds_of(self.keep)
        for column in self.rewritten:
            column_of(self.entity, column)
        for other in (*self.lose, *self.unlink):
            table_of(other)
        if not table_of(self.entity).primary_key.columns:
            raise DeclarationError(
                f"Table {'.'.join(name_of(self.entity))} has no primary key, so that no deleted row of it can be named",
                hint="Give the table a primary key, or take it out of SoftDelete.",
            )
