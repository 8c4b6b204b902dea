"""Guards that refuse nothing yet: what they would refuse or hide is noted, and passes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import sqlalchemy as sa

from freehold.errors import DeclarationError
from freehold.kernel.declare import name_of
from freehold.kernel.model import Class, Model, Ownership
from freehold.kernel.names import Sql, ddl, ident, literal, trusted
from freehold.kernel.objects import PUBLIC, Column, Constraint, Function, Grant, Index, Object, Owner, Table, TableFacts
from freehold.kernel.template import fill
from freehold.rooms.tenancy.declare import Tenancy
from freehold.rooms.tenancy.functions import PACKAGE, SCHEMA, context_function

TABLE = "would_refuse"
HIDDEN, REFUSED = "hidden", "42501"
"""Why a row of another tenant is noted: a guard hides it from a command that reads, and refuses to write it."""
COLUMNS = (
    ("id", "bigint", ""),
    ("noted_at", "timestamp with time zone", "pg_catalog.clock_timestamp()"),
    ("hour", "timestamp with time zone", ""),
    ("mark", "bigint", ""),
    ("relation", "text", ""),
    ("command", "text", ""),
    ("why", "text", ""),
    ("role", "text", ""),
    ("application", "text", ""),
    ("statement", "text", ""),
)
"""Name, type, default. The mark is a hash of the rest, by which a session knows what it has noted this hour."""
Name = tuple[str, str]
OWNED = frozenset({Ownership.ROOT, Ownership.TENANT})


def noting(
    declaration: Tenancy, tables: Mapping[Name, sa.Table], classes: Mapping[Name, Class]
) -> Iterator[tuple[Name, Class]]:
    """The tables whose guards only note, with their classes; the partitions of such a table do as it does.

    Raises
    ------
    DeclarationError
        A table of ``log_only`` is owned by no tenant, and has no guard.
    """
    reasons = {name_of(entity): reason for entity, reason in declaration.log_only.items()}
    wrong = sorted(".".join(name) for name in reasons if name not in classes or classes[name].ownership not in OWNED)
    if wrong:
        raise DeclarationError(
            f"Tenancy(log_only=...) names tables that no tenant owns: {', '.join(wrong)}",
            hint=f"Give them the column {declaration.column}, or take them out of log_only.",
        )
    for name, each in classes.items():
        parent, _ = tables[name].info.get("partition_of", ("", ""))
        reason = reasons.get(name) or reasons.get(tuple(parent.split(".")), "")
        if reason:
            yield name, replace(each, log_only=reason)


def log_only_condition(table: Table, command: str, why: str) -> Sql:
    """The guard, or else a note.

    It ends with the condition of the guard itself, which is never reached: whoever compares both sees that the guard
    admits no more.
    """
    column, relation = ident(table.facts.tenant_column), literal(table.parent or table.sql)
    named = {"column": column, "relation": relation, "command": literal(command), "why": literal(why)}
    return ddl(
        "COALESCE({column} = (SELECT freehold.log_only_tenant_v1({relation}, {command})), true)"
        " OR freehold.log_only_passes_v1({relation}, {command}, {why})"
        " OR {column} = (SELECT freehold.tenant_v1())",
        **named,
    )


def log_only_trigger(table: Table) -> Sql:
    """What notes that a row changes its tenant."""
    column, relation = ident(table.facts.tenant_column), literal(table.sql)
    return fill(PACKAGE, "create_log_only_trigger", column=column, table=table.sql, relation=relation)


def log_only_objects(model: Model) -> Iterator[Object]:
    """The table of notes, and the functions that policies and triggers call."""
    yield from _table(model)
    for function, granted in _functions(model):
        yield function
        yield Owner(on="function", target=function.name, role=model.role("verifier"), reason=function.reason)
        if granted:
            yield Grant(
                on="function",
                target=function.name,
                grantee=PUBLIC,
                privileges=("EXECUTE",),
                reason="log-only policies call it with the rights of whoever reads; it notes, and shows nothing",
            )


def _functions(model: Model) -> Iterator[tuple[Function, bool]]:
    """Each function, and whether everybody may execute it."""
    reason = "notes what a guard would refuse, and lets it pass"
    tenant_type = trusted(model.tenant_type)
    text = "text, text, text"
    yield context_function("note_refusal_v1", fill(PACKAGE, "create_note_refusal"), "void", reason, text), False
    tenant = fill(PACKAGE, "create_log_only_tenant", tenant_type=tenant_type)
    yield context_function("log_only_tenant_v1", tenant, tenant_type, reason, "text, text"), True
    passes = fill(PACKAGE, "create_log_only_passes")
    yield context_function("log_only_passes_v1", passes, "boolean", reason, text), True
    yield context_function("log_only_move_v1", fill(PACKAGE, "create_log_only_move"), "trigger", reason), False


def _table(model: Model) -> Iterator[Object]:
    reason = "what log-only guards would have refused"
    columns = tuple(
        Column(
            schema=SCHEMA,
            table=TABLE,
            column=name,
            type=kind,
            not_null=True,
            default=default,
            identity="a" if name == "id" else "",
            reason=reason,
        )
        for name, kind, default in COLUMNS
    )
    facts = TableFacts(role="state", application=frozenset())
    yield Table(schema=SCHEMA, table=TABLE, columns=columns, facts=facts, reason=reason)
    yield Constraint(
        schema=SCHEMA,
        table=TABLE,
        constraint="would_refuse_pkey",
        type="p",
        definition="PRIMARY KEY (id)",
        columns=("id",),
        reason=reason,
    )
    yield Index(
        schema=SCHEMA,
        table=TABLE,
        index="would_refuse_mark_ix",
        definition="CREATE INDEX would_refuse_mark_ix ON freehold.would_refuse (mark, hour)",
        reason="a session asks whether another has noted the same",
    )
    yield Owner(on="table", target=(SCHEMA, TABLE), role=model.role("verifier"), reason=reason)
