"""The command that gives a login its password."""

from __future__ import annotations

import secrets
import sys
from pathlib import Path
from typing import Annotated

import typer

from freehold.cli.keyring import query, write_private
from freehold.cli.options import Json, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import note, print_json
from freehold.errors import InputError
from freehold.rooms.roles.credentials import set_password

SHORTEST = 12

Role = Annotated[str, typer.Argument(help="The login: app_a, app_b, ro, jobs … or its whole name.")]
Prompt = Annotated[bool, typer.Option("--prompt", help="Read the password from the terminal or from stdin.")]
File = Annotated[Path | None, typer.Option("--file", help="Write the URL into this file (mode 0600); print nothing.")]


@on_project
def credentials(project: Project, role: Role, prompt: Prompt = False, file: File = None, json: Json = False) -> None:
    """Set a login's password and print its URL, once.

    The password is a random one unless --prompt is given. Its SCRAM verifier is computed here: the server and its
    logs never see the password.
    """
    with project.connection() as connection:
        name = _login_name(connection, project, role)
        password = _asked() if prompt else secrets.token_urlsafe(24)
        set_password(connection, name, password)
    url = project.login_url(name, password)
    if file:
        write_private(file, f"{url}\n")
        note(f"The URL of {name} is in {file}", quiet=json)
    if json:
        print_json({"role": name, "file": str(file)} if file else {"role": name, "url": url})
    elif not file:
        print(url)


def _login_name(connection: Connection, project: Project, role: str) -> str:
    for name in (f"{project.layer.name}_{role}", role):
        found = connection.execute(query("find_login"), {"role": name}).fetchone()
        if found == (True,):
            return name
        if found:
            raise InputError(f"{name} cannot log in", hint="Give a password to a login: app_a, app_b, ro, jobs …")
    raise InputError(
        f"The server has no role {project.layer.name}_{role}",
        hint="Declare Roles() and apply the layer; it makes the logins.",
    )


def _asked() -> str:
    if sys.stdin.isatty():
        password: str = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    else:
        password = sys.stdin.readline().rstrip("\n")
    if len(password) < SHORTEST:
        raise InputError(
            f"The password is shorter than {SHORTEST} characters; nothing was changed",
            hint="Give a longer one, or leave --prompt out to have one made.",
        )
    return password


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(credentials)
