"""A tenant is erased everywhere, unless the law holds some of it, and the whole catalog is asked whether it is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from freehold.errors import TenantHeld, TenantIncomplete, TenantUnknown
from freehold.events import Listener, Progress, ignore
from freehold.kernel.action import record_action
from freehold.kernel.compile import Declared
from freehold.kernel.names import Sql, ddl, ident, joined, literal, qualified, trusted
from freehold.kernel.template import fill, read_sql
from freehold.rooms.tenants.declare import LegalHold
from freehold.rooms.tenants.hold import held
from freehold.rooms.tenants.live import PACKAGE, Connection, check_tenant, pin
from freehold.rooms.tenants.owned import Owned, owned_tables

BATCH = 10_000
"""Rows that one transaction deletes, so that no lock is held for long and vacuum keeps up."""


@dataclass(frozen=True)
class Held:
    """Rows of a table that a declaration holds."""

    table: str
    rows: int
    because: str


@dataclass(frozen=True)
class Left:
    """Rows that are still there: of a table that keeps them, or of one that nobody declared."""

    table: str
    column: str
    rows: int
    because: str = ""


@dataclass(frozen=True)
class Erased:
    """What was deleted from each table, how many tables were searched, and what is kept with its reason."""

    tenant: str
    deleted: dict[str, int]
    searched: int
    kept: tuple[Left, ...] = ()

    @property
    def rows(self) -> int:
        """All rows that were deleted."""
        return sum(self.deleted.values())


def holds_on(connection: Connection, declared: Declared, tenant: str) -> list[Held]:
    """What the declared holds keep of a tenant."""
    found = []
    tables = {owned.name: owned for owned in owned_tables(declared.model)}
    for rule in (item for item in declared.model.declarations if isinstance(item, LegalHold)):
        owned = tables[rule.table]
        query = ddl("SELECT count(*) FROM {} AS t WHERE {} AND {}", owned.sql, owned.of(tenant), held(rule, Sql("t")))
        row = connection.execute(query.encode()).fetchone()
        if row and row[0]:
            found.append(Held(rule.title, row[0], rule.because))
    return found


def erase_tenant(
    connection: Connection, declared: Declared, tenant: str, *, batch: int = BATCH, listener: Listener = ignore
) -> Erased:
    """Delete every row of a tenant: live, deleted, past, reports, messages, outcomes, keys.

    Children go before parents, ``batch`` rows in a transaction; what is cut short is finished by the same call.
    Triggers do not fire, since what they would write is deleted too. The last transaction locks the tenant's own row,
    deletes what came in meanwhile and that row, and proves it: every table, materialized view and foreign table of the
    database that has a column with the tenant column's name and type, strangers too, is asked for the tenant's rows.

    Parameters
    ----------
    connection
        A superuser's, or of a role that may set ``session_replication_role``; in autocommit mode.
    batch
        Rows in a transaction.

    Raises
    ------
    TenantHeld
        A declared `LegalHold` keeps rows; nothing was deleted.
    TenantUnknown
        There is no row of that tenant.
    TenantIncomplete
        Rows are left in a table that the layer does not know; the last transaction was rolled back.
    """
    tables = tuple(reversed(owned_tables(declared.model)))
    check_tenant(connection, tenant, declared.model.tenant_type)
    with connection.transaction():
        pin(connection)
        _refuse_held(connection, declared, tenant)
    gone = [owned for owned in tables if not owned.table.facts.lasting]
    deleted = {owned.title: 0 for owned in gone}
    for owned in (each for each in gone if each.role != "root"):
        for leaf in _leaves(connection, owned):
            while count := _delete(connection, _going(declared, owned, tenant), leaf, batch):
                deleted[owned.title] += count
                listener(Progress(f"rows of {owned.title} erased", deleted[owned.title], 0))
    with connection.transaction():
        pin(connection)
        connection.execute("SET LOCAL session_replication_role = 'replica'")
        for owned in gone:
            if owned.role == "root":
                query = ddl("SELECT FROM {} AS t WHERE {} FOR UPDATE", owned.sql, owned.of(tenant))
                connection.execute(query.encode())
        _refuse_held(connection, declared, tenant)  # no row of the tenant can come in any more
        for owned in gone:
            query = ddl("DELETE FROM {} AS t WHERE {}", owned.sql, owned.of(tenant))
            deleted[owned.title] += connection.execute(query.encode()).rowcount
        kept, searched = _search(connection, declared, tables, tenant)
        if not any(deleted.values()) and not kept:
            raise TenantUnknown(f"No table has a row of tenant {tenant}", hint="It may have been erased before.")
        done = Erased(tenant, {title: rows for title, rows in deleted.items() if rows}, searched, kept)
        record_action(connection, "tenant", tenant, "erase", {"deleted": done.deleted, "searched": searched})
    return done


def _refuse_held(connection: Connection, declared: Declared, tenant: str) -> None:
    found = holds_on(connection, declared, tenant)
    if found:
        raise TenantHeld(
            f"Tenant {tenant} cannot be erased: the law keeps rows of it",
            detail="; ".join(f"{each.rows:,} rows of {each.table}: {each.because}" for each in found),
            hint="Erase it when they are free, or take the hold out of the declaration. Nothing was deleted.",
        )


def _leaves(connection: Connection, owned: Owned) -> list[str]:
    """The table, or its partitions: a row's place is unique in one of them alone."""
    return [name for (name,) in connection.execute(read_sql(PACKAGE, "list_leaves"), (owned.sql, owned.sql))]


