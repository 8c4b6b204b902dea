"""The command that takes over a database as it is."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from freehold.adopt import Adoption, adopt
from freehold.adopt.left import lines
from freehold.cli.options import Json
from freehold.cli.render import note, print_json
from freehold.errors import InputError
from freehold.servers import AddressServer

Address = Annotated[str, typer.Argument(metavar="URL", help="The database, with a login that may create databases.")]
Target = Annotated[Path, typer.Option("--to", help="The folder to write: a new one, or one without files.")]
Name = Annotated[str, typer.Option("--name", help="The layer's name; the database's where it is not given.")]


def adopt_database(url: Address, to: Target, name: Name = "", json: Json = False) -> None:
    """Write models and a layer for a database that exists; its first plan is empty, and the database is only read.

    What no model can tell is kept in the layer as it is. What neither can tell is left alone, and named.
    """
    _refuse_files(to)
    with AddressServer(url).connect(autocommit=True) as connection:
        made = adopt(connection, _configuration(), name=name)
    _write(to, made)
    if json:
        print_json(_as_dict(made, to))
        return
    print(to)
    _tell(made)


def _configuration() -> str:
    text = files(__package__).joinpath("templates", "freehold.toml.tmpl").read_text(encoding="utf-8")
    return Template(text).substitute()


def _refuse_files(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise InputError(f"{folder} is there already and not empty; nothing was written", hint="Choose another folder.")


def _write(folder: Path, made: Adoption) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in made.files.items():
            (folder / file).write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written", detail=str(error), hint="Choose a folder that you may write to."
        ) from error


def _as_dict(made: Adoption, folder: Path) -> dict[str, object]:
    guess = made.guess
    return {
        "folder": str(folder),
        "files": list(made.files),
        "tables": made.tables,
        "left_alone": [{"object": str(key), "reason": reason} for key, reason in sorted(made.left.items())],
        "tenants": {"root": guess.root, "column": guess.column, "tables": guess.tables} if guess else None,
    }


def _tell(made: Adoption) -> None:
    note(f"{made.tables} tables adopted; the first plan is empty.")
    if made.left:
        note(f"{len(made.left)} objects are left alone, as the end of layer.py says too:")
    for name, reason in lines(made.left):
        note(f"  {name}: {reason}")
    if made.guess:
        note(
            f"{made.guess.root} looks like the table of tenants, by {made.guess.column} in {made.guess.tables} tables."
        )
    note("Next: name the database in FREEHOLD_URL, then: freehold plan")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command("adopt", epilog=epilog)(adopt_database)
