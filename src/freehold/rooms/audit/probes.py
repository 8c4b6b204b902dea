"""Attacks on the promise that every change names who made it, and that the application changes nothing recorded."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, literal
from freehold.kernel.objects import Column, Key, Table, table_key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.audit.compile import ENTRY, SEAL
from freehold.rooms.audit.declare import Audit
from freehold.rooms.audit.functions import EVENTS, SCHEMA

PACKAGE = __package__ or ""
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))
DIRECT = (
    ("read", "SELECT FROM freehold.{} LIMIT 0"),
    ("add to", "INSERT INTO freehold.{} SELECT WHERE false"),
    ("change", "UPDATE freehold.{} SET {} = NULL WHERE false"),
    ("remove from", "DELETE FROM freehold.{} WHERE false"),
    ("empty", "TRUNCATE freehold.{}"),
)
"""Rights are checked before anything is touched."""


def probe_audit(declaration: Audit, model: Model) -> Iterator[Probe]:
    """Every attack on the audit."""
    if Key("role", (model.role("app_a"),)) in model.objects:
        yield from _closed(model.role("app_a"))
    yield from map(_append_only, (ENTRY, SEAL))
    for entity in declaration.entities:
        table = model.table(*name_of(entity))
        yield _recorded(table, model)
        yield _armed(table)
    if declaration.admin:
        yield from _administration()
    if declaration.pgaudit:
        yield Probe(
            promise="the server loads pgaudit, which logs what leaves no entry",
            subject=Key("setting", ("", "pgaudit.log")),
            attack="SELECT count(*) FROM pg_settings WHERE name = 'pgaudit.log'",
            expect=Returns(((1,),)),
        )
    if declaration.sealed_within:
        yield Probe(
            promise=f"no entry waits for a seal longer than {declaration.sealed_within}",
            subject=table_key(SCHEMA, SEAL),
            attack=fill(PACKAGE, "count_unsealed", within=literal(declaration.sealed_within)),
            expect=Returns(((0,),)),
        )


def _closed(role: str) -> Iterator[Probe]:
    for table, column in ((ENTRY, "actor"), (SEAL, "statement")):
        for verb, attack in DIRECT:
            yield Probe(
                promise=f"the application cannot {verb} {SCHEMA}.{table}",
                subject=table_key(SCHEMA, table),
                attack=attack.format(table, column),
                expect=Raises("42501"),
                role=role,
            )


def _append_only(table: str) -> Probe:
    return Probe(
        promise=f"nobody changes what is recorded in {SCHEMA}.{table} by a plain statement",
        subject=table_key(SCHEMA, table),
        attack=ddl("DELETE FROM {}.{} WHERE false", ident(SCHEMA), ident(table)),
        expect=Raises("FH080"),
    )


def _recorded(table: Table, model: Model) -> Probe:
    tenant = table.facts.tenant_column
    bound = bool(tenant) and ISSUER in model.objects
    columns = [c for c in model.of_kind(Column) if c.table_key == table.key]
    plain = [c.column for c in columns if not c.generated and c.identity != "a"]
    key = model.primary_key(table)
    touched = next((name for name in plain if name not in key), plain[0])
    title = f"{table.schema}.{table.table}"
    return Probe(
        promise=f"an update of {title} leaves an entry that names who made it, for whom, in which row",
        subject=table.key,
        attack=fill(
            PACKAGE,
            "count_recorded",
            title=literal(title),
            actor=literal("prober") if bound else Sql("session_user"),
            owner=ddl("%(tenant)s::text") if tenant else ddl("NULL"),
        ),
        expect=Returns(((1,),)),
        prepare=(
            *((read_sql(PACKAGE, "bind_tenant").strip(),) if bound else ()),
            fill(
                PACKAGE,
                "touch_row",
                table=table.sql,
                column=ident(touched),
                mine=ddl(" WHERE r.{} = %(tenant)s", ident(tenant)) if tenant else ddl(""),
            ),
        ),
        rows_in=(table.schema, table.table, tenant or key[0]),
    )


def _armed(table: Table) -> Probe:
    """Not struck: a TRUNCATE would lock the live table."""
    return Probe(
        promise=f"every kind of statement on {table.schema}.{table.table} is recorded",
        subject=table.key,
        attack=fill(PACKAGE, "list_triggers", table=literal(table.sql)),
        expect=Returns(tuple((f"freehold_audit_{verb}", "O") for verb in sorted(EVENTS))),
    )


def _administration() -> Iterator[Probe]:
    events = ("ddl_command_end", "sql_drop")
    yield Probe(
        promise="the event triggers that record administration are there and enabled",
        subject=Key("event_trigger", (f"freehold_audit_{events[0]}",)),
        attack=fill(PACKAGE, "list_event_triggers"),
        expect=Returns(tuple((f"freehold_audit_{event}", "O") for event in events)),
    )
    yield Probe(
        promise="a new table and a granted right leave entries",
        subject=Key("event_trigger", (f"freehold_audit_{events[0]}",)),
        attack=fill(PACKAGE, "count_admin"),
        expect=Returns(((True, True),)),
        prepare=(
            "CREATE TABLE freehold.freehold_probe_of_audit (id integer)",
            "GRANT SELECT ON freehold.freehold_probe_of_audit TO CURRENT_USER",
        ),
    )
