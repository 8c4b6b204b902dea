"""Ways to break a tenant's isolation, by the tables of whatever layer: each must be found by the answers alone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from freehold.kernel.names import Sql, ddl, ident, literal
from freehold.kernel.objects import Table
from torture.interference.ground import TENANTS, Twins


@dataclass(frozen=True, slots=True)
class Mutant:
    """A hole: what it is, and the statements that an administrator makes it with."""

    name: str
    harm: tuple[Sql, ...]


def mutants(twins: Twins) -> Iterator[Mutant]:
    """One for each kind of hole, on tables of the model, of history and of reports where the layer has them."""
    model = twins.layer.declared.model
    owned = [
        table
        for table in model.tables
        if table.facts.tenant_column
        and not table.parent
        and table.schema != "freehold"
        # A hole in a table without rows lets nothing through.
        and f"{table.schema}.{table.table}" not in twins.barren
    ]
    plain = [t for t in owned if t.facts.role == "model"]
    for table in [*plain[:5], *_of(owned, "history")[:2], *_of(owned, "report")[:1]]:
        yield Mutant(
            f"no row security on {table.table}", (ddl("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", table.sql),)
        )
    for table in [*plain[1:6], *_of(owned, "history")[:1]]:
        text = ddl("CREATE POLICY more ON {} FOR SELECT USING (true)", table.sql)
        yield Mutant(f"a second policy on {table.table}", (text,))
    first, second = plain[0], plain[1]
    everybody = "USING (true)"
    opened = (("select", everybody), ("update", f"{everybody} WITH CHECK (true)"), ("delete", everybody))
    for command, clause in opened:
        policy = ident(f"freehold_{command}")
        text = ddl("ALTER POLICY {} ON {} {}", policy, second.sql, Sql(clause))
        yield Mutant(f"{command} of every row of {second.table}", (text,))
    yield from _lent(first, second, twins)
    yield from _context(twins)


def _of(tables: list[Table], role: str) -> list[Table]:
    return [table for table in tables if table.facts.role == role]


def _lent(first: Table, second: Table, twins: Twins) -> Iterator[Mutant]:
    """Rights of somebody else: views, functions, materialized views, triggers, copies."""
    role = ident(twins.role)
    place = ident(first.schema)
    column = ident(first.facts.tenant_column)
    yield Mutant(
        "a view with its owner's rights",
        (
            ddl("CREATE VIEW {}.leak AS SELECT * FROM {}", place, first.sql),
            ddl("GRANT SELECT ON {}.leak TO {}", place, role),
        ),
    )
    yield Mutant(
        "a materialized view",
        (
            ddl(
                "CREATE MATERIALIZED VIEW {}.kept AS SELECT {}::text, count(*) FROM {} GROUP BY 1",
                place,
                column,
                first.sql,
            ),
            ddl("GRANT SELECT ON {}.kept TO {}", place, role),
        ),
    )
    yield Mutant(
        "a function with its owner's rights",
        (
            ddl(
                "CREATE FUNCTION {}.many() RETURNS bigint LANGUAGE sql SECURITY DEFINER"
                " SET search_path = pg_catalog, pg_temp AS 'SELECT count(*) FROM {}'",
                place,
                second.sql,
            ),
            ddl("GRANT EXECUTE ON FUNCTION {}.many() TO {}", place, role),
        ),
    )
    yield Mutant(
        "a trigger that tells",
        (
            ddl(
                "CREATE FUNCTION {}.tell() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS"
                " 'BEGIN RAISE NOTICE ''%'', (SELECT count(*) FROM {}); RETURN NULL; END'",
                place,
                second.sql,
            ),
            ddl(
                "CREATE TRIGGER tell AFTER UPDATE OR DELETE OR INSERT ON {}"
                " FOR EACH STATEMENT EXECUTE FUNCTION {}.tell()",
                second.sql,
                place,
            ),
        ),
    )
    yield Mutant(
        "a copy that nobody guards",
        (
            ddl("CREATE TABLE {}.copied AS TABLE {}", place, first.sql),
            ddl("GRANT SELECT ON {}.copied TO {}", place, role),
        ),
    )


def _context(twins: Twins) -> Iterator[Mutant]:
    kind = twins.layer.declared.model.tenant_type
    other = TENANTS[kind.lower()][1]
    yield Mutant(
        "a context that names another tenant",
        (
            ddl(
                "CREATE OR REPLACE FUNCTION freehold.tenant_v1() RETURNS {} LANGUAGE sql STABLE SECURITY DEFINER"
                " SET search_path = pg_catalog, pg_temp AS {}",
                Sql(kind),
                literal(f"SELECT '{other}'::{kind}"),
            ),
        ),
    )
