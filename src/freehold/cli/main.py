"""The entry point: all commands, and the one place where errors become messages and exit statuses."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import NoReturn

import psycopg
import typer

from freehold.cli import (
    adopt,
    assess,
    audit,
    change,
    credentials,
    drill,
    init,
    keys,
    outbox,
    partitions,
    proof,
    refresh,
    refusals,
    relay,
    serve,
    shell,
    tenant,
)
from freehold.cli.options import MEANINGS, Status
from freehold.cli.render import print_error
from freehold.errors import FreeholdError
from freehold.servers.faults import translate

EPILOG = "Exit status: " + "; ".join(f"{status.value} {meaning}" for status, meaning in MEANINGS.items()) + "."

app = typer.Typer(
    name="freehold",
    help="Declare what the data must promise, change PostgreSQL to match, and prove it by attack.",
    epilog=EPILOG,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for group in (
    assess,
    init,
    adopt,
    serve,
    change,
    proof,
    drill,
    refresh,
    relay,
    outbox,
    partitions,
    audit,
    tenant,
    refusals,
    shell,
    credentials,
    keys,
):
    group.register(app, EPILOG)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command that the arguments name, those of the process where none are given, and exit."""
    as_json = "--json" in (sys.argv if arguments is None else arguments)
    try:
        app(arguments)
    except FreeholdError as error:
        print_error(error, as_json=as_json)
    except psycopg.Error as error:
        print_error(translate(error), as_json=as_json)
    sys.exit(Status.COULD_NOT_RUN)
