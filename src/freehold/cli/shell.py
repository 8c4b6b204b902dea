"""The command that opens psql as a role, under a tenant."""

from __future__ import annotations

import os
import shutil
from importlib.resources import as_file, files
from typing import Annotated

import typer
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from freehold.cli.options import on_project
from freehold.cli.project import Project
from freehold.errors import BinariesMissing, InputError

Role = Annotated[str, typer.Option("--role", help="Act as this role: app_a, ro, auditor …; app_a with --tenant.")]
Tenant = Annotated[str, typer.Option("--tenant", help="Bind a context of this tenant.")]
Actor = Annotated[str, typer.Option("--actor", help="Who acts, as history records it.")]
Command = Annotated[str, typer.Option("--command", "-c", help="Run this SQL, commit, and end.")]


@on_project
def psql(project: Project, role: Role = "", tenant: Tenant = "", actor: Actor = "", command: Command = "") -> None:
    """Open psql as an administrator, or as a role and tenant.

    With --tenant the session begins with one transaction under a signed context: what you do is kept only if you
    COMMIT, and after that no context is bound. With --command, the SQL is one transaction, committed at its end.
    The exit status is psql's own.
    """
    if actor and not tenant:
        raise InputError("An actor acts in a tenant", hint="Give --tenant too.")
    whole = f"{project.layer.name}_{role or 'app_a'}" if role or tenant else ""
    project.connect().close()  # what is wrong with the server is told in our words
    target, password = _target(project)
    program, environment = _program(project)
    variables = {"freehold_role": whole, "freehold_tenant": tenant, "freehold_actor": actor or "operator"}
    arguments = [program, "-d", target]
    arguments += [f"--set={name}={value}" for name, value in variables.items() if value]
    with as_file(files(__package__) / "psql" / "bind.psql") as bind:
        if command:
            arguments += [
                "-X",
                "-1",
                "--set=ON_ERROR_STOP=1",
                "--set=freehold_command=1",
                "-f",
                str(bind),
                "-c",
                command,
            ]
        secrets = {"PGPASSWORD": password} if password else {}
        os.execve(program, arguments, {**os.environ, **environment, **secrets, "PSQLRC": str(bind)})  # noqa: S606


def _target(project: Project) -> tuple[str, str]:
    """Where to connect, and the password, which must not stand in the list of processes.

    Only what the URL says: psql may be older than the library here, and refuse options that this one would fill in.
    """
    server = project.server
    given = conninfo_to_dict(server.conninfo(project.database) if project.database else server.conninfo())
    password = str(given.pop("password", None) or "")
    given["application_name"] = "freehold psql"
    return make_conninfo("", **{name: str(value) for name, value in given.items()}), password


def _program(project: Project) -> tuple[str, dict[str, str]]:
    binaries = project.server.binaries
    if binaries and (binaries.bin / "psql").exists():
        return binaries.program("psql"), dict(binaries.environment)
    found = shutil.which("psql")
    if not found:
        raise BinariesMissing("The program psql is not installed", hint="Install PostgreSQL's client package.")
    return found, {}


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(psql)
