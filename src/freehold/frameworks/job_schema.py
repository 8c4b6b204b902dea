"""Procrastinate's tables in a schema of their own, owned by the layer's owner, with the least rights for its logins."""

from __future__ import annotations

from typing import Any

import psycopg
from procrastinate.schema import SchemaManager
from psycopg import sql

from freehold.kernel.template import read_sql
from freehold.servers.faults import translated

PACKAGE = "freehold.frameworks"
SCHEMA = "procrastinate"

_PREPARE = (
    "CREATE SCHEMA IF NOT EXISTS {schema} AUTHORIZATION {owner}",
    "SET LOCAL ROLE {owner}",
    "SET LOCAL search_path = {schema}",
)
_RIGHTS = (
    # A tenant's transaction defers through this function alone, and sees no job: the tables hold those of all tenants.
    "ALTER FUNCTION {schema}.procrastinate_defer_jobs_v1 SECURITY DEFINER SET search_path = {schema}, pg_temp",
    "REVOKE ALL ON ALL ROUTINES IN SCHEMA {schema} FROM PUBLIC",
    "GRANT USAGE ON SCHEMA {schema} TO {rw}, {jobs}",
    "GRANT EXECUTE ON FUNCTION {schema}.procrastinate_defer_jobs_v1 TO {rw}",
    "GRANT EXECUTE ON ALL ROUTINES IN SCHEMA {schema} TO {jobs}",
    "GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {schema} TO {jobs}",
    "GRANT USAGE ON ALL SEQUENCES IN SCHEMA {schema} TO {jobs}",
)


@translated("install the job queue")
def install_jobs(connection: psycopg.Connection[Any], layer_name: str, *, schema: str = SCHEMA) -> bool:
    """Make Procrastinate's schema, or give an existing one its rights again, as after a migration.

    Parameters
    ----------
    connection
        The administrator's, in autocommit mode, on a database to which the layer was applied.
    layer_name
        Its roles ``<layer>_owner``, ``<layer>_rw`` and ``<layer>_jobs`` get the tables, the right to defer, and the
        rights of a worker.

    Returns
    -------
    bool
        Whether the tables were made now.
    """
    names = {name: sql.Identifier(f"{layer_name}_{name}") for name in ("owner", "rw", "jobs")}
    names["schema"] = sql.Identifier(schema)
    table = {"table": sql.Identifier(schema, "procrastinate_jobs").as_string()}
    with connection.transaction():
        for step in _PREPARE:
            connection.execute(sql.SQL(step).format(**names))
        there = connection.execute(sql.SQL(read_sql(PACKAGE, "find_job_table")), table).fetchone() == (True,)
        if not there:
            connection.execute(SchemaManager.get_schema())
        for step in _RIGHTS:
            connection.execute(sql.SQL(step).format(**names))
    return not there
