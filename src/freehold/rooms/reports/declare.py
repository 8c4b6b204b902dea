"""What the user writes: a query, its key, how old its answer may be, and what happens when it is older."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, get_args

from freehold.errors import DeclarationError, UnknownColumn
from freehold.kernel.declare import name_of, seconds_of
from freehold.kernel.names import shortened
from freehold.rooms.reports.source import Query, tables_of

WhenStale = Literal["fail", "label", "refresh", "live"]


@dataclass(frozen=True, eq=False, init=False)
class Report:
    """The answer of a query, kept in a table.

    Parameters
    ----------
    name
        The table's name; it lives in the schema of the query's first table.
    query
        A SQLAlchemy ``select``. Over tables that tenants own, its first column is the tenant column.
    keys
        The columns that tell the rows of one tenant apart.
    fresh
        How old an answer may be, such as ``"1 hour"``.
    when_stale
        What a reader gets when it is older: ``fail`` raises `ReportStale`, ``label`` answers and says so, ``refresh``
        refreshes the tenant's rows first, ``live`` runs the query itself.
    """

    name: str
    query: Query
    keys: tuple[str, ...]
    fresh: str
    when_stale: WhenStale

    def __init__(
        self,
        name: str,
        query: Query,
        keys: Iterable[str] = (),
        fresh: str = "1 hour",
        when_stale: WhenStale = "fail",
    ) -> None:
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "query", query)
        object.__setattr__(self, "keys", tuple(keys))
        object.__setattr__(self, "fresh", fresh)
        object.__setattr__(self, "when_stale", when_stale)
        self._check()

    def __repr__(self) -> str:
        return f"Report({self.name!r})"

    @property
    def sources(self) -> tuple[tuple[str, str], ...]:
        """``(schema, table)`` of every table that the query reads, the first one first."""
        return tuple(dict.fromkeys(name_of(table) for table in tables_of(self.query)))

    @property
    def schema(self) -> str:
        """The schema of the report's table and functions."""
        return self.sources[0][0]

    @property
    def max_age(self) -> int:
        """How old an answer may be, in seconds."""
        return seconds_of(self.fresh)

    def function(self, verb: str, tail: str = "_v1") -> str:
        """The name of one of the report's functions in the database."""
        return shortened(f"{verb}_{self.name}", 54) + tail

    def _check(self) -> None:
        seconds_of(self.fresh)
        if self.when_stale not in get_args(WhenStale):
            raise DeclarationError(
                f"Report {self.name} cannot do {self.when_stale!r} when it is stale",
                hint=f"Write one of {', '.join(get_args(WhenStale))}.",
            )
        if not self.sources:
            raise DeclarationError(
                f"The query of report {self.name} reads no table", hint="Select from mapped classes."
            )
        unknown = sorted(set(self.keys) - set(self.query.selected_columns.keys()))
        if unknown:
            raise UnknownColumn(
                f"Report {self.name} has keys that its query does not select: {', '.join(unknown)}",
                detail=f"The query selects {', '.join(map(str, self.query.selected_columns.keys()))}.",
                hint="Name selected columns, those that tell the rows of one tenant apart.",
            )
