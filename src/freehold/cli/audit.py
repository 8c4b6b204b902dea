"""Commands for the audit: make a key, seal, verify, show."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from psycopg.rows import dict_row

from freehold.cli.keyring import query
from freehold.cli.options import Json, Status, on_project
from freehold.cli.project import Project
from freehold.cli.render import answers, note, print_json
from freehold.errors import InputError
from freehold.rooms.audit import Audit
from freehold.rooms.audit.anchor import FileAnchor
from freehold.rooms.audit.keys import key_id, make_key, read_private, read_public
from freehold.rooms.audit.sealing import seal
from freehold.rooms.audit.verifier import verify

KeyFile = Annotated[Path, typer.Option("--key", help="The file of the private key that signs.")]
PublicFiles = Annotated[list[Path], typer.Option("--public-key", help="A public key that may have signed; repeatable.")]
AnchorFile = Annotated[Path, typer.Option("--anchor", help="The file outside the database that keeps the seals.")]
KEY, PUBLIC, ANCHOR = Path(".freehold/audit.key"), [Path(".freehold/audit.key.pub")], Path(".freehold/audit.anchor")


@on_project
def make_audit_key(project: Project, key: KeyFile = KEY, json: Json = False) -> None:
    """Make the key that signs seals, and its public half beside it."""
    made = key_id(make_key(key))
    if json:
        print_json({"key_id": made, "file": str(key), "public": f"{key}.pub"})
        return
    answers().print(f"{made} is in {key}", markup=False)
    note(f"Keep it where the database's administrators cannot read it; give {key}.pub to whoever judges.")


@on_project
def seal_entries(project: Project, key: KeyFile = KEY, anchor: AnchorFile = ANCHOR, json: Json = False) -> None:
    """Seal what ended transactions have recorded, and anchor the seals; for a scheduler."""
    _refuse_without(project)
    with project.connection() as connection:
        done = seal(connection, read_private(key), FileAnchor(anchor))
    if json:
        print_json(asdict(done))
        return
    answers().print(f"{done.entries:,} entries sealed, {done.anchored} seals anchored in {anchor}", markup=False)


@on_project
def verify_entries(
    project: Project, public_key: PublicFiles = PUBLIC, anchor: AnchorFile = ANCHOR, json: Json = False
) -> None:
    """Judge entries and seals by the anchor; exit status 1 where something was altered."""
    _refuse_without(project)
    started = time.monotonic()
    with project.connection() as connection:
        judged = verify(connection, FileAnchor(anchor), [read_public(file) for file in public_key])
    if json:
        print_json({**asdict(judged), "sound": judged.sound})
    else:
        for found in judged.findings:
            where = f"entry {found.entry} of seal {found.seal}" if found.entry is not None else f"seal {found.seal}"
            answers().print(f"{where}: {found.what}", markup=False)
        told = "sound" if judged.sound else f"{len(judged.findings)} faults"
        text = f"{judged.entries:,} entries in {judged.seals} seals: {told}  {time.monotonic() - started:.1f} s"
        answers().print(text, markup=False)
        note(f"{judged.unanchored} seals are not anchored yet", quiet=not judged.unanchored)
    if not judged.sound:
        raise typer.Exit(Status.BROKEN)


@on_project
def show_entries(
    project: Project,
    object: Annotated[str, typer.Option("--object", help="Only of this table or object, such as shop.invoice.")] = "",
    actor: Annotated[str, typer.Option("--actor", help="Only what this actor did.")] = "",
    most: Annotated[int, typer.Option("--most", help="How many, the newest first.")] = 20,
    json: Json = False,
) -> None:
    """Show the newest entries."""
    _refuse_without(project)
    chosen: dict[str, Any] = {"object": object or None, "actor": actor or None, "most": most}
    with project.connection() as connection, connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(query("list_audit"), chosen).fetchall()
    if json:
        print_json([{**row, "at": row["at"].isoformat(), "transaction_id": str(row["transaction_id"])} for row in rows])
        return
    for row in rows:
        what = f"{row['id']}  {row['at']:%Y-%m-%d %H:%M:%S}  {row['actor']}  {row['action']}  {row['object']}"
        answers().print(
            f"{what}  {row['key'] or ''}  {row['before'] or ''}  {row['after'] or ''}".rstrip(), markup=False
        )
    note("No entry", quiet=bool(rows))


def _refuse_without(project: Project) -> None:
    if not any(project.layer.of_type(Audit)):
        raise InputError("The layer declares no audit", hint="Add Audit(...) to it, and apply.")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="Who did what: seal it, verify it, show it.", no_args_is_help=True)
    group.command("key", epilog=epilog)(make_audit_key)
    group.command("seal", epilog=epilog)(seal_entries)
    group.command("verify", epilog=epilog)(verify_entries)
    group.command("show", epilog=epilog)(show_entries)
    app.add_typer(group, name="audit")
