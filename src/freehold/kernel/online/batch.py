"""Rows that are changed a few at a time, in the order of a key: as data that prints and that runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from freehold.kernel.names import Sql, ddl, ident, joined, literal, trusted
from freehold.kernel.template import fill

PACKAGE = __package__ or ""
ALL = Sql("true")
PRINTED_SIZE = 5000
"""Rows of a batch in the text of a plan; while it runs, the size follows the time that a batch takes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """One statement over a table, cut into batches by the table's key.

    Every batch locks its rows first and at once, or none of them, so that it never waits while it holds any: whoever
    else writes them cannot be caught in a deadlock with it.

    Parameters
    ----------
    name
        What its progress is kept under.
    table
        The quoted, qualified table that is walked.
    key
        The columns of its key in order, each with its SQL type.
    statement
        An INSERT or UPDATE over ``batch AS b``, which holds the keys, without RETURNING.
    carried
        Further columns that the statement reads from ``batch``: those of the row as it is when it is locked.
    condition
        Which rows need it, of the table as ``t``.
    strength
        The row lock: ``NO KEY UPDATE`` for rows that are written, ``SHARE`` for those that are copied.
    """

    name: str
    table: Sql
    key: tuple[tuple[str, str], ...]
    statement: Sql
    carried: tuple[str, ...] = ()
    condition: Sql = ALL
    strength: str = "NO KEY UPDATE"

    @property
    def columns(self) -> list[str]:
        """The key's columns."""
        return [name for name, _ in self.key]

    def query(self, size: int, place: Sequence[str] | None, *, wait: bool = False) -> Sql:
        """One batch: how many rows it held, how many were changed, and the key of its last row as texts.

        Parameters
        ----------
        place
            The key of the last row of the batch before.
        wait
            Whether it waits for a row that somebody else has locked; otherwise the server says so by SQLSTATE 55P03.
        """
        bounds = self._bounds(place)
        after = self._after(bounds) if place else ALL
        return fill(
            PACKAGE,
            "run_batch",
            batch=self._batch(after, size, wait=wait),
            statement=self.statement,
            texts=joined(ddl("b.{}::text", ident(name)) for name in self.columns),
            backwards=joined(ddl("b.{} DESC", ident(name)) for name in self.columns),
        )

    def first(self, place: Sequence[str] | None) -> Sql:
        """The key of the next row as texts."""
        bounds = self._bounds(place)
        after = self._after(bounds) if place else ALL
        return ddl(
            "SELECT ARRAY[{}] FROM {} AS t WHERE {} AND ({}) ORDER BY {} LIMIT 1",
            joined(ddl("t.{}::text", ident(name)) for name in self.columns),
            self.table,
            after,
            self.condition,
            joined(ddl("t.{}", ident(name)) for name in self.columns),
        )

    def _bounds(self, place: Sequence[str] | None) -> list[Sql]:
        return [
            ddl("{}::{}", literal(text), trusted(kind)) for text, (_, kind) in zip(place or (), self.key, strict=False)
        ]

    def loop(self) -> Sql:
        """All batches, as psql takes them: each is committed by itself."""
        lasts = [Sql(f"last_{number}") for number, _ in enumerate(self.key, 1)]
        return fill(
            PACKAGE,
            "loop_batches",
            declared=joined(
                (ddl("{} {};", last, trusted(kind)) for last, (_, kind) in zip(lasts, self.key, strict=True)), "\n    "
            ),
            batch=self._batch(ddl("({} IS NULL OR {})", lasts[0], self._after(lasts)), PRINTED_SIZE, wait=True),
            statement=self.statement,
            columns=joined(ddl("b.{}", ident(name)) for name in self.columns),
            backwards=joined(ddl("b.{} DESC", ident(name)) for name in self.columns),
            lasts=joined(lasts),
            backfill=literal(self.name),
        )

    def _after(self, bounds: Iterable[Sql]) -> Sql:
        return ddl("({}) > ({})", joined(ddl("t.{}", ident(name)) for name in self.columns), joined(bounds))

    def _batch(self, after: Sql, size: int, *, wait: bool) -> Sql:
        return fill(
            PACKAGE,
            "choose_batch",
            columns=joined(ddl("t.{}", ident(name)) for name in dict.fromkeys((*self.columns, *self.carried))),
            key=joined(ddl("t.{}", ident(name)) for name in self.columns),
            table=self.table,
            after=after,
            condition=self.condition,
            size=trusted(str(int(size))),
            strength=trusted(self.strength),
            wait=Sql("") if wait else Sql("NOWAIT"),
        )
