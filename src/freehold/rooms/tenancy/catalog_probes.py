"""What the catalog must not hold, asked without the plan: it compares declared names, these find what nobody named."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.model import Model
from freehold.kernel.names import Sql, ddl, ident, joined, literal, trusted
from freehold.kernel.objects import Function, Key, Policy, Table, table_key
from freehold.kernel.objects.function import PINNED
from freehold.kernel.room import Probe, Returns
from freehold.kernel.template import fill
from freehold.rooms.tenancy.compile import KEY_TABLE, owned_tables
from freehold.rooms.tenancy.functions import PACKAGE, SCHEMA, context_functions

COMMANDS = {"ALL": "*", "SELECT": "r", "INSERT": "a", "UPDATE": "w", "DELETE": "d"}


def catalog_probes(model: Model) -> Iterator[Probe]:
    """Policies, switches and views of all owned tables, and the functions and keys of the context.

    The policies of tables that only log promise nothing.
    """
    owned = owned_tables(model)
    holding = [table for table in owned if not table.facts.log_only]
    for column in sorted({table.facts.tenant_column for table in holding}):
        yield _policies(model, column, [table for table in holding if table.facts.tenant_column == column])
    if owned:
        tables = joined(literal(table.sql) for table in owned)
        subject = owned[0].key
        yield _none(
            "row security is on, forced and the same on every owned table and each of its partitions",
            subject,
            fill(PACKAGE, "list_unguarded_tables", tables=tables),
        )
        yield _none(
            "every view over an owned table reads with its caller's rights",
            subject,
            fill(PACKAGE, "list_definer_views", tables=tables),
        )
    yield _functions(model)
    verifier = model.role("verifier")
    members = fill(PACKAGE, "list_members", role=literal(verifier))
    yield _none("nobody may act as the owner of the context's keys", Key("role", (verifier,)), members)


def _none(promise: str, subject: Key, attack: Sql, *prepare: str) -> Probe:
    return Probe(promise=promise, subject=subject, attack=attack, expect=Returns(()), prepare=prepare)


def _policies(model: Model, column: str, tables: Iterable[Table]) -> Probe:
    """The server itself writes the expected expression, on a temporary table with the tenant column alone."""
    ours = list(tables)
    rows = joined(_row(table, policy) for table in ours for policy in model.policies(table))
    return _none(
        f"tables owned through {column} have the declared policies and no other",
        table_key(*ours[0].name),
        fill(PACKAGE, "list_policy_differences", declared=rows),
        ddl(
            "CREATE TEMPORARY TABLE freehold_expected ({} {}) ON COMMIT DROP", ident(column), trusted(model.tenant_type)
        ),
        ddl(
            "CREATE POLICY expected ON pg_temp.freehold_expected USING ({} = (SELECT freehold.tenant_v1()))",
            ident(column),
        ),
    )


def _row(table: Table, policy: Policy) -> Sql:
    command = COMMANDS[policy.command] if policy.permissive else f"RESTRICTIVE {COMMANDS[policy.command]}"
    cells = (
        table.sql,
        policy.policy,
        command,
        ", ".join(sorted(policy.roles)),
        _rule(policy.using),
        _rule(policy.check),
    )
    return ddl("({})", joined(literal(cell) for cell in cells))


def _rule(expression: str) -> str:
    return expression if expression in {"", "true"} else "own"


def _functions(model: Model) -> Probe:
    functions = [item for item in context_functions(model) if isinstance(item, Function)]
    pinned = f'{{"{PINNED[0]}"}}'
    rows = sorted((f.function, True, model.role("verifier"), f.definer, pinned) for f in functions)
    bodies = joined(ddl("({}, {})", literal(f.signature), literal(_body(f))) for f in functions)
    return Probe(
        promise="the functions of the context have the declared bodies, owner and pinned search_path",
        subject=table_key(SCHEMA, KEY_TABLE),
        attack=fill(PACKAGE, "list_functions", bodies=Sql(bodies.replace("%", "%%"))),
        expect=Returns(tuple(rows)),
    )


def _body(function: Function) -> str:
    """What PostgreSQL keeps of the definition: the text between its dollar quotes."""
    return function.definition.split("$function$")[1]
