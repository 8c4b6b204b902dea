"""A tenant arrives: an archive that was not altered, into tables of the same shape, at once, and proved equal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from psycopg.rows import dict_row

from freehold.errors import ArchiveInvalid, ShapeChanged, TenantExists, TenantIncomplete
from freehold.kernel.action import record_action
from freehold.kernel.compile import Declared
from freehold.kernel.names import Sql, ddl, ident, idents, joined, literal, qualified, trusted
from freehold.kernel.template import fill, read_sql
from freehold.rooms.tenants.archive import Archive, Member, Tally
from freehold.rooms.tenants.exporter import copied
from freehold.rooms.tenants.live import PACKAGE, Connection, Live, columns_of, pin
from freehold.rooms.tenants.owned import Owned, owned_tables

Columns = Mapping[tuple[str, str], tuple[Live, ...]]


def import_tenant(connection: Connection, declared: Declared, path: Path, *, expected: str = "") -> Archive:
    """Bring an archive's tenant into another database of the same layer.

    The archive is read once in whole and compared with its manifest before the first row goes in. Triggers do not fire
    (``session_replication_role``), since what they wrote comes along; the server checks keys, unique values, periods
    and conditions as ever, foreign keys are checked by query, and before COMMIT every table's rows are read back and
    must have the manifest's hash. Either all is there or nothing.

    Parameters
    ----------
    connection
        A superuser's, or of a role that may set ``session_replication_role``; outside a transaction.
    expected
        The digest that the export printed.

    Raises
    ------
    ArchiveInvalid
        It was altered, is none, or is of another layer.
    ShapeChanged
        A table or a column differs from those of the archive.
    TenantExists
        The database has rows of this tenant.
    TenantIncomplete
        Rows refer to shared rows that this database lacks, or what is stored is not what the archive has.
    PartitionMissing
        A row has no partition here.
    """
    with Archive(path) as archive:
        archive.verify(expected)
        _check_layer(archive, declared)
        tables = {owned.name: owned for owned in owned_tables(declared.model)}
        with connection.transaction():
            pin(connection)
            live = columns_of(connection, tables.values())
            wanted = matched(archive, tables, live)
            _refuse_present(connection, tables, archive.manifest.tenant)
            connection.execute("SET LOCAL session_replication_role = 'replica'")
            for member, owned in wanted:
                load(connection, owned.sql, member, archive)
            _check_references(connection, [owned for _, owned in wanted], archive.manifest.tenant)
            for member, owned in wanted:
                check_stored(connection, owned, live[owned.name], member, archive.manifest.tenant)
                _move_sequences(connection, owned, live[owned.name], archive.manifest.tenant)
            record_action(connection, "tenant", archive.manifest.tenant, "import", {"digest": archive.manifest.digest})
    return archive


def _check_layer(archive: Archive, declared: Declared) -> None:
    if archive.manifest.layer != declared.model.layer:
        raise ArchiveInvalid(
            f"{archive.path} is of the layer {archive.manifest.layer}, and this one is {declared.model.layer}",
            hint="Import it where its layer is.",
        )


def matched(archive: Archive, tables: Mapping[tuple[str, str], Owned], live: Columns) -> list[tuple[Member, Owned]]:
    """Each member with its table, those that stay in their database left out; parents first."""
    told = {(member.schema, member.table): member for member in archive.manifest.members}
    differences = list(_differences(told, tables, live))
    if differences:
        raise ShapeChanged(
            f"The tables have changed since tenant {archive.manifest.tenant} was exported",
            detail="; ".join(differences),
            hint="Restore into a database of the declaration of that time, apply today's there, and export again.",
        )
    return [(told[name], owned) for name, owned in tables.items() if name in told and not told[name].stays]


def _differences(
    told: Mapping[tuple[str, str], Member], tables: Mapping[tuple[str, str], Owned], live: Columns
) -> Iterator[str]:
    for name, member in told.items():
        if name not in tables:
            if member.rows:
                yield f"{member.title} is not in the layer"
            continue
        here = {column.name: column.type for column in live[name] if not column.generated}
        there = dict(member.columns)
        yield from (f"{member.title}.{column} is gone" for column in there if column not in here)
        yield from (f"{member.title}.{column} is new" for column in here if column not in there)
        yield from (
            f"{member.title}.{column} was {there[column]} and is {kind}"
            for column, kind in here.items()
            if there.get(column, kind) != kind
        )


def _refuse_present(connection: Connection, tables: Mapping[tuple[str, str], Owned], tenant: str) -> None:
    for owned in tables.values():
        query = ddl("SELECT EXISTS (SELECT FROM {} AS t WHERE {})", owned.sql, owned.of(tenant))
        if not owned.table.facts.lasting and _one(connection, query):
            raise TenantExists(
                f"Tenant {tenant} has rows in {owned.title} already",
                hint="Import into a database without it, erase it, or restore its slice: freehold tenant restore.",
            )


def load(connection: Connection, table: Sql, member: Member, archive: Archive) -> None:
    """Bring a member's rows into a table."""
    names = idents(name for name, _ in member.columns)
    with connection.cursor() as cursor, cursor.copy(ddl("COPY {} ({}) FROM STDIN", table, names).encode()) as copy:
        for piece in archive.pieces(member):
            copy.write(piece)


