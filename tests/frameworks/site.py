"""An example application on a test's own database, run by a web server in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import httpx
import sqlalchemy as sa

from freehold import DataLayer
from freehold.cli.keyring import ensure_key
from freehold.operations import apply_layer
from freehold.rooms.roles.credentials import set_password
from freehold.servers.ports import free_port
from freehold.testing.database import Database

PASSWORD = "correct horse battery staple"
A = "aaaaaaaa-0000-4000-8000-000000000001"
B = "bbbbbbbb-0000-4000-8000-000000000002"
PATIENCE = 30.0
UVICORN = ("uvicorn", "--log-level", "warning", "--port", "{port}")
WAITRESS = ("waitress", "--threads", "4", "--listen", "127.0.0.1:{port}")


@dataclass(frozen=True)
class Example:
    """What an example declares."""

    metadata: sa.MetaData
    declarations: Sequence[object]


@dataclass(frozen=True)
class Built:
    """An example's layer on a database."""

    name: str
    database: Database
    keys: Path

    def environment(self, **changes: str) -> dict[str, str]:
        """What the application reads."""
        found = {
            "SHOP_DATABASE": self.database.url(user=f"{self.name}_app_a", password=PASSWORD),
            "SHOP_KEYS": str(self.keys),
            "SHOP_LAYER_NAME": self.name,
            "SHOP_SECRET_KEY": "of the tests",
        }
        return {**found, **changes}

    def through(self, port: int) -> str:
        """The application's URL through a proxy."""
        server = self.database.server
        return (
            self.environment()["SHOP_DATABASE"]
            .replace(f":{server.port}/", f":{port}/")
            .replace("localhost", "127.0.0.1")
        )

    def ask(self, query: LiteralString) -> list[Any]:
        """A query as the administrator."""
        with self.database.connect(autocommit=True) as connection:
            return connection.execute(query).fetchall()


def build(database: Database, example: Example, name: str, keys: Path) -> Built:
    """Apply the layer, with a key, a password and two tenants."""
    layer = DataLayer(example.metadata, *example.declarations, name=name)
    with database.connect(autocommit=True) as connection:
        apply_layer(connection, layer.declared)
        ensure_key(connection, keys)
        set_password(connection, f"{name}_app_a", PASSWORD)
        for tenant in (A, B):
            connection.execute("INSERT INTO shop.company (id, name) VALUES (%s, 'a company')", (tenant,))
    return Built(name, database, keys)


@dataclass
class Site:
    """A web server in a process of its own."""

    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def base(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as out:
            command = [sys.executable, "-m", *self.command]
            self.process = subprocess.Popen(command, env={**os.environ, **self.environment}, stdout=out, stderr=out)
        _wait(self.process, self.port, self.log)

    def kill(self) -> None:
        """End it in the middle of whatever it does."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(PATIENCE)

    def stop(self) -> None:
        """Ask it to end."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(PATIENCE)


@contextmanager
def running(server: Sequence[str], application: str, environment: Mapping[str, str], log: Path) -> Iterator[Site]:
    """Run the application."""
    port = free_port()
    site = Site([*(each.format(port=port) for each in server), application], environment, log, port)
    try:
        site.start()
        yield site
    finally:
        site.stop()


@contextmanager
def served(server: Sequence[str], application: str, environment: Mapping[str, str], log: Path) -> Iterator[str]:
    """Run the application; gives its base URL."""
    with running(server, application, environment, log) as site:
        yield site.base


def as_tenant(base: str, tenant: str | None, actor: str = "ana") -> httpx.Client:
    """A client that acts for one tenant."""
    headers = {"X-Actor": actor} | ({"X-Tenant": tenant} if tenant else {})
    return httpx.Client(base_url=base, headers=headers, timeout=PATIENCE)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError(f"the web server did not start:\n{log.read_text()}")
