"""Ways past row tenancy that are no plain statement on a table, each tried once a layer as the application."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.model import Model, Ownership
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, trusted
from freehold.kernel.objects import Key
from freehold.kernel.room import Affects, Expectation, Probe, Raises, Returns
from freehold.kernel.template import fill
from freehold.rooms.tenancy.compile import owned_tables
from freehold.rooms.tenancy.functions import PACKAGE
from freehold.rooms.tenancy.table_probes import AS_TENANT, Target

AS_OTHER = AS_TENANT.replace("%(tenant)s", "%(other)s")
TOLD = "SELECT pg_catalog.set_config('probe.other', %(other)s::text, true)"
"""Utility statements and function bodies take no parameters; the other tenant's name reaches them through a setting."""
PATIENCE = "SET LOCAL lock_timeout = '200ms'"
"""CREATE RULE and CREATE TRIGGER lock the table before they ask for the right; nobody waits longer behind them."""
NONE = Returns(((0,),))
DENIED = Raises("42501")
MISSING = Raises("FH001")


@dataclass(frozen=True, slots=True)
class Way:
    """One way past: what the promise says, the attack, what happens while it holds, and what is made ready before it.

    ``ready`` runs as the administrator under the tenant's context; ``own`` after it, as the application.
    """

    promise: str
    attack: str
    expect: Expectation = NONE
    own: tuple[str, ...] = ()
    ready: tuple[str, ...] = ()


COUNT = "SELECT count(*) FROM {table} WHERE {column} = {other}"
TOLD_COUNT = "SELECT count(*) FROM {table} WHERE {column}::text = pg_catalog.current_setting('probe.other')"
READER = (
    f"CREATE FUNCTION pg_temp.probe_read() RETURNS bigint LANGUAGE plpgsql AS $$ BEGIN RETURN ({TOLD_COUNT}); END $$"
)
LEAK = (
    "CREATE FUNCTION pg_temp.probe_leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0001 AS"
    " $$ BEGIN IF $1 = pg_catalog.current_setting('probe.other') THEN RAISE EXCEPTION 'seen'; END IF;"
    " RETURN false; END $$"
)
EXPLAINER = (
    "CREATE FUNCTION pg_temp.probe_explain() RETURNS integer LANGUAGE plpgsql AS"
    " $$ BEGIN EXECUTE 'EXPLAIN (ANALYZE) SELECT FROM {table} WHERE pg_temp.probe_leak({column}::text)';"
    " RETURN 0; END $$"
)
ROW = "SELECT {columns} FROM pg_catalog.jsonb_populate_record(NULL::{table}, %(row)s::jsonb)"