def _check_references(connection: Connection, tables: list[Owned], tenant: str) -> None:
    by_name = {owned.name: owned for owned in tables}
    with connection.cursor(row_factory=dict_row) as cursor:
        names = ([owned.name[0] for owned in tables], [owned.name[1] for owned in tables])
        keys = cursor.execute(read_sql(PACKAGE, "list_foreign_keys"), names).fetchall()
    for key in keys:
        schema, table = key["child"]
        owned = by_name[schema, table]
        pairs = list(zip(key["columns"], key["referred"], strict=True))
        query = fill(
            PACKAGE,
            "count_orphans",
            child=owned.sql,
            parent=qualified(*key["parent"]),
            of_tenant=owned.of(tenant),
            given=joined((ddl("t.{} IS NOT NULL", ident(down)) for down, _ in pairs), " AND "),
            same=joined((ddl("p.{} = t.{}", ident(up), ident(down)) for down, up in pairs), " AND "),
        )
        missing = _one(connection, query)
        if missing:
            parent = ".".join(key["parent"])
            raise TenantIncomplete(
                f"{missing:,} rows of {owned.title} refer to rows of {parent} that this database lacks",
                detail=f"By {key['name']}, {', '.join(key['columns'])}.",
                hint="Bring the shared rows first; nothing was imported.",
            )


def check_stored(connection: Connection, owned: Owned, live: tuple[Live, ...], member: Member, tenant: str) -> None:
    """Read a tenant's rows back.

    Raises
    ------
    TenantIncomplete
        They are not what the archive has.
    """
    columns = {column.name: column for column in live}
    tally = Tally()
    for piece in copied(connection, owned, tuple(columns[name] for name, _ in member.columns), tenant):
        tally.add(piece)
    if not tally.of(member):
        raise TenantIncomplete(
            f"{owned.title} does not hold what the archive has",
            detail=f"{tally.rows:,} rows of {member.rows:,}; the texts differ.",
            hint="Something in the database changes rows as they arrive. Nothing was imported.",
        )


def _move_sequences(connection: Connection, owned: Owned, live: tuple[Live, ...], tenant: str) -> None:
    """Past the numbers that came along, so that the next row does not meet one of them."""
    for column in live:
        if column.sequence:
            query = fill(
                PACKAGE,
                "move_sequence",
                sequence=literal(column.sequence),
                sequence_table=trusted(column.sequence),
                column=ident(column.name),
                table=owned.sql,
                of_tenant=owned.of(tenant),
            )
            connection.execute(query.encode())


def _one(connection: Connection, query: Sql) -> int:
    row = connection.execute(query.encode()).fetchone()
    return int(row[0]) if row else 0
