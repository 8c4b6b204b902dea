"""What the user writes: how long backups are kept, and how much data a disaster may cost."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from freehold.errors import DeclarationError
from freehold.kernel.declare import seconds_of


@dataclass(frozen=True)
class Backup:
    """Base backups and a WAL archive of a server that Freehold owns.

    Parameters
    ----------
    keep
        Every moment of this period can be restored; older backups are removed once a
        drill has held.
    rpo
        The most that a disaster may cost, as a time. WAL is archived at least twice in it.
    repository
        Where backups and WAL lie; a relative path counts from the directory that holds the data directory. Beside the
        data directory ``d`` it is ``d.backup`` where empty. Put it on another disk.
    """

    keep: str = "7 days"
    rpo: str = "1 minute"
    repository: str = ""

    def __post_init__(self) -> None:
        seconds_of(self.keep)
        if seconds_of(self.rpo) < 2:
            raise DeclarationError(
                f"Backup(rpo={self.rpo!r}) is shorter than a WAL archive can promise",
                detail="PostgreSQL archives whole segments, at most once a second.",
                hint="Declare 2 seconds or more, or use a synchronous replica.",
            )

    @property
    def keep_seconds(self) -> int:
        """``keep`` in seconds."""
        return seconds_of(self.keep)

    @property
    def rpo_seconds(self) -> int:
        """``rpo`` in seconds."""
        return seconds_of(self.rpo)

    def directory(self, data_directory: Path) -> Path:
        """The repository of the server on a data directory."""
        if self.repository:
            return data_directory.parent / self.repository
        return data_directory.with_name(data_directory.name + ".backup")
