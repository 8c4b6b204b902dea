"""Commands for the project's own server: up and down."""

from __future__ import annotations

from collections.abc import Iterable

import typer
from psycopg import sql

from freehold.cli.keyring import query
from freehold.cli.options import Json, on_project
from freehold.cli.project import Project
from freehold.cli.render import note, print_json
from freehold.errors import ConfigError
from freehold.layer import DataLayer
from freehold.rooms.backup import Backup, archive_settings
from freehold.servers import EmbeddedServer
from freehold.servers.server import Server
from freehold.servers.settings import Settings


@on_project
def up(project: Project, json: Json = False) -> None:
    """Start the project's own PostgreSQL and make its database; prints the administrator's URL.

    The server goes on in the background and keeps its port. Where the layer declares Backup, its WAL is archived from
    the first start. A second `up` changes nothing.
    """
    server = _embedded(project)
    wanted = _archive(project.layer, server)
    server.settings.update(wanted)
    started = not server.running
    server.ensure_running()
    database = str(project.database)
    made = ensure_database(server, database)
    note("WAL is not archived until a restart: freehold down && freehold up", quiet=not wanted or _archives(server))
    url = server.url(database)
    if json:
        facts = {"started": started, "database": database, "created": made, "version": server.binaries.release}
        print_json({"url": url, "data_directory": str(server.data_directory), "log": str(server.log_path), **facts})
        return
    print(url)
    what = "started" if started else "was running"
    note(f"PostgreSQL {server.binaries.release} {what} on {server.data_directory}; its log is {server.log_path}")


@on_project
def down(project: Project, json: Json = False) -> None:
    """Stop the project's own PostgreSQL; its data stays."""
    server = _embedded(project)
    stopped = server.running
    server.stop()
    if json:
        print_json({"stopped": stopped, "data_directory": str(server.data_directory)})
    else:
        note("Stopped" if stopped else "It did not run")


def ensure_database(server: Server, name: str) -> bool:
    """Create a database unless it is there; whether it was created."""
    with server.connect(autocommit=True) as connection:
        if connection.execute(query("find_database"), {"name": name}).fetchone() == (True,):
            return False
        connection.execute(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        return True


def _embedded(project: Project) -> EmbeddedServer:
    if project.config.url:
        raise ConfigError(
            "A URL is given, so that the database's server is somebody else's",
            hint="Take url out of freehold.toml, or unset FREEHOLD_URL, to use a server of the project's own.",
        )
    return EmbeddedServer(project.config.data_directory)


def _archives(server: Server) -> bool:
    with server.connect(autocommit=True) as connection:
        return connection.execute(query("read_archive_mode")).fetchone() == (True,)


def _archive(layer: DataLayer, server: EmbeddedServer) -> Settings:
    declared: Iterable[Backup] = layer.of_type(Backup)
    found = next(iter(declared), None)
    return archive_settings(found, server.data_directory, server.account) if found else {}


def register(app: typer.Typer, epilog: str) -> None:
    """Add the commands."""
    for command in (up, down):
        app.command(epilog=epilog)(command)
