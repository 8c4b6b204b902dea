"""One tenant is brought back to what a restored server has, next to the living others, by ordinary writes."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from psycopg.rows import dict_row

from freehold.errors import TenantIncomplete
from freehold.kernel.action import record_action
from freehold.kernel.compile import Declared
from freehold.kernel.names import Sql, ddl, ident, idents, joined, qualified
from freehold.kernel.template import fill, read_sql
from freehold.rooms.tenants.archive import Archive, Member
from freehold.rooms.tenants.exporter import export_tenant
from freehold.rooms.tenants.importer import check_stored, load, matched
from freehold.rooms.tenants.live import PACKAGE, Connection, columns_of, pin
from freehold.rooms.tenants.owned import Owned, owned_tables

PASSES = 3
"""How often rows are compared again: a derived column moves while the rows it is derived from come back."""


@dataclass(frozen=True, slots=True)
class Restored:
    """How many rows were inserted, changed back, and deleted because they were not there."""

    tenant: str
    taken_at: str
    inserted: int
    updated: int
    deleted: int


@dataclass(frozen=True)
class _Slice:
    """One table: the tenant's rows now, and beside them in a temporary table those of the restored server."""

    owned: Owned
    then: Sql
    columns: tuple[str, ...]
    tenant: str

    def same(self) -> Sql:
        """The condition that a row now is a row then."""
        return joined((ddl("t.{0} = r.{0}", ident(name)) for name in self.owned.key), " AND ")

    @property
    def plain(self) -> list[str]:
        """The columns beside the key."""
        return [name for name in self.columns if name not in self.owned.key]

    def update(self) -> Sql:
        """Change back what differs."""
        plain = self.plain
        row, then = (joined(ddl("{}.{}", ident(alias), ident(name)) for name in plain) for alias in ("t", "r"))
        return fill(
            PACKAGE,
            "update_slice",
            table=self.owned.sql,
            then=self.then,
            values=joined(ddl("{0} = r.{0}", ident(name)) for name in plain),
            same=self.same(),
            of_tenant=self.owned.of(self.tenant),
            row=row,
            then_row=then,
        )

    def insert(self) -> Sql:
        """Write again what is missing."""
        return fill(
            PACKAGE,
            "insert_slice",
            table=self.owned.sql,
            then=self.then,
            columns=idents(self.columns),
            then_columns=joined(ddl("r.{}", ident(name)) for name in self.columns),
            same=self.same(),
        )

    def delete(self, unless: Sequence[Sql] = ()) -> Sql:
        """Delete what was not there, unless it is referred to."""
        return fill(
            PACKAGE,
            "delete_slice",
            table=self.owned.sql,
            then=self.then,
            of_tenant=self.owned.of(self.tenant),
            same=self.same(),
            unless=joined(unless, " ") if unless else Sql(""),
        )


def restore_tenant(living: Connection, restored: Connection, declared: Declared, tenant: str) -> Restored:
    """Make a tenant's rows what they are on a restored server; nobody else's row is touched.

    The model's tables are compared row by row and brought back in one transaction by INSERT, UPDATE and DELETE with all
    triggers on: history and audit record it, constraints judge it. Past and deleted rows, reports, outcomes and
    messages stay those of the living database. A superuser's restore may set a status back and write derived columns;
    at the end every table must have the restored server's hash.

    Parameters
    ----------
    living
        A superuser's connection to the database in use, outside a transaction.
    restored
        An administrator's connection to a server that was restored to the moment that is wanted.

    Raises
    ------
    TenantUnknown
        The restored server has no row of the tenant.
    ShapeChanged
        Tables have changed since that moment.
    TenantIncomplete
        The rows cannot be made equal; nothing was changed.
    """
    with tempfile.TemporaryDirectory(prefix="freehold-") as folder:
        path = Path(folder) / "tenant.zip"
        manifest = export_tenant(
            restored, declared, tenant, path, leave_out=lambda owned: owned.role not in ("root", "model"), action=""
        )
        with Archive(path) as archive, living.transaction():
            pin(living)
            tables = {owned.name: owned for owned in owned_tables(declared.model)}
            live = columns_of(living, tables.values())
            wanted = matched(archive, tables, live)
            living.execute("SET LOCAL freehold.proof = 'restore'")
            living.execute("SET LOCAL row_security = 'on'")  # triggers run with their owners' rights and policies
            slices = [_staged(living, archive, number, *each) for number, each in enumerate(wanted)]
            counts = _replace(living, slices)
            for member, owned in wanted:
                check_stored(living, owned, live[owned.name], member, tenant)
            record_action(living, "tenant", tenant, "restore", {"taken_at": manifest.taken_at, **counts})
    return Restored(tenant, manifest.taken_at, **counts)


def _staged(connection: Connection, archive: Archive, number: int, member: Member, owned: Owned) -> _Slice:
    then = ddl("pg_temp.{}", ident(f"freehold_restore_{number}"))
    create = ddl(
        "CREATE TEMPORARY TABLE {} ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA", *_names(then, member, owned)
    )
    connection.execute(create.encode())
    load(connection, then, member, archive)
    connection.execute(ddl("ANALYZE {}", then).encode())
    return _Slice(owned, then, tuple(name for name, _ in member.columns), archive.manifest.tenant)


def _names(then: Sql, member: Member, owned: Owned) -> tuple[Sql, Sql, Sql]:
    return then, idents(name for name, _ in member.columns), owned.sql


def _replace(connection: Connection, slices: Sequence[_Slice]) -> dict[str, int]:
    """Free what unique keys need, write parents first, then remove children first what is referred to no longer."""
    referring = _referring(connection, slices)
    deleted = sum(_run(connection, each.delete(referring.get(each.owned.title, ()))) for each in reversed(slices))
    updated = inserted = 0
    for each in slices:
        inserted += _run(connection, each.insert())
        updated += _update(connection, each)
    deleted += sum(_run(connection, each.delete()) for each in reversed(slices))
    for _ in range(PASSES):
        again = sum(_update(connection, each) for each in slices)
        if not again:
            return {"inserted": inserted, "updated": updated, "deleted": deleted}
        updated += again
    raise TenantIncomplete(
        "The tenant's rows do not come to rest",
        hint="A trigger of the application changes rows whenever they are written. Nothing was changed.",
    )


def _referring(connection: Connection, slices: Sequence[_Slice]) -> Mapping[str, Sequence[Sql]]:
    """For each table the conditions that no row of the slice's other tables refers to a row."""
    names = ([each.owned.name[0] for each in slices], [each.owned.name[1] for each in slices])
    titles = {each.owned.name: each.owned.title for each in slices}
    found: dict[str, list[Sql]] = {}
    with connection.cursor(row_factory=dict_row) as cursor:
        for key in cursor.execute(read_sql(PACKAGE, "list_foreign_keys"), names):
            pairs = zip(key["columns"], key["referred"], strict=True)
            same = joined((ddl("c.{} = t.{}", ident(down), ident(up)) for down, up in pairs), " AND ")
            condition = ddl("AND NOT EXISTS (SELECT FROM {} AS c WHERE {})", qualified(*key["child"]), same)
            parent = titles.get(tuple(key["parent"]))
            if parent:
                found.setdefault(parent, []).append(condition)
    return found


def _update(connection: Connection, each: _Slice) -> int:
    return _run(connection, each.update()) if each.plain else 0


def _run(connection: Connection, statement: Sql) -> int:
    return connection.execute(statement.encode()).rowcount