READING = (
    Way("COPY TO writes out no row of another tenant", "COPY (" + TOLD_COUNT + ") TO STDOUT", Returns((("0",),))),
    Way(
        "a cursor fetches no row of another tenant",
        "FETCH ALL FROM probe_cursor",
        own=("DECLARE probe_cursor CURSOR FOR " + TOLD_COUNT,),
    ),
    Way("TABLESAMPLE samples no row of another tenant", COUNT.replace(" WHERE", " TABLESAMPLE SYSTEM (100) WHERE")),
    Way(
        "SELECT FOR UPDATE locks no row of another tenant",
        "SELECT {column} FROM {table} WHERE {column} = {other} FOR UPDATE",
        Returns(()),
    ),
    Way(
        "a row's physical address leads to no row of another tenant",
        "SELECT count(*) FROM {table} WHERE ctid = pg_catalog.current_setting('probe.ctid')::pg_catalog.tid",
        ready=(
            "SELECT pg_catalog.set_config('probe.ctid',"
            " (SELECT ctid::text FROM {table} WHERE {column} = {other} LIMIT 1), true)",
        ),
    ),
    Way(
        "an error of a computation tells of no row of another tenant",
        COUNT + " AND 1 / (CASE WHEN {column} = {other} THEN 0 ELSE 1 END) = 1",
    ),
    Way(
        "a cheap function in a condition is called with no row of another tenant",
        "SELECT count(*) FROM {table} WHERE pg_temp.probe_leak({column}::text)",
        own=(LEAK,),
    ),
    Way(
        "EXPLAIN ANALYZE calls a cheap function with no row of another tenant",
        "SELECT pg_temp.probe_explain()",
        own=(LEAK, EXPLAINER),
    ),
    Way(
        "an anonymous code block reads no row of another tenant",
        "SELECT pg_catalog.current_setting('probe.seen')::integer",
        own=("DO $$ BEGIN PERFORM pg_catalog.set_config('probe.seen', (" + TOLD_COUNT + ")::text, true); END $$",),
    ),
    Way(
        "a plan that an administrator made shows the application no row of another tenant",
        "SELECT pg_temp.probe_read()",
        ready=("SET LOCAL plan_cache_mode = force_generic_plan", READER, "SELECT pg_temp.probe_read()"),
    ),
    Way(
        "a plan that was made under another tenant shows no row of that tenant",
        "SELECT pg_temp.probe_read()",
        ready=("SET LOCAL plan_cache_mode = force_generic_plan", AS_OTHER),
        own=(READER, "SELECT pg_temp.probe_read()", "RESET ROLE", AS_TENANT),
    ),
    Way(
        "a parallel worker reads no row of another tenant",
        COUNT,
        ready=(
            "SELECT pg_catalog.set_config(name, 'on', true) FROM pg_catalog.pg_settings"
            " WHERE name IN ('debug_parallel_query', 'force_parallel_mode')",
        ),
    ),
    Way(
        "a view of the application's own shows no row of another tenant",
        "SELECT count(*) FROM pg_temp.probe_view WHERE {column} = {other}",
        own=("CREATE TEMPORARY VIEW probe_view AS SELECT {column} FROM {table}",),
    ),
    Way(
        "a table in the temporary schema is not taken for the context's keys",
        COUNT,
        own=(
            "CREATE TEMPORARY TABLE context_key (key_id text, inner_pad bytea, outer_pad bytea,"
            " created_at timestamptz, retired_at timestamptz)",
            "SET LOCAL search_path = pg_temp, freehold, pg_catalog",
        ),
    ),
    Way(
        "an operator of the application's own is not taken by the policies",
        "SELECT count(*) FROM {table} WHERE {column} OPERATOR(pg_catalog.=) {other}",
        own=(
            "CREATE FUNCTION pg_temp.probe_equal({type}, {type}) RETURNS boolean LANGUAGE sql AS 'SELECT true'",
            "CREATE OPERATOR pg_temp.= (FUNCTION = pg_temp.probe_equal, LEFTARG = {type}, RIGHTARG = {type})",
            "SET LOCAL search_path = pg_temp, pg_catalog",
        ),
    ),
    Way(
        "rolling back to a savepoint brings back the tenant of the savepoint",
        COUNT,
        ready=("SAVEPOINT probe", AS_OTHER, "ROLLBACK TO SAVEPOINT probe"),
    ),
    Way(
        "statistics of columns show no value of a tenant's table",
        "SELECT count(*) FROM pg_catalog.pg_stats WHERE schemaname = {schema_text} AND tablename = {table_text}",
    ),
    Way(
        "what a dump would read with row security off is refused",
        "SELECT count(*) FROM {table}",
        DENIED,
        own=("SET LOCAL row_security = off",),
    ),
    Way(
        "RESET of the context leaves no context",
        "SELECT count(*) FROM {table}",
        MISSING,
        own=("RESET freehold.context",),
    ),
    Way("RESET ALL leaves no context", "SELECT count(*) FROM {table}", MISSING, own=("RESET ALL",)),
)
"""Each ends with no row of the other tenant."""

WRITING = (
    Way("COPY FROM is refused where row security holds", "COPY {table} FROM STDIN", Raises("0A000")),
    Way(
        "UPDATE RETURNING gives back no row of another tenant",
        "UPDATE {table} SET {updated} = {updated} WHERE {column} = {other} RETURNING {column}",
        Returns(()),
    ),
    Way(
        "a data-modifying WITH touches no row of another tenant",
        "WITH gone AS (DELETE FROM {table} WHERE {column} = {other} RETURNING {column}) SELECT count(*) FROM gone",
    ),
    Way(
        "MERGE touches no row of another tenant",
        "MERGE INTO {table} AS t USING (SELECT {other} AS other) AS s ON t.{column} = s.other WHEN MATCHED THEN DELETE",
        Affects(0),
    ),
    Way(
        "a conflict that does nothing tells of no row of another tenant",
        "INSERT INTO {table} ({columns}) " + ROW + " ON CONFLICT DO NOTHING",
        DENIED,
    ),
    Way(
        "a conflict that updates reaches no row of another tenant",
        "INSERT INTO {table} ({columns}) " + ROW + " ON CONFLICT ({key}) DO UPDATE SET {updated} = EXCLUDED.{updated}",
        DENIED,
    ),
)

