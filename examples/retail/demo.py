"""The whole flow on real data, from nothing to a rehearsed restore: ``python -m examples.retail.demo``."""

from __future__ import annotations

import argparse
import secrets
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from examples.retail import show
from examples.retail.layer import layer
from examples.retail.load import load
from examples.retail.reconcile import reconcile
from rich.console import Console

from freehold import Backup, Database, Report
from freehold.cli.keyring import ensure_key
from freehold.cli.render import print_error, watching
from freehold.cli.serve import ensure_database
from freehold.errors import FreeholdError
from freehold.kernel.observe import Connection
from freehold.kernel.prove import Outcome
from freehold.operations import apply_layer, plan_layer, prove_layer, record_drill
from freehold.rooms.backup import Ground, archive_settings
from freehold.rooms.reports import refresh_all
from freehold.rooms.roles.credentials import set_password
from freehold.servers import EmbeddedServer

DATA = Path(__file__).with_name("data") / "online_retail.parquet"
APPLICATION = f"{layer.name}_app_a"
SETTINGS = {"shared_buffers": "256MB", "max_wal_size": "2GB"}


class Demo:
    """One run; what did not hold is kept in ``faults``."""

    def __init__(self, console: Console, home: Path, source: Path) -> None:
        self.console = console
        self.home = home
        self.source = source
        self.faults: list[str] = []

    def run(self) -> None:
        """Everything, on a server that is stopped at the end and whose data stays."""
        server = EmbeddedServer(self.home / "postgres", settings=SETTINGS)
        (backup,) = layer.of_type(Backup)
        server.settings.update(archive_settings(backup, server.data_directory, server.account))
        with self._step("Start PostgreSQL"):
            server.ensure_running()
            ensure_database(server, layer.name)
            show.server(self.console, server)
        with server:
            self._on(server)

    def _on(self, server: EmbeddedServer) -> None:
        with server.connect(layer.name, autocommit=True) as connection:
            db = self._apply(server, connection)
            try:
                self._load(db)
                self._refresh(connection, db)
            finally:
                db.dispose()
            self._prove(connection)
        self._drill(server)

    def _apply(self, server: EmbeddedServer, connection: Connection) -> Database:
        with self._step("Plan and apply the data layer"):
            plan = plan_layer(connection, layer.declared)
            show.plan(self.console, plan)
            with watching() as listener:
                apply_layer(connection, layer.declared, plan, listener=listener)
            keys = self.home / "context.keys"
            ensure_key(connection, keys)
            password = secrets.token_urlsafe(24)
            set_password(connection, APPLICATION, password)
            return layer.connect(server.url(layer.name, user=APPLICATION, password=password), keys=keys)

    def _load(self, db: Database) -> None:
        with self._step(f"Load {self.source.name} as {APPLICATION}"):
            with watching() as listener:
                result = load(db, self.source, listener)
            show.loaded(self.console, result)
        with self._step("Reckon with the input"):
            reckoning = reconcile(db, self.source)
            show.reckoning(self.console, reckoning)
        self.faults += reckoning.faults
        show.product_history(self.console, db)

    def _refresh(self, connection: Connection, db: Database) -> None:
        with self._step("Refresh the reports"):
            for report in layer.of_type(Report):
                refresh_all(connection, report)
            show.reports(self.console, db)

    def _prove(self, connection: Connection) -> None:
        with self._step("Attack every promise"):
            with watching() as listener:
                verdicts = prove_layer(connection, layer.declared, listener=listener)
            show.verdicts(self.console, verdicts)
            for identifier, reason in (layer.accepted_advisories or {}).items():
                self.console.print(f"  accepted: {identifier}: {reason}")
        self.faults += [f"{v.verdict}: {v.promise}" for v in verdicts if v.verdict is not Outcome.HELD]

    def _drill(self, server: EmbeddedServer) -> None:
        for drill in layer.declared.drills:
            with self._step(f"Drill: {drill.name}"):
                with watching() as listener:
                    finding = drill.run(Ground(server, layer.name), listener)
                with server.connect(layer.name, autocommit=True) as connection:
                    record_drill(connection, layer.declared, drill, finding)
                show.finding(self.console, drill, finding)
            if not finding.held:
                self.faults.append(f"broken: {drill.promise}: {finding.reason}")

    @contextmanager
    def _step(self, title: str) -> Iterator[None]:
        self.console.print(f"\n[bold]{title}[/bold]")
        started = time.monotonic()
        yield
        self.console.print(f"  [dim]{time.monotonic() - started:.1f} s[/dim]")


def main() -> int:
    """Run the demo; exit status 0 where all held, 1 where something did not, 2 where it could not run."""
    arguments = _arguments()
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 110)
    demo = Demo(console, arguments.home, arguments.source)
    started = time.monotonic()
    try:
        demo.run()
    except FreeholdError as error:
        print_error(error, as_json=False)
        return 2
    show.verdict(console, demo.faults, time.monotonic() - started, arguments.home)
    return 1 if demo.faults else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Freehold's worked example, from nothing to a rehearsed restore.")
    parser.add_argument("--home", type=Path, default=Path(".freehold"), help="where the server and its keys lie")
    parser.add_argument("--source", type=Path, default=DATA, help="a Parquet file of invoice lines")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
