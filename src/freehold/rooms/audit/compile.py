"""What an audit needs: its table and that of its seals, the functions that write, the triggers that call them."""

from __future__ import annotations

from collections.abc import Iterator

from freehold.kernel.declare import name_of
from freehold.kernel.model import Model
from freehold.kernel.names import ddl, ident
from freehold.kernel.objects import (
    Column,
    Constraint,
    EventTrigger,
    Function,
    Grant,
    Index,
    Object,
    Owner,
    Schema,
    Setting,
    Table,
    TableFacts,
    Trigger,
)
from freehold.kernel.room import Scope
from freehold.rooms.audit.declare import Audit
from freehold.rooms.audit.functions import (
    EVENTS,
    SCHEMA,
    Audited,
    admin_functions,
    common_functions,
    table_functions,
)

ENTRY, SEAL = "audit", "audit_seal"
MOMENT = "timestamp with time zone"
ENTRIES = (
    ("id", "bigint", True, ""),
    ("xid", "xid8", True, "pg_catalog.pg_current_xact_id()"),
    ("at", MOMENT, True, "pg_catalog.clock_timestamp()"),
    ("owner", "text", False, ""),
    ("actor", "text", True, ""),
    ("login", "text", True, "session_user"),
    ("transaction_id", "uuid", False, ""),
    ("kind", "text", True, ""),
    ("object", "text", True, ""),
    ("action", "text", True, ""),
    ("key", "jsonb", False, ""),
    ("before", "jsonb", False, ""),
    ("after", "jsonb", False, ""),
)
"""Name, type, NOT NULL, default of an entry's columns; the owner is the tenant's text."""
SEALS = (
    ("number", "bigint", True, ""),
    ("statement", "text", True, ""),
    ("signature", "bytea", True, ""),
    ("leaves", "bytea", True, ""),
)
"""A seal's columns; the statement is the signed text."""


def compile_audit(declaration: Audit, model: Model) -> Iterator[Object]:
    """The whole audit."""
    yield Schema(schema=SCHEMA, reason="Freehold's own functions and tables")
    for purpose, reason in (("definer", "owns functions that run with their own rights"), ("owner", "owns the layer")):
        yield model.machine_role(purpose, f"{reason}; nobody acts as it")
    yield from _table(ENTRY, ENTRIES, "id", "who did what, in the transaction that did it")
    yield from _table(SEAL, SEALS, "number", "what the entries were when they were sealed, signed")
    yield Index(
        schema=SCHEMA,
        table=ENTRY,
        index="audit_xid_ix",
        definition="CREATE INDEX audit_xid_ix ON freehold.audit USING btree (xid, id)",
        reason="entries are sealed and judged in this order",
    )
    yield from _closed(model)
    for entity in declaration.entities:
        yield from _audited(Audited.of(declaration, model, name_of(entity)), model)
    if declaration.admin:
        yield from _administration(model)
    if declaration.pgaudit:
        yield from _logged(declaration)


def scope_audit(declaration: Audit, model: Model) -> Iterator[Scope]:
    """A trigger on the audit's own tables could change what is recorded."""
    yield Scope("trigger", (SCHEMA, ENTRY))
    yield Scope("trigger", (SCHEMA, SEAL))


def _table(name: str, columns: tuple[tuple[str, str, bool, str], ...], key: str, reason: str) -> Iterator[Object]:
    yield Table(
        schema=SCHEMA,
        table=name,
        columns=tuple(
            Column(
                schema=SCHEMA,
                table=name,
                column=column,
                type=kind,
                not_null=needed,
                default=default,
                identity="a" if column == "id" else "",
                reason=reason,
            )
            for column, kind, needed, default in columns
        ),
        facts=_facts(name),
        reason=reason,
    )
    yield Constraint(
        schema=SCHEMA,
        table=name,
        constraint=f"{name}_pkey",
        type="p",
        definition=ddl("PRIMARY KEY ({})", ident(key)),
        columns=(key,),
        reason=reason,
    )


def _logged(declaration: Audit) -> Iterator[Setting]:
    """What pgaudit writes to the server's log; without it the server keeps the settings and nobody reads them."""
    values = {"log": ", ".join(declaration.pgaudit), "log_catalog": "off", "log_parameter": "off"}
    for parameter, value in values.items():
        yield Setting(
            parameter=f"pgaudit.{parameter}",
            value=value,
            reason="commands of the whole cluster leave no entry; values of parameters are in no log",
        )


def _facts(name: str) -> TableFacts:
    return TableFacts(
        role="state",
        application=frozenset(),
        owner_column="owner" if name == ENTRY else "",
        stays="an entry is sealed in the chain of the database in which it was written",
        lasting="who did what stays known: a seal over a removed entry would not verify",
    )


def _closed(model: Model) -> Iterator[Object]:
    """Entries are appended by the functions below, and changed by nobody who does not take the triggers away."""
    for made in common_functions():
        yield from _owned(made, model)
    for table in (ENTRY, SEAL):
        for verb in ("DELETE", "TRUNCATE", "UPDATE"):
            yield Trigger(
                schema=SCHEMA,
                table=table,
                trigger=f"freehold_append_only_{verb.lower()}",
                definition=ddl(
                    "CREATE TRIGGER {} BEFORE {} ON {} FOR EACH STATEMENT EXECUTE FUNCTION"
                    " freehold.refuse_audit_change_v1()",
                    ident(f"freehold_append_only_{verb.lower()}"),
                    ddl(verb),
                    ddl("freehold.{}", ident(table)),
                ),
                reason="what is recorded stays",
            )
    definer, reason = model.role("definer"), "the functions that record run with these rights"
    yield Grant(on="schema", target=(SCHEMA,), grantee=definer, privileges=("USAGE",), reason=reason)
    yield Grant(on="table", target=(SCHEMA, ENTRY), grantee=definer, privileges=("INSERT",), reason=reason)


def _owned(function: Function, model: Model) -> Iterator[Object]:
    yield function
    if function.definer:
        yield Owner(on="function", target=function.name, role=model.role("definer"), reason=function.reason)


def _audited(audited: Audited, model: Model) -> Iterator[Object]:
    for made in table_functions(audited):
        yield from _owned(made, model)
    parts = (audited.table, *(table for table in model.tables if table.parent == audited.table.sql))
    for table in parts:
        for verb, (moment, transition) in EVENTS.items():
            if not (table.parent and verb == "truncate"):
                yield _trigger(audited, table, verb, moment, transition)


def _trigger(audited: Audited, table: Table, verb: str, moment: str, transition: str) -> Trigger:
    name = f"freehold_audit_{verb}"
    return Trigger(
        schema=table.schema,
        table=table.table,
        trigger=name,
        definition=ddl(
            "CREATE TRIGGER {} {} ON {} {}FOR EACH STATEMENT EXECUTE FUNCTION {}()",
            ident(name),
            ddl(moment),
            table.sql,
            ddl(transition),
            audited.function(verb),
        ),
        reason=f"records who does {verb.upper()}, whoever it is",
    )


def _administration(model: Model) -> Iterator[Object]:
    for made, event in admin_functions():
        yield from _owned(made, model)
        yield EventTrigger(
            event_trigger=f"freehold_audit_{event}",
            event=event,
            function=(SCHEMA, made.function),
            reason="records who changes the database's form and rights",
        )
