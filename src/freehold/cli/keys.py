"""Commands for the keys that sign the tenant context: rotate, list, retire."""

from __future__ import annotations

from typing import Annotated

import typer

from freehold.cli.keyring import read_ring, retire, rotate, stored_keys
from freehold.cli.options import Json, on_project
from freehold.cli.project import Project
from freehold.cli.render import answers, note, print_json


@on_project
def rotate_key(project: Project, json: Json = False) -> None:
    """Make a new signing key, in the database and first in the key file.

    Both keys are valid until the old one is retired: restart the application in between.
    """
    with project.connection() as connection:
        key = rotate(connection, project.config.keys)
    if json:
        print_json({"key_id": key.key_id, "file": str(project.config.keys)})
        return
    answers().print(f"{key.key_id} signs from now on", markup=False)
    note(f"It is in {project.config.keys}; restart the application, then: freehold keys retire OLD")


@on_project
def list_keys(project: Project, json: Json = False) -> None:
    """List the keys that the database knows, the newest first."""
    with project.connection() as connection:
        stored = stored_keys(connection)
    ring = read_ring(project.config.keys)
    held = [key.key_id for key in ring.keys]
    if json:
        rows = [{"key_id": k.key_id, "created_at": k.created_at, "retired_at": k.retired_at} for k in stored]
        print_json([{**row, "in_file": row["key_id"] in held, "signs": held[:1] == [row["key_id"]]} for row in rows])
        return
    for key in stored:
        place = "signs" if held[:1] == [key.key_id] else "in the file" if key.key_id in held else "not in the file"
        state = f"retired {key.retired_at:%Y-%m-%d %H:%M}" if key.retired_at else place
        answers().print(f"{key.key_id}  made {key.created_at:%Y-%m-%d %H:%M}  {state}", markup=False)
    note("No key: apply the layer, or rotate", quiet=bool(stored))


@on_project
def retire_key(
    project: Project, key_id: Annotated[str, typer.Argument(help="The key's id; see list.")], json: Json = False
) -> None:
    """Make every context of an old key invalid, at once."""
    with project.connection() as connection:
        retire(connection, project.config.keys, key_id)
    if json:
        print_json({"retired": key_id})
    else:
        answers().print(f"{key_id} is retired", markup=False)


def register(app: typer.Typer, epilog: str) -> None:
    """Add the commands."""
    group = typer.Typer(help="The keys that sign the tenant context.", no_args_is_help=True)
    group.command("rotate", epilog=epilog)(rotate_key)
    group.command("list", epilog=epilog)(list_keys)
    group.command("retire", epilog=epilog)(retire_key)
    app.add_typer(group, name="keys")
