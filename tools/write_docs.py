"""Write the reference pages that are derived from the code: options, commands, error codes, events.

``python -m tools.write_docs`` writes them; with ``--check`` it only says which are out of date, and fails.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, get_args

import typer

from freehold import errors, events
from freehold.cli.main import app
from freehold.cli.options import MEANINGS
from freehold.config import OPTIONS

DOCS = Path(__file__).parents[1] / "docs"
NOTICE = "<!-- Written by tools/write_docs.py from the code: change that, not this. -->"
SHARED = "Where"


def configuration() -> Iterator[str]:
    """Every option with its flag, variable and key."""
    yield from ("# Configuration", "", NOTICE, "")
    yield "A flag comes before an environment variable, that before `freehold.toml` (here or in a parent directory),"
    yield "and that before the default. [freehold.example.toml](freehold.example.toml) holds every key."
    yield from ("", "| key in freehold.toml | flag | variable | default | what it says |", "|---|---|---|---|---|")
    for option in OPTIONS:
        cells = (option.name, option.flag, option.env, option.default)
        yield f"| {' | '.join(f'`{cell}`' if cell else '' for cell in cells)} | {option.help} |"


def example() -> Iterator[str]:
    """freehold.toml with every key, each out of use."""
    yield "# Every key of freehold.toml with an example; docs/configuration.md says more."
    for option in OPTIONS:
        if option.name:
            yield from ("", f"# {option.help}", f'# {option.name} = "{option.example}"')


def commands() -> Iterator[str]:
    """Every command with its own options, and the ones that all share."""
    yield from ("# Commands", "", NOTICE, "")
    yield "Every command's `--help` says the same. Answers go to stdout; notes, progress and errors go to stderr."
    yield from ("", "## Exit status", "", "| status | means |", "|---|---|")
    yield from (f"| {status.value} | {meaning} |" for status, meaning in MEANINGS.items())
    yield from ("", "`freehold psql` ends with psql's own status.")
    yield from ("", "## Options of every command but `init` and `adopt`", "", *_options(_first_shared(), shared=True))
    for name, command in _walk(typer.main.get_command(app), "freehold"):
        yield from ("", f"## {name}", "", inspect.cleandoc(command.help or ""), "", *_options(command, shared=False))


def _walk(command: Any, name: str) -> Iterator[tuple[str, Any]]:
    children: Mapping[str, Any] = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child, found in children.items():
        yield from _walk(found, f"{name} {child}")


def _first_shared() -> Any:
    return next(command for name, command in _walk(typer.main.get_command(app), "freehold") if name.endswith(" plan"))


def _options(command: Any, *, shared: bool) -> Iterator[str]:
    chosen = [
        found
        for found in command.params
        if (getattr(found, "rich_help_panel", None) == SHARED) is shared and "--help" not in found.opts
    ]
    if chosen:
        yield from ("| option | what it does |", "|---|---|")
    for found in chosen:
        spelled = ", ".join(found.opts) if found.opts[0].startswith("-") else (found.metavar or found.name.upper())
        yield f"| `{spelled}` | {found.help or ''} |"


def error_codes() -> Iterator[str]:
    """Every class of the error tree with its code."""
    yield from ("# Errors", "", NOTICE, "")
    yield "Every error has a stable code, a message, a detail and a hint; `--json` prints them as one document."
    yield from ("", "| code | class | means |", "|---|---|---|")
    for found in sorted(_tree(errors.FreeholdError), key=lambda each: each.code):
        yield f"| `{found.code}` | `{found.__name__}` | {_first_sentence(found)} |"


def _tree(base: type[errors.FreeholdError]) -> Iterator[type[errors.FreeholdError]]:
    yield base
    for child in base.__subclasses__():
        if child.__module__.startswith("freehold."):
            yield from _tree(child)


def event_list() -> Iterator[str]:
    """Every event with its fields."""
    yield from ("# Events", "", NOTICE, "")
    yield "A listener is a function of one event; `apply_layer`, `prove_layer`, servers and drills take one."
    yield from ("", "| event | fields | means |", "|---|---|---|")
    for found in get_args(events.Event):
        names = ", ".join(f"`{field.name}`" for field in fields(found))
        yield f"| `{found.__name__}` | {names} | {_first_sentence(found)} |"


def _first_sentence(documented: type[Any]) -> str:
    return " ".join(inspect.cleandoc(documented.__doc__ or "").split("\n\n")[0].split())


PAGES: Mapping[str, Callable[[], Iterator[str]]] = {
    "configuration.md": configuration,
    "freehold.example.toml": example,
    "cli.md": commands,
    "errors.md": error_codes,
    "events.md": event_list,
}


def stale() -> list[str]:
    """The pages that are not as the code says."""
    return [name for name in PAGES if not (DOCS / name).exists() or (DOCS / name).read_text() != page(name)]


def page(name: str) -> str:
    """One page's text."""
    return "\n".join(PAGES[name]()) + "\n"


def main() -> None:
    """Write the pages, or check them."""
    if "--check" in sys.argv:
        names = stale()
        sys.exit(f"out of date: {', '.join(names)}; run python -m tools.write_docs" if names else 0)
    DOCS.mkdir(exist_ok=True)
    for name in PAGES:
        (DOCS / name).write_text(page(name), encoding="utf-8")


if __name__ == "__main__":
    main()
