"""The command that begins a project."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
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
MODULES = (
    "__init__.py",
    "__main__.py",
    "books.py",
    "books.sql",
    "business.py",
    "catalogue.sql",
    "connect.py",
    "layer.py",
    "load.py",
    "models.py",
    "reports.py",
    "settings.py",
    "story.py",
)
"""The files of ``examples/subscriptions`` that become the package of a project, which has the project's name."""
EXAMPLE = "subscriptions"
_NAME = re.compile(r"[a-z][a-z0-9_]{0,19}")
_SCHEMA = re.compile(rf'(?<=["`\s(]){EXAMPLE}(?=[".])')


class Kind(StrEnum):
    """What a project begins as."""

    STARTER = "starter"
    SUBSCRIPTIONS = EXAMPLE


Chosen = Annotated[
    Kind, typer.Option("--template", help="What it begins as: a few tables, or a subscription business.")
]


def init(
    name: Annotated[str, typer.Argument(help="The project, its folder and its layer.")],
    template: Chosen = Kind.STARTER,
    json: Json = False,
) -> None:
    """Begin a project: models, a layer and an application in a new folder; it plans and applies at once."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"{name!r} cannot name a project",
            hint="Use at most 20 lower-case letters, digits and underscores, a letter first.",
        )
    folder = Path.cwd() / name
    texts = _starter(name) if template is Kind.STARTER else _example(name)
    _write(folder, texts)
    if json:
        print_json({"folder": str(folder), "files": list(texts)})
        return
    print(folder)
    note(f"Next: cd {name} && freehold up && freehold apply && freehold prove")


def _starter(name: str) -> dict[str, str]:
    return {target: Template(_read(source)).substitute(name=name) for target, source in FILES.items()}


def _example(name: str) -> dict[str, str]:
    """The example's files with the project's name for its package, its schema and its layer."""
    sources = {f"{name}/{module}": module for module in MODULES} | {"README.md": "README.md"}
    texts = {target: _renamed(_read(f"{EXAMPLE}/{source}"), name) for target, source in sources.items()}
    configuration = Template(_read("freehold.toml.tmpl")).substitute()
    return {
        **texts,
        "freehold.toml": configuration.replace('"layer:layer"', f'"{name}.layer:layer"'),
        ".gitignore": Template(_read("gitignore.tmpl")).substitute(),
    }


def _renamed(text: str, name: str) -> str:
    return _SCHEMA.sub(name, text.replace(f"examples.{EXAMPLE}", name).replace(f"examples/{EXAMPLE}", name))


def _write(folder: Path, texts: Mapping[str, str]) -> None:
    try:
        folder.mkdir()
        for target, text in texts.items():
            (folder / target).parent.mkdir(exist_ok=True)
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
