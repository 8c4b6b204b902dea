"""A tenant leaves: every row of one snapshot, table by table, straight from the server into the archive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from freehold.errors import TenantUnknown
from freehold.kernel.action import record_action
from freehold.kernel.compile import Declared
from freehold.kernel.names import Sql, ddl, ident, idents, joined
from freehold.kernel.template import read_sql
from freehold.rooms.tenants.archive import Manifest, Member, Writer
from freehold.rooms.tenants.live import PACKAGE, Connection, Live, check_tenant, columns_of, pin
from freehold.rooms.tenants.owned import Owned, owned_tables

Rewrite = Callable[[Owned, tuple[Live, ...], Iterator[bytes]], Iterator[bytes]]
"""Changes the lines of a table as they pass by."""


def export_tenant(
    connection: Connection,
    declared: Declared,
    tenant: str,
    path: Path,
    *,
    digest: str = "",
    rewrite: Rewrite | None = None,
    leave_out: Callable[[Owned], bool] = lambda owned: False,
    written_as: str = "",
    action: str = "export",
) -> Manifest:
    """Write all that a tenant has into one file: live, deleted and past rows, reports, outcomes, wrapped keys, entries.

    It is one snapshot; writers are not held up, and nothing is held in memory but a piece of one table. An export that
    is cut short leaves no archive; run it again.

    Parameters
    ----------
    connection
        The administrator's, outside a transaction.
    tenant
        The id as text.
    path
        The archive; an older one of that name is replaced when the new one is whole.
    digest
        The declaration's, for the manifest.
    rewrite, leave_out, written_as
        What a clone changes: lines, tables, and the tenant's id in the manifest.
    action
        What the audit of this database is told, before the archive gets its name; empty where nothing leaves it.
        A standby cannot write, and records nothing.

    Raises
    ------
    TenantUnknown
        No table has a row of that tenant.
    InputError
        The text is no id.
    OSError
        The file cannot be written.
    """
    tables = [owned for owned in owned_tables(declared.model) if not owned.counts_again and not leave_out(owned)]
    check_tenant(connection, tenant, declared.model.tenant_type)
    with Writer(path) as writer:
        with connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
            pin(connection)
            columns = columns_of(connection, tables)
            head = connection.execute(read_sql(PACKAGE, "read_moment")).fetchone() or ("", "")
            members = []
            for owned in tables:
                live = tuple(column for column in columns[owned.name] if not column.generated)
                pieces = copied(connection, owned, live, tenant)
                tally = writer.member(f"{owned.title}.copy", rewrite(owned, live, pieces) if rewrite else pieces)
                members.append(
                    Member(
                        *owned.name,
                        owned.column,
                        tuple((column.name, column.type) for column in live),
                        tally.rows,
                        tally.bytes,
                        tally.sha.hexdigest(),
                        owned.table.facts.stays,
                    )
                )
            if not any(member.rows for member in members):
                raise TenantUnknown(
                    f"No table has a row of tenant {tenant}", hint="Compare the id with the tenants that there are."
                )
            manifest = Manifest(
                layer=declared.model.layer,
                declaration=digest,
                tenant=written_as or tenant,
                server_version=connection.info.server_version,
                taken_at=head[0],
                lsn=head[1],
                masked=rewrite is not None,
                members=tuple(members),
            )
        with connection.transaction():
            if action and connection.execute("SELECT pg_catalog.pg_is_in_recovery()").fetchone() == (False,):
                record_action(connection, "tenant", tenant, action, {"digest": manifest.digest, "rows": manifest.rows})
        writer.finish(manifest)
    return manifest


def copied(connection: Connection, owned: Owned, columns: tuple[Live, ...], tenant: str) -> Iterator[bytes]:
    """The tenant's rows of a table as COPY writes them, in the order of their key."""
    with connection.cursor() as cursor, cursor.copy(rows_out(owned, columns, tenant).encode()) as copy:
        for piece in copy:
            yield bytes(piece)


def rows_out(owned: Owned, columns: tuple[Live, ...], tenant: str) -> Sql:
    """The COPY statement."""
    names = joined(ddl("t.{}", ident(column.name)) for column in columns)
    order = joined(ddl("t.{}", ident(name)) for name in owned.key) if owned.key else idents([owned.column])
    return ddl(
        "COPY (SELECT {} FROM {} AS t WHERE {} ORDER BY {}) TO STDOUT", names, owned.sql, owned.of(tenant), order
    )
