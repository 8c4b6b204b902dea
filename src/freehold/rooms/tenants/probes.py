"""Attacks on the promise that the law's rows stay."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ident, literal
from freehold.kernel.objects import table_key
from freehold.kernel.room import Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.tenants.compile import DELETE, PACKAGE, RELEASE, TRUNCATE
from freehold.rooms.tenants.declare import LegalHold, TenantRule


def probe_tenants(declaration: TenantRule, model: Model) -> Iterator[Probe]:
    """Every attack on one hold; a mask promises nothing of the live database."""
    if not isinstance(declaration, LegalHold):
        return
    table = model.table(*declaration.table)
    subject = table_key(*declaration.table)
    tenant = table.facts.tenant_column or model.primary_key(table)[0]
    rows_in = (*declaration.table, tenant)
    place = {"table": table.sql, "tenant": ident(tenant)}
    yield Probe(
        promise=f"nobody deletes a row of {declaration.title} that the law keeps",
        subject=subject,
        prepare=_set_since(declaration, place, "now()"),
        attack=fill(PACKAGE, "delete_held", **place),
        expect=Raises("FH110"),
        rows_in=rows_in,
    )
    if declaration.since:
        yield Probe(
            promise=f"nobody sets a row of {declaration.title} free before its time",
            subject=subject,
            prepare=_set_since(declaration, place, "now()"),
            attack=fill(PACKAGE, "release_held", since=ident(declaration.since), **place),
            expect=Raises("FH110"),
            rows_in=rows_in,
        )
    names = sorted([DELETE, TRUNCATE, *([RELEASE] if declaration.keep else [])])
    yield Probe(
        promise=f"every way to give up rows of {declaration.title} fires the hold",
        subject=subject,
        attack=fill(PACKAGE, "list_hold_triggers", held=literal(table.sql)),
        expect=Returns(tuple((name, "O") for name in names)),
    )


def _set_since(declaration: LegalHold, place: dict[str, Sql], moment: str) -> tuple[str, ...]:
    """A row whose time has passed would not be held: behind the triggers' back, one is made young."""
    if not declaration.since:
        return ()
    young = fill(PACKAGE, "set_since", since=ident(declaration.since), moment=Sql(moment), **place)
    return ("SET LOCAL session_replication_role = 'replica'", young, "SET LOCAL session_replication_role = 'origin'")
