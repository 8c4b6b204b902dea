"""The server that ``freehold up`` gives a project: PostgreSQL from a wheel, on a directory of its own."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from freehold.errors import ServerNotStarted
from freehold.events import Listener, ignore
from freehold.servers.account import Account, server_account
from freehold.servers.binaries import Binaries, find_embedded
from freehold.servers.initialize import initialize, new_password
from freehold.servers.owned import OwnedServer
from freehold.servers.places import reachable
from freehold.servers.ports import free_port, port_is_free
from freehold.servers.settings import Settings, last_port


class EmbeddedServer(OwnedServer):
    """A server that makes its data directory at the first start and keeps its port from then on.

    As root, data whose directory the servers' account cannot enter lies below ``/var/lib/freehold``;
    ``data_directory`` says where. See ``OwnedServer`` for the parameters.
    """

    def __init__(
        self,
        data_directory: Path,
        binaries: Binaries | None = None,
        *,
        settings: Settings | None = None,
        port: int | None = None,
        start_timeout: float = 60.0,
        account: Account | None = None,
        listener: Listener = ignore,
    ) -> None:
        super().__init__(
            reachable(data_directory, account or server_account()),
            binaries or find_embedded(),
            settings=settings,
            port=port,
            start_timeout=start_timeout,
            account=account,
            listener=listener,
        )

    def start(self) -> Self:
        """Make the data directory where it is missing, and start."""
        if not (self.data_directory / "PG_VERSION").exists():
            self._initialize()
        self._check_version()
        return super().start()

    def _initialize(self) -> None:
        self.password = new_password()
        initialize(self.data_directory, self.binaries, self.account, password=self.password)

    def _check_version(self) -> None:
        made_with = (self.data_directory / "PG_VERSION").read_text().strip()
        if made_with != str(self.binaries.version):
            raise ServerNotStarted(
                f"{self.data_directory} was made by PostgreSQL {made_with}, not {self.binaries.version}.",
                hint=f"Use PostgreSQL {made_with}'s binaries, or move the data with pg_upgrade or dump and restore.",
            )

    def _choose_port(self) -> int:
        kept = last_port(self.data_directory)
        return kept if kept is not None and port_is_free(kept) else free_port()
