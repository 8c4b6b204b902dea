"""What a legal hold needs in the database: triggers that refuse to give up a row. A mask needs nothing there."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.errors import DeclarationError
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, literal, qualified, shortened
from freehold.kernel.objects import Function, Key, Object, Table, Trigger
from freehold.kernel.objects.function import PINNED
from freehold.kernel.template import fill
from freehold.rooms.tenants.declare import LegalHold, Masked, TenantRule
from freehold.rooms.tenants.hold import held

PACKAGE = __package__ or ""
DELETE, TRUNCATE, RELEASE = (f"freehold_hold_{verb}" for verb in ("delete", "truncate", "release"))
"""The triggers' names."""


def compile_tenants(declaration: TenantRule, model: Model) -> Iterator[Object]:
    """The objects of one hold.

    Raises
    ------
    DeclarationError
        No tenant owns the table's rows, or a mask names a column of its key.
    """
    table = model.table(*declaration.table)
    owned = table.facts.tenant_column or table.facts.role == "root"
    if not owned:
        raise DeclarationError(
            f"No tenant owns the rows of {declaration.title}",
            hint="Name a table with the tenant column, or the tenants' own.",
        )
    if isinstance(declaration, LegalHold):
        yield from _hold(declaration, model, table)
    if isinstance(declaration, Masked):
        _check_mask(declaration, model.primary_key(table))


def _check_mask(declaration: Masked, key: tuple[str, ...]) -> None:
    taken = sorted(set(declaration.columns) & set(key))
    if taken:
        raise DeclarationError(
            f"Masked on {declaration.title} names columns of its key: {', '.join(taken)}",
            hint="Other rows refer to the key. Give a clone another tenant id: freehold tenant clone --as.",
        )


def hold_function(table: tuple[str, str]) -> str:
    """The name of the function that refuses."""
    return shortened(f"hold_{table[1]}", 60) + "_v1"


def _hold(declaration: LegalHold, model: Model, table: Table) -> Iterator[Object]:
    name = (table.schema, hold_function(declaration.table))
    yield Function(
        schema=table.schema,
        function=name[1],
        definition=fill(
            PACKAGE,
            "create_refuse_held",
            function=qualified(*name),
            because=literal(declaration.because),
        ),
        returns="trigger",
        settings=PINNED,
        reason=f"the law keeps rows of {declaration.title}: {declaration.because}",
        after=(Key("schema", (table.schema,)),),
    )
    delete = ddl("BEFORE DELETE ON {} FOR EACH ROW WHEN ({})", table.sql, held(declaration, Sql("OLD")))
    yield _trigger(table, DELETE, delete, name)
    if declaration.keep:
        released = ddl("{} AND NOT ({})", held(declaration, Sql("OLD")), held(declaration, Sql("NEW")))
        release = ddl("AFTER UPDATE ON {} FOR EACH ROW WHEN ({})", table.sql, released)
        yield _trigger(table, RELEASE, release, name)
    for each in (table, *(part for part in model.tables if part.parent == table.sql)):
        yield _trigger(each, TRUNCATE, ddl("BEFORE TRUNCATE ON {} FOR EACH STATEMENT", each.sql), name)


def _trigger(table: Table, trigger: str, event: Sql, function: tuple[str, str]) -> Trigger:
    return Trigger(
        schema=table.schema,
        table=table.table,
        trigger=trigger,
        definition=ddl("CREATE TRIGGER {} {} EXECUTE FUNCTION {}()", ident(trigger), event, qualified(*function)),
        reason="nobody gives up a row that the law keeps",
    )
