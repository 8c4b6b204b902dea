"""What a tenancy needs in the database: the context's keys and functions, and a guard on every owned table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from freehold.errors import DeclarationError
from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, trusted
from freehold.kernel.objects import (
    PUBLIC,
    Column,
    Constraint,
    Grant,
    Object,
    Owner,
    Policy,
    RowSecurity,
    Schema,
    Table,
    TableFacts,
    Trigger,
    View,
)
from freehold.kernel.objects.view import GUARDS
from freehold.kernel.template import fill
from freehold.rooms.tenancy.declare import Tenancy
from freehold.rooms.tenancy.functions import PACKAGE, SCHEMA, context_functions
from freehold.rooms.tenancy.log_only import (
    HIDDEN,
    REFUSED,
    log_only_condition,
    log_only_objects,
    log_only_trigger,
)

KEY_TABLE = "context_key"
INVOKER = GUARDS[0]


def compile_tenancy(declaration: Tenancy, model: Model) -> Iterator[Object]:
    """The context first, then row security, policies and the immutable tenant of each owned table."""
    _refuse_definer_views(model)
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    yield Grant(
        on="schema", target=(SCHEMA,), grantee=PUBLIC, privileges=("USAGE",), reason="policies name functions in it"
    )
    yield model.machine_role("verifier", "owns the context's keys and the functions that read them")
    yield from _key_table(model)
    yield from context_functions(model)
    parents = {table.sql: table for table in model.tables if table.partition_key}
    if any(table.facts.log_only for table in owned_tables(model)):
        yield from log_only_objects(model)
    for table in owned_tables(model):
        yield from _guard(table)
        if table.parent:
            yield from _inherited(table, model.policies(parents[trusted(table.parent)]))


def owned_tables(model: Model) -> tuple[Table, ...]:
    """Every table with a tenant, of the metadata and of other rooms, partitions included."""
    return tuple(table for table in model.tables if table.facts.tenant_column)


def _key_table(model: Model) -> Iterator[Object]:
    reason = "the keys that contexts are signed with, as HMAC pads"
    columns = tuple(
        Column(schema=SCHEMA, table=KEY_TABLE, column=name, type=kind, not_null=needed, default=default, reason=reason)
        for name, kind, needed, default in (
            ("key_id", "text", True, ""),
            ("inner_pad", "bytea", True, ""),
            ("outer_pad", "bytea", True, ""),
            ("created_at", "timestamp with time zone", True, "pg_catalog.clock_timestamp()"),
            ("retired_at", "timestamp with time zone", False, ""),
        )
    )
    facts = TableFacts(role="state", application=frozenset())
    yield Table(schema=SCHEMA, table=KEY_TABLE, columns=columns, facts=facts, reason=reason)
    yield Constraint(
        schema=SCHEMA,
        table=KEY_TABLE,
        constraint="context_key_pkey",
        type="p",
        definition="PRIMARY KEY (key_id)",
        columns=("key_id",),
        reason=reason,
    )
    yield Owner(on="table", target=(SCHEMA, KEY_TABLE), role=model.role("verifier"), reason=reason)


def _guard(table: Table) -> Iterator[Object]:
    log_only = table.facts.log_only
    reason = f"log-only: {log_only}" if log_only else "rows belong to the tenant of the context"
    yield RowSecurity(schema=table.schema, table=table.table, enabled=True, forced=True, reason=reason)
    for command, reads, writes in (
        ("SELECT", True, False),
        ("INSERT", False, True),
        ("UPDATE", True, True),
        ("DELETE", True, False),
    ):
        using = _condition(table, command, HIDDEN) if reads else ""
        check = _condition(table, command, REFUSED) if writes else ""
        yield _policy(table, f"freehold_{command.lower()}", command, using, check, reason)
    if table.facts.writers:
        yield Policy(
            schema=table.schema,
            table=table.table,
            policy="freehold_writer",
            command="ALL",
            roles=tuple(sorted(table.facts.writers)),
            using="true",
            check="true",
            reason="Freehold's own triggers and refreshes write rows of any tenant",
        )
    if not table.parent:
        # A partition gets its parent's row triggers by itself.
        yield _immutable(table)


def _condition(table: Table, command: str, why: str) -> Sql:
    """Which rows a command may reach."""
    if table.facts.log_only:
        return log_only_condition(table, command, why)
    return ddl("{} = (SELECT freehold.tenant_v1())", ident(table.facts.tenant_column))


def _inherited(table: Table, policies: Iterable[Policy]) -> Iterator[Policy]:
    """What other rooms let somebody read or write of a table, they let him of its partitions."""
    return (replace(policy, schema=table.schema, table=table.table) for policy in policies)


def _policy(table: Table, name: str, command: str, using: str, check: str, reason: str) -> Policy:
    return Policy(
        schema=table.schema,
        table=table.table,
        policy=name,
        command=command,
        using=using,
        check=check,
        reason=reason,
    )


def _immutable(table: Table) -> Trigger:
    column = ident(table.facts.tenant_column)
    guard = fill(PACKAGE, "create_tenant_trigger", column=column, table=table.sql)
    return Trigger(
        schema=table.schema,
        table=table.table,
        trigger="freehold_tenant_immutable",
        definition=log_only_trigger(table) if table.facts.log_only else guard,
        reason="a row keeps its tenant for life",
    )


def _refuse_definer_views(model: Model) -> None:
    """A view reads with its owner's rights unless told otherwise; a materialized view has no row security."""
    wrong = [view for view in model.of_kind(View) if view.materialized or INVOKER not in _spelled(view.options)]
    if wrong:
        names = ", ".join(sorted(f"{view.schema}.{view.view}" for view in wrong))
        raise DeclarationError(
            f"Views would show rows of every tenant: {names}",
            detail="A view reads with its owner's rights; a materialized view stores what it read.",
            hint='Declare it with options=("security_invoker=true",), or use a report instead of a materialized view.',
        )


def _spelled(options: tuple[str, ...]) -> set[str]:
    return {option.replace(" ", "").lower().replace("=on", "=true") for option in options}