MAKING = (
    Way(
        "the application makes no rule on a tenant's table",
        "CREATE RULE freehold_probe AS ON INSERT TO {table} DO INSTEAD NOTHING",
        DENIED,
    ),
    Way("the application makes no policy", "CREATE POLICY freehold_probe ON {table} USING (true)", DENIED),
    Way("the application loosens no policy", "ALTER POLICY freehold_select ON {table} USING (true)", DENIED),
    Way(
        "the application makes no trigger on a tenant's table",
        "CREATE TRIGGER freehold_probe BEFORE UPDATE ON {table} FOR EACH ROW"
        " EXECUTE FUNCTION pg_catalog.suppress_redundant_updates_trigger()",
        DENIED,
    ),
    Way(
        "the application makes no function that lends rights",
        "CREATE FUNCTION {schema}.freehold_probe() RETURNS integer LANGUAGE sql SECURITY DEFINER AS 'SELECT 1'",
        DENIED,
    ),
    Way(
        "the application makes no leakproof function",
        "CREATE FUNCTION pg_temp.freehold_probe() RETURNS integer LANGUAGE sql LEAKPROOF AS 'SELECT 1'",
        DENIED,
    ),
    Way(
        "the application makes no event trigger",
        "CREATE EVENT TRIGGER freehold_probe ON ddl_command_end EXECUTE FUNCTION freehold_probe()",
        DENIED,
    ),
    Way("the application makes nothing in the schema public", "CREATE TABLE public.freehold_probe ()", DENIED),
    Way("the application makes no foreign data wrapper", "CREATE FOREIGN DATA WRAPPER freehold_probe", DENIED),
    Way(
        "the application makes no publication of tables", "CREATE PUBLICATION freehold_probe FOR TABLE {table}", DENIED
    ),
    Way(
        "the application makes no logical slot",
        "SELECT pg_catalog.pg_create_logical_replication_slot('freehold_probe', 'pgoutput', true)",
        DENIED,
    ),
    Way(
        "the application changes no default privilege of the owner",
        "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT ON TABLES TO PUBLIC",
        DENIED,
    ),
    Way("the application changes no other role's settings", "ALTER ROLE {owner} SET row_security = off", DENIED),
    Way(
        "the application imports no file of the server as a large object",
        "SELECT pg_catalog.lo_import('PG_VERSION')",
        DENIED,
    ),
    Way("the application lists no directory of the server", "SELECT pg_catalog.pg_ls_dir('.')", DENIED),
    Way(
        "the application reads no stored statistics past their view",
        "SELECT count(*) FROM pg_catalog.pg_statistic",
        DENIED,
    ),
    Way(
        "the application reads no extended statistics past their view",
        "SELECT count(*) FROM pg_catalog.pg_statistic_ext_data",
        DENIED,
    ),
    Way("the application reads no password", "SELECT count(*) FROM pg_catalog.pg_authid", DENIED),
)
"""Each is refused for want of a privilege."""


def bypass_probes(model: Model) -> Iterator[Probe]:
    """Every way, on one table that the application reads and writes; and the keys of all owned tables."""
    target = _target(model)
    if target:
        for way in (*READING, *WRITING, *MAKING):
            yield _probe(target, way)
    yield from _keys(model)


def _target(model: Model) -> Target | None:
    """A plain table of tenants, not the root, on which the application may do everything; one whose guard holds."""
    usable = [
        Target(model, table)
        for table in owned_tables(model)
        if not table.parent and not table.partition_key and Key("role", (model.role("app_a"),)) in model.objects
    ]
    words = ("SELECT", "INSERT", "UPDATE", "DELETE")
    full = [each for each in usable if each.readable and each.updatable and all(each.may(word) for word in words)]
    keyed = [each for each in full if each.table.facts.role != "root" and model.primary_key(each.table)]
    return min(keyed, key=lambda each: bool(each.table.facts.log_only), default=None)


def _probe(target: Target, way: Way) -> Probe:
    role = ident(target.model.role("app_a"))
    become = (ddl("SET LOCAL ROLE {}", role),) if way.own else ()
    texts = (AS_TENANT, TOLD, PATIENCE, *way.ready, *become, *way.own)
    return Probe(
        promise=way.promise,
        subject=target.table.key,
        attack=_filled(target, way.attack),
        expect=way.expect,
        role=target.model.role("app_a"),
        prepare=tuple(_filled(target, text) for text in texts),
        rows_in=target.place,
    )


def _filled(target: Target, text: str) -> Sql:
    model, table = target.model, target.table
    kind = trusted(model.tenant_type)
    holes = {
        "table": table.sql,
        "column": target.column,
        "other": ddl("(%(other)s::text)::{}", kind),
        "type": kind,
        "updated": ident(target.updatable),
        "columns": idents(c.column for c in table.columns if not c.generated and not c.identity),
        "key": idents(model.primary_key(table)),
        "schema": ident(table.schema),
        "owner": ident(model.role("owner")),
        "schema_text": literal(table.schema),
        "table_text": literal(table.table),
    }
    return Sql(trusted(text).format(**holes)) if "{" in text else trusted(text)


def _keys(model: Model) -> Iterator[Probe]:
    """Row security does not hold for what checks a key: one without the tenant tells whether another has the value."""
    root = next((name for name, found in model.classes.items() if found.ownership is Ownership.ROOT), None)
    owned = [table for table in owned_tables(model) if (table.schema, table.table) != root]
    if not owned:
        return
    rows = joined(ddl("({}, {})", literal(table.sql), literal(table.facts.tenant_column)) for table in owned)
    for promise, name in (
        ("every unique and exclusion key of a tenant's table holds the tenant", "list_keys_without_tenant"),
        ("every foreign key between tenants' tables holds the tenant", "list_references_without_tenant"),
    ):
        attack = fill(PACKAGE, name, owned=rows)
        yield Probe(promise=promise, subject=owned[0].key, attack=attack, expect=Returns(()))
