"""Attacks on each table: without a context, on another tenant's rows, and as the owner."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import LiteralString

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, idents, trusted
from freehold.kernel.objects import Grant, Key, Owner, Table
from freehold.kernel.room import Affects, Expectation, Probe, Raises, Returns
from freehold.rooms.tenancy.compile import owned_tables

AS_TENANT = (
    "SELECT pg_catalog.set_config('freehold.context', "
    "freehold.issue_context_v1(%(tenant)s::text, 'prober', '1 minute'), true)"
)
DENIED = Raises("42501")


@dataclass(frozen=True, slots=True)
class Target:
    """A table under attack, and by whom."""

    model: Model
    table: Table

    @property
    def column(self) -> Sql:
        """The quoted tenant column."""
        return ident(self.table.facts.tenant_column)

    @property
    def place(self) -> tuple[str, str, str]:
        """Where two tenants must have rows."""
        return (self.table.schema, self.table.table, self.table.facts.tenant_column)

    def probe(self, promise: str, attack: Sql, expect: Expectation, *, role: str = "", bound: bool = True) -> Probe:
        """One attack, under a tenant's context unless ``bound`` is false."""
        return Probe(
            promise=f"{self.table.schema}.{self.table.table}: {promise}",
            subject=self.table.key,
            attack=attack,
            expect=expect,
            role=role or self.model.role("app_a"),
            prepare=(AS_TENANT,) if bound else (),
            rows_in=self.place,
        )

    def statement(self, template: LiteralString) -> Sql:
        """A statement over ``{table}`` and ``{column}``; ``{tenant}`` and ``{other}`` are the two tenants, typed."""
        kind = trusted(self.model.tenant_type)
        return ddl(
            template,
            table=self.table.sql,
            column=self.column,
            tenant=ddl("(%(tenant)s::text)::{}", kind),
            other=ddl("(%(other)s::text)::{}", kind),
            columns=idents(_insertable(self)),
            updated=ident(self.updatable or self.table.facts.tenant_column),
        )

    def may(self, privilege: str, column: str = "") -> bool:
        """Whether the application has a privilege on the table, or on one column of it.

        The roles room says so in grants; without it, what the table's maker asked for is taken as given.
        """
        grantees = {self.model.role(purpose) for purpose in ("rw", "app_a")}
        grants = [g for g in self.model.of_kind(Grant) if g.grantee in grantees and g.on in {"table", "column"}]
        if not grants:
            return privilege in self.table.facts.application
        reach = ((*self.table.name,), (*self.table.name, column))
        return any(g.target in reach and privilege in g.privileges for g in grants)

    @property
    def updatable(self) -> str:
        """A column that the application may change, or empty."""
        names = (self.table.facts.tenant_column, *(c.column for c in self.table.columns))
        return next((name for name in names if self.may("UPDATE", name)), "")

    @property
    def readable(self) -> bool:
        """Whether the application may read the tenant column, as a condition on it needs."""
        return self.may("SELECT", self.table.facts.tenant_column)


def table_probes(model: Model) -> Iterator[Probe]:
    """The attacks on every table but partitions, whose bounds refuse planted rows: the catalog's list covers them."""
    for table in owned_tables(model):
        target = Target(model, table)
        if not table.parent:
            yield from _reads(target)
            yield from _writes(target)
            yield from _owner(target)


def _reads(target: Target) -> Iterator[Probe]:
    sees = target.statement("SELECT count(*) FROM (SELECT {column} FROM {table} LIMIT 1) AS seen")
    missing = Raises("FH001") if target.readable else DENIED
    yield target.probe("without a context no row is seen, and the error says so", sees, missing, bound=False)
    if target.readable:
        both = target.statement(
            "SELECT EXISTS (SELECT FROM {table} WHERE {column} = {tenant}),"
            " EXISTS (SELECT FROM {table} WHERE {column} = {other})"
        )
        yield target.probe("a tenant sees its own rows and none of another", both, Returns(((True, False),)))


def _writes(target: Target) -> Iterator[Probe]:
    insert = target.statement(
        "INSERT INTO {table} ({columns}) SELECT {columns}"
        " FROM pg_catalog.jsonb_populate_record(NULL::{table}, %(row)s::jsonb)"
    )
    yield target.probe("a row of another tenant cannot be inserted", insert, DENIED)
    update = target.statement("UPDATE {table} SET {updated} = {updated} WHERE {column} = {other}")
    untouched = Affects(0) if target.readable and target.updatable else DENIED
    yield target.probe("another tenant's rows cannot be updated", update, untouched)
    move = target.statement("UPDATE {table} SET {column} = {other} WHERE {column} = {tenant}")
    movable = target.readable and target.updatable == target.table.facts.tenant_column
    yield target.probe("a row cannot be moved to another tenant", move, Raises("FH010") if movable else DENIED)
    delete = target.statement("DELETE FROM {table} WHERE {column} = {other}")
    undeleted = Affects(0) if target.readable and target.may("DELETE") else DENIED
    yield target.probe("another tenant's rows cannot be deleted", delete, undeleted)


def _insertable(target: Target) -> list[str]:
    """The columns of a whole row that INSERT takes; an identity gives its own value."""
    return [c.column for c in target.table.columns if not c.generated and not c.identity]


def _owner(target: Target) -> Iterator[Probe]:
    owner = target.model.objects.get(Key("owner", ("table", *target.table.name)))
    if isinstance(owner, Owner):
        sees = target.statement("SELECT count(*) FROM (SELECT FROM {table} LIMIT 1) AS seen")
        promise = "row security holds for the table's owner as well"
        yield target.probe(promise, sees, Raises("FH001"), role=owner.role, bound=False)
