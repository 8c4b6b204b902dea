"""Where backups live: base backups with their catalog, and the archived WAL beside them."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from freehold.errors import BackupError
from freehold.servers.account import Account

SEGMENT = re.compile(r"[0-9A-F]{24}")
"""Timeline, log and segment in hexadecimal: within one timeline, the order of names is the order of WAL."""


@dataclass(frozen=True, slots=True)
class BaseBackup:
    """One complete base backup; times are the server's, positions those of its manifest."""

    label: str
    started: datetime
    finished: datetime
    timeline: int
    start_lsn: str
    stop_lsn: str
    first_segment: str
    bytes: int
    release: str

    def as_json(self) -> str:
        """The catalog's entry."""
        entry = {**asdict(self), "started": self.started.isoformat(), "finished": self.finished.isoformat()}
        return json.dumps(entry, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> BaseBackup:
        """Read a catalog's entry."""
        entry: dict[str, Any] = json.loads(text)
        entry |= {name: datetime.fromisoformat(entry[name]) for name in ("started", "finished")}
        return cls(**entry)


@dataclass(frozen=True, slots=True)
class Repository:
    """A directory of the servers' account with ``base/<label>``, ``base/<label>.json`` and ``wal/<segment>``."""

    directory: Path
    account: Account

    @property
    def base(self) -> Path:
        """Base backups; one without its ``.json`` is not complete."""
        return self.directory / "base"

    @property
    def wal(self) -> Path:
        """Archived WAL."""
        return self.directory / "wal"

    def prepare(self) -> Repository:
        """Make the directories where they are missing."""
        for directory in (self.directory, self.base, self.wal):
            self.account.make_private(directory)
        return self

    def data(self, backup: BaseBackup) -> Path:
        """The files of a backup."""
        return self.base / backup.label

    def backups(self) -> tuple[BaseBackup, ...]:
        """The complete backups, oldest first."""
        entries = [BaseBackup.from_json(path.read_text()) for path in self.base.glob("*.json")]
        return tuple(sorted(entries, key=lambda each: each.finished))

    def record(self, backup: BaseBackup) -> None:
        """Enter a backup into the catalog; this is what makes it complete."""
        path = self.base / f"{backup.label}.json"
        partial = path.with_suffix(".part")
        with partial.open("w") as file:
            file.write(backup.as_json())
            os.fsync(file.fileno())
        self.account.own(partial)
        partial.replace(path)

    def newest(self, before: datetime | None = None) -> BaseBackup:
        """The newest backup that was complete before a moment.

        Raises
        ------
        BackupError
            There is none.
        """
        found = [each for each in self.backups() if before is None or each.finished <= before]
        if not found:
            when = f" older than {before.isoformat()}" if before else ""
            raise BackupError(
                f"{self.directory} holds no base backup{when}",
                hint="Take a base backup; a moment before the first one cannot be restored.",
            )
        return found[-1]

    def segments(self) -> tuple[str, ...]:
        """The names of the archived WAL segments, in order."""
        return tuple(sorted(path.name for path in self.wal.iterdir() if SEGMENT.fullmatch(path.name)))

    def expire(self, keep_seconds: int, now: datetime) -> tuple[str, ...]:
        """Remove what no moment of the last ``keep_seconds`` needs, and say what was removed.

        The newest backup older than the period stays: the period's first moments are restored from it.
        """
        edge = now - timedelta(seconds=keep_seconds)
        backups = self.backups()
        old = [each for each in backups if each.finished <= edge][:-1]
        kept = [each for each in backups if each not in old]
        return (*self._remove_backups(old), *self._remove_segments(kept))

    def _remove_backups(self, old: list[BaseBackup]) -> Iterator[str]:
        for backup in old:
            # The entry first: a crash then leaves files that are no backup, not a backup without files.
            (self.base / f"{backup.label}.json").unlink()
            shutil.rmtree(self.data(backup))
            yield backup.label

    def _remove_segments(self, kept: list[BaseBackup]) -> Iterator[str]:
        """Segments of a later timeline than a backup's may be needed by it, so only log positions are compared."""
        if not kept:
            return
        first = min(each.first_segment[8:] for each in kept)
        for name in self.segments():
            if name[8:] < first:
                (self.wal / name).unlink()
                yield name
