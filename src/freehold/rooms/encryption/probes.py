"""Attacks with clear text and on other tenants' keys; proofs that every stored value is encrypted with a known key."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import column_of
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, literal, trusted
from freehold.kernel.objects import Key, Table, table_key
from freehold.kernel.room import Affects, Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill, read_sql
from freehold.rooms.encryption.compile import SCHEMA, TENANTS, check_name, has_header, key_table
from freehold.rooms.encryption.copies import trigger_name
from freehold.rooms.encryption.declare import Encrypted
from freehold.rooms.encryption.header import KEY_AT, NONCE_AT

PACKAGE = __package__ or ""
ISSUER = Key("function", ("freehold", "issue_context_v1", "text, text, interval"))
DENIED = "42501"


def probe_encryption(declaration: Encrypted, model: Model) -> Iterator[Probe]:
    """Every attack on one table's encrypted columns, and on the keys."""
    table = model.table(*declaration.table)
    for column in declaration.columns:
        yield _clear_text(declaration, column, table, model)
        yield _validated(declaration, column)
        yield _all_sealed(declaration, column, table)
        yield _keys_exist(declaration, column, table, model)
    for column, clear in declaration.clear.items():
        if column_of(declaration.entity, clear).nullable:
            yield _never_outdated(declaration, column, clear, table)
    if Key("role", (model.role("app_a"),)) in model.objects:
        yield from _keys_guarded(key_table(declaration, model), model)


def _clear_text(declaration: Encrypted, column: str, table: Table, model: Model) -> Probe:
    """Text of the right length without the header, set by the administrator: no right and no policy comes before."""
    tenant = table.facts.tenant_column
    return Probe(
        promise=f"clear text is refused in {_title(declaration, column)}",
        subject=Key("constraint", (*declaration.table, check_name(declaration, column))),
        attack=fill(PACKAGE, "attack_clear_text", table=table.sql, column=ident(column)),
        expect=Raises("23514"),
        prepare=_bound(tenant, model),
        rows_in=(*declaration.table, tenant or declaration.key[0]),
    )


def _validated(declaration: Encrypted, column: str) -> Probe:
    name = check_name(declaration, column)
    return Probe(
        promise=f"every value of {_title(declaration, column)} was looked at when its CHECK was added",
        subject=Key("constraint", (*declaration.table, name)),
        attack=fill(
            PACKAGE,
            "read_validated",
            schema=literal(declaration.table[0]),
            table=literal(declaration.table[1]),
            constraint=literal(name),
        ),
        expect=Returns(((True,),)),
    )


def _all_sealed(declaration: Encrypted, column: str, table: Table) -> Probe:
    return Probe(
        promise=f"every stored value of {_title(declaration, column)} is encrypted",
        subject=table_key(*declaration.table),
        attack=fill(PACKAGE, "count_clear", table=table.sql, column=ident(column), sealed=has_header(column)),
        expect=Returns(((0,),)),
    )


def _keys_exist(declaration: Encrypted, column: str, table: Table, model: Model) -> Probe:
    tenant = table.facts.tenant_column
    same = ddl("AND k.tenant_id = t.{}", ident(tenant)) if tenant else Sql("")
    return Probe(
        promise=f"every value of {_title(declaration, column)} names a data key of its owner",
        subject=table_key(SCHEMA, key_table(declaration, model)),
        attack=fill(
            PACKAGE,
            "count_without_key",
            table=table.sql,
            keys=ddl("freehold.{}", ident(key_table(declaration, model))),
            column=ident(column),
            sealed=has_header(column),
            start=trusted(str(KEY_AT + 1)),
            length=trusted(str(NONCE_AT - KEY_AT)),
            same_tenant=same,
        ),
        expect=Returns(((0,),)),
    )


def _never_outdated(declaration: Encrypted, column: str, clear: str, table: Table) -> Probe:
    """The clear value is emptied as an application does that knows no other."""
    return Probe(
        promise=f"no value of {_title(declaration, column)} outlives the one of {clear} that it was made of",
        subject=Key("trigger", (*declaration.table, trigger_name(column))),
        attack=fill(PACKAGE, "attack_clear", table=table.sql, clear=ident(clear), sealed=ident(column)),
        expect=Affects(0),
    )


def _keys_guarded(name: str, model: Model) -> Iterator[Probe]:
    table = ddl("freehold.{}", ident(name))
    column = "tenant_id" if name == TENANTS else ""

    def probe(promise: str, attack: Sql, expect: Expectation) -> Probe:
        return Probe(
            promise=f"{SCHEMA}.{name}: {promise}",
            subject=table_key(SCHEMA, name),
            attack=attack,
            expect=expect,
            role=model.role("app_a"),
            prepare=_bound(column, model),
            rows_in=(SCHEMA, name, column) if column else (),
        )

    yield probe("the application cannot change a key", fill(PACKAGE, "attack_keys", table=table), Raises(DENIED))
    yield probe("the application cannot delete a key", fill(PACKAGE, "delete_keys", table=table), Raises(DENIED))
    if column and ISSUER in model.objects:
        attack = fill(PACKAGE, "read_others", table=table)
        yield probe("the application reads no key of another tenant", attack, Affects(0))


def _title(declaration: Encrypted, column: str) -> str:
    return ".".join((*declaration.table, column))


def _bound(tenant_column: str, model: Model) -> tuple[str, ...]:
    """The tenant's context, where a tenant owns the rows."""
    owned = bool(tenant_column) and ISSUER in model.objects
    return (read_sql(PACKAGE, "bind_tenant").strip(),) if owned else ()
