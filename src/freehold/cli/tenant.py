"""Commands for one tenant: export, import, erase, restore, clone."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.options import Json, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json, watching
from freehold.errors import InputError
from freehold.operations import check_server, declaration_digest
from freehold.rooms.tenants.archive import Manifest
from freehold.rooms.tenants.clone import clone_tenant
from freehold.rooms.tenants.erase import Erased, erase_tenant, holds_on
from freehold.rooms.tenants.exporter import export_tenant
from freehold.rooms.tenants.importer import import_tenant
from freehold.rooms.tenants.restore import restore_tenant
from freehold.servers import connect

Tenant = Annotated[str, typer.Argument(help="The tenant's id.")]
Target = Annotated[Path, typer.Argument(help="The archive.")]
Confirmed = Annotated[str, typer.Option("--confirm", help="The tenant's id once more: nothing brings the rows back.")]
Digest = Annotated[str, typer.Option("--digest", help="What the export printed; another archive is refused.")]
RESTORED = "URL of the restored database, as an administrator."
COPY = "URL of the database that gets the copy, as a superuser."
From = Annotated[str, typer.Option("--from", help=RESTORED)]
To = Annotated[str, typer.Option("--to", help=COPY)]
NewId = Annotated[str, typer.Option("--as", help="The id that the clone gets.")]


@on_project
def export(project: Project, tenant: Tenant, archive: Target, json: Json = False) -> None:
    """Write all that a tenant has into one file, in one snapshot; no writer waits."""
    with project.connection() as connection:
        manifest = export_tenant(
            connection, project.declared, tenant, archive, digest=declaration_digest(project.declared)
        )
    _told(manifest, json=json)
    note(f"Everything that tenant {tenant} has can be read in {archive}: keep it like the database.", quiet=json)


@on_project
def bring(project: Project, archive: Target, digest: Digest = "", json: Json = False) -> None:
    """Bring an archive's tenant into this database: judged before, compared after, all or nothing."""
    with project.connection() as connection:
        found = import_tenant(connection, project.declared, archive, expected=digest)
    _told(found.manifest, json=json)


@on_project
def erase(project: Project, tenant: Tenant, confirm: Confirmed = "", json: Json = False) -> None:
    """Delete every row of a tenant, in batches, and ask the whole catalog whether one is left.

    Without --confirm it says what it would meet. One that is cut short is finished by the same command.
    """
    with project.connection() as connection, watching() as listener:
        if confirm != tenant:
            held = holds_on(connection, project.declared, tenant)
            raise InputError(
                f"Tenant {tenant} was not erased: --confirm {confirm!r} is not its id",
                detail="; ".join(f"The law keeps {each.rows:,} rows of {each.table}: {each.because}" for each in held),
                hint=f"Export it if its rows may be wanted, then say --confirm {tenant}.",
            )
        done = erase_tenant(connection, project.declared, tenant, listener=listener)
    _erased(done, json=json)


@on_project
def restore(project: Project, tenant: Tenant, from_: From, json: Json = False) -> None:
    """Bring a tenant's rows back to what a restored server has; no other tenant's row is touched."""
    with project.connection() as living, _other(from_) as restored:
        done = restore_tenant(living, restored, project.declared, tenant)
    if json:
        print_json(asdict(done))
        return
    text = f"{done.inserted:,} rows inserted, {done.updated:,} changed back, {done.deleted:,} deleted"
    answers().print(f"Tenant {tenant} is as it was at {done.taken_at}: {text}", markup=False)


@on_project
def clone(project: Project, tenant: Tenant, to: To, as_: NewId = "", json: Json = False) -> None:
    """Copy a tenant into another database with its declared columns masked, without keys and messages."""
    with project.connection() as source, _other(to) as target:
        manifest = clone_tenant(source, target, project.declared, tenant, as_tenant=as_)
    _told(manifest, json=json)


def _other(url: str) -> Connection:
    connection = connect(url, autocommit=True)
    check_server(connection)
    return connection


def _told(manifest: Manifest, *, json: bool) -> None:
    if json:
        print_json({"digest": manifest.digest, **asdict(manifest)})
        return
    width = max(len(member.title) for member in manifest.members)
    for member in manifest.members:
        stays = f"  to be read only: {member.stays}" if member.stays else ""
        if member.rows:
            answers().print(f"{member.title:<{width}}  {member.rows:>12,} rows{stays}", markup=False)
    answers().print(f"{manifest.rows:,} rows of tenant {manifest.tenant}, digest {manifest.digest}", markup=False)


def _erased(done: Erased, *, json: bool) -> None:
    if json:
        print_json(asdict(done))
        return
    for table, rows in done.deleted.items():
        answers().print(f"{table}  {rows:,} rows deleted", markup=False)
    for left in done.kept:
        answers().print(f"{left.table}  {left.rows:,} rows kept: {left.because}", markup=False)
    answers().print(f"No other row of tenant {done.tenant} is in {done.searched} tables", markup=False)
    note("Backups still have it, until they expire; what was exported, wherever it is.")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the group of commands."""
    group = typer.Typer(help="Export, import, erase, restore and clone one tenant.", no_args_is_help=True)
    for name, command in {
        "export": export,
        "import": bring,
        "erase": erase,
        "restore": restore,
        "clone": clone,
    }.items():
        group.command(name, epilog=epilog)(command)
    app.add_typer(group, name="tenant")
