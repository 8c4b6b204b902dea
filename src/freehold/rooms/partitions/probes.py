"""Attacks on the promise that every row has its place, and that queries pass over the other ones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident, idents, joined, literal, trusted
from freehold.kernel.objects import Column, Key, Table, table_key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.partitions.compile import compile_partitions
from freehold.rooms.partitions.declare import Partitioned

PACKAGE = __package__ or ""
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))
TOO_OLD = "0001-01-01"
"""No declaration reaches back to it."""


def probe_partitions(declaration: Partitioned, model: Model) -> Iterator[Probe]:
    """Every attack on one partitioned table."""
    ground = Ground(declaration, model)
    yield ground.there()
    yield ground.no_default()
    if ground.login:
        yield ground.by_name()
    if declaration.method == "RANGE":
        yield ground.outside()
        yield ground.pruned()


@dataclass(frozen=True)
class Ground:
    """What the attacks on one table have in common."""

    declaration: Partitioned
    model: Model

    @cached_property
    def table(self) -> Table:
        """The partitioned table."""
        return self.model.table(*name_of(self.declaration.entity))

    @cached_property
    def parts(self) -> tuple[Table, ...]:
        """Its partitions, in their order."""
        return tuple(compile_partitions(self.declaration, self.model))

    @property
    def login(self) -> str:
        """The application's login; "" in a layer without roles."""
        role = self.model.role("app_a")
        return role if Key("role", (role,)) in self.model.objects else ""

    @property
    def title(self) -> str:
        """The table's name for sentences."""
        return self.declaration.title

    @property
    def subject(self) -> Key:
        """The table."""
        return table_key(self.table.schema, self.table.table)

    @property
    def _context(self) -> tuple[str, ...]:
        owned = bool(self.table.facts.tenant_column) and ISSUER in self.model.objects
        return (read_sql(PACKAGE, "bind_tenant").strip(),) if owned else ()

    @property
    def _rows(self) -> tuple[str, str, str]:
        witness = self.table.facts.tenant_column or self.model.primary_key(self.table)[0]
        return (self.table.schema, self.table.table, witness)

    def there(self) -> Probe:
        """Asked by the names of now: a proof that runs in another month asks for other ones."""
        names = ddl("ARRAY[{}]", joined(literal(part.table) for part in self.parts))
        return Probe(
            promise=f"every row of {self.title} that is neither too old nor too far ahead has a partition",
            subject=self.subject,
            attack=fill(PACKAGE, "list_missing", names=names, table=literal(self.table.sql)),
            expect=Returns(()),
        )

    def no_default(self) -> Probe:
        """A default partition takes what no other one does, and is scanned whenever one is attached."""
        return Probe(
            promise=f"no default partition hides misplaced rows of {self.title}",
            subject=self.subject,
            attack=fill(PACKAGE, "count_defaults", table=literal(self.table.sql)),
            expect=Returns(((0,),)),
        )

    def by_name(self) -> Probe:
        """The newest partition stands for all: the catalog's lists of the guard rooms cover each."""
        part = self.parts[-1]
        return Probe(
            promise=f"the application reaches {self.title} only as a whole",
            subject=part.key,
            attack=ddl("SELECT count(*) FROM {}", part.sql),
            expect=Raises("42501"),
            role=self.login,
        )

    def outside(self) -> Probe:
        """A row of the first year."""
        columns = [c.column for c in self.model.of_kind(Column) if c.table_key == self.table.key and not c.generated]
        tenant = self.table.facts.tenant_column
        attack = fill(
            PACKAGE,
            "insert_outside",
            table=self.table.sql,
            columns=idents(columns),
            tenant=ddl("{}, %(tenant)s::text, ", literal(tenant)) if tenant else ddl(""),
            column=literal(self.declaration.column),
            moment=literal(TOO_OLD),
        )
        return Probe(
            promise=f"a row that no partition of {self.title} is for is refused",
            subject=self.subject,
            attack=attack,
            expect=Raises("23514"),
            role=self.login,
            prepare=self._context,
            rows_in=self._rows,
        )

    def pruned(self) -> Probe:
        """The plan of a query over one period, as the application under a tenant."""
        begin, end = next(iter(self.declaration.cut.periods()))
        low, high = (literal(self.declaration.cut.written(moment)) for moment in (begin, end))
        tenant = self.table.facts.tenant_column if self._context else ""
        query = fill(
            PACKAGE,
            "query_period",
            table=self.table.sql,
            column=ident(self.declaration.column),
            tenant=ddl("t.{} IS NOT NULL AND ", ident(tenant)) if tenant else ddl(""),
            low=low,
            high=high,
        )
        return Probe(
            promise=f"a query over one {self.declaration.every} of {self.title} reads one partition",
            subject=self.subject,
            attack=fill(PACKAGE, "count_scanned", query=trusted(literal(query).replace("%", "%%"))),
            expect=Returns(((1,),)),
            role=self.login,
            prepare=(
                fill(PACKAGE, "create_plan_of"),
                "GRANT EXECUTE ON FUNCTION pg_temp.freehold_plan_of(text) TO PUBLIC",
                *self._context,
            ),
            rows_in=self._rows if tenant else (),
        )