def _going(declared: Declared, owned: Owned, tenant: str) -> Sql:
    """The tenant's rows but those that are held: one may come in meanwhile."""
    rules = [rule for rule in declared.model.declarations if isinstance(rule, LegalHold) and rule.table == owned.name]
    return joined([owned.of(tenant), *(ddl("NOT ({})", held(rule, Sql("t"))) for rule in rules)], " AND ")


def _delete(connection: Connection, going: Sql, leaf: str, batch: int) -> int:
    query = fill(PACKAGE, "delete_batch", table=trusted(leaf), going=going, batch=trusted(str(int(batch))))
    with connection.transaction():
        pin(connection)
        connection.execute("SET LOCAL session_replication_role = 'replica'")
        return connection.execute(query.encode()).rowcount


def _search(
    connection: Connection, declared: Declared, tables: Iterable[Owned], tenant: str
) -> tuple[tuple[Left, ...], int]:
    """What is left of the tenant anywhere, with the reason; a stranger's rows are refused."""
    lasting = {owned.name: owned.table.facts.lasting for owned in tables if owned.table.facts.lasting}
    places = dict.fromkeys((*owned.name, owned.column, owned.type) for owned in tables)
    kind = declared.model.tenant_type
    names = sorted({owned.column for owned in tables if owned.type == kind and owned.role != "root"})
    canonical = connection.execute("SELECT format_type(CAST(%s AS regtype), NULL)", (kind,)).fetchone() or (kind,)
    for schema, table, column in connection.execute(read_sql(PACKAGE, "list_holders"), (names, canonical[0])):
        places.setdefault((schema, table, column, kind))
    left = []
    for schema, table, column, type_ in places:
        condition = ddl("t.{} = {}::{}", ident(column), literal(tenant), trusted(type_))
        query = ddl("SELECT count(*) FROM {} AS t WHERE {}", qualified(schema, table), condition)
        row = connection.execute(query.encode()).fetchone()
        if row and row[0]:
            left.append(Left(f"{schema}.{table}", column, row[0], lasting.get((schema, table), "")))
    strangers = [each for each in left if not each.because]
    if strangers:
        raise TenantIncomplete(
            f"Rows of tenant {tenant} are in tables that the layer does not know",
            detail="; ".join(f"{each.rows:,} rows of {each.table} by {each.column}" for each in strangers),
            hint="Declare these tables, or delete the rows by hand; then run the same again.",
        )
    return tuple(left), len(places)
