"""The options that all commands share, derived from `freehold.config.OPTIONS`, and the statuses that they exit with."""

from __future__ import annotations

import functools
import inspect
import os
from collections.abc import Callable
from enum import IntEnum
from pathlib import Path
from typing import Annotated, Any, Concatenate, ParamSpec

import typer

from freehold.cli.project import Project
from freehold.config import OPTIONS, Option, load_config

P = ParamSpec("P")


class Status(IntEnum):
    """What a command exits with."""

    DONE = 0
    BROKEN = 1
    COULD_NOT_RUN = 2
    PENDING = 3
    INTERRUPTED = 130


MEANINGS = {
    Status.DONE: "done; nothing left to do; every promise held",
    Status.BROKEN: "a promise is broken, or a drill failed",
    Status.COULD_NOT_RUN: "the command could not run, or not every probe could: the message says why",
    Status.PENDING: "the database is not as declared: steps wait to be applied",
    Status.INTERRUPTED: "interrupted from the keyboard",
}
"""One line for each status; the help and docs/cli.md are made of it."""

Json = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


def on_project(function: Callable[Concatenate[Project, P], None]) -> Callable[..., None]:
    """Give a command the shared options in place of its first parameter, the project that they describe."""
    shared = [option for option in OPTIONS if option.flag]

    @functools.wraps(function)
    def run(**values: Any) -> None:
        flags = {option.name: values.pop(option.name) for option in shared}
        project = Project(load_config(flags, os.environ, Path.cwd()))
        function(project, **values)  # type: ignore[call-arg]  # typer calls by keyword

    own = list(inspect.signature(function, eval_str=True).parameters.values())[1:]
    parameters = [*own, *map(_parameter, shared)]
    described: Any = run
    described.__signature__ = inspect.Signature(parameters, return_annotation=None)
    described.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return run


def _parameter(option: Option) -> inspect.Parameter:
    text = f"{option.help} ({option.env})"
    shown = typer.Option(option.flag, help=text, rich_help_panel="Where", show_default=False)
    return inspect.Parameter(
        option.name, inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[str | None, shown]
    )
