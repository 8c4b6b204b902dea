"""The command that begins a project."""

from __future__ import annotations

import re
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Annotated

import typer

from freehold.cli.options import Json
from freehold.cli.render import note, print_json
from freehold.errors import InputError

FILES = {
    "models.py": "models.py.tmpl",
    "layer.py": "layer.py.tmpl",
    "app.py": "app.py.tmpl",
    "freehold.toml": "freehold.toml.tmpl",
    "README.md": "README.md.tmpl",
    ".gitignore": "gitignore.tmpl",
}
_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")


def init(
    name: Annotated[str, typer.Argument(help="The project, its folder and its layer.")], json: Json = False
) -> None:
    """Begin a project: models, a layer and an application in a new folder; it plans and applies at once."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a project",
            hint="Use at most 20 lower-case letters, digits and underscores, a letter first.",
        )
    folder = Path.cwd() / name
    _write(folder, name)
    if json:
        print_json({"folder": str(folder), "files": list(FILES)})
        return
    print(folder)
    note(f"Next: cd {name} && freehold up && freehold apply && freehold prove")


def _write(folder: Path, name: str) -> None:
    texts = {target: Template(_read(source)).substitute(name=name) for target, source in FILES.items()}
    try:
        folder.mkdir()
        for target, text in texts.items():
            (folder / target).write_text(text, encoding="utf-8")
    except FileExistsError as error:
        raise InputError(f"{folder} is there already; nothing was written", hint="Choose another name.") from error
    except OSError as error:
        raise InputError(
            f"{folder} cannot be written", detail=str(error), hint="Go to a directory that you may write to."
        ) from error


def _read(source: str) -> str:
    return files(__package__).joinpath("templates", source).read_text(encoding="utf-8")


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(init)
