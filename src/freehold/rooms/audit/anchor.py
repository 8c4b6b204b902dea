"""Where seals are kept outside the database: a file that is only ever appended to."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from freehold.errors import AuditAnchorInvalid


@dataclass(frozen=True, slots=True)
class Seal:
    """A signed statement about the entries of some transactions; ``statement`` is the signed text itself, JSON."""

    number: int
    statement: str
    signature: bytes

    def line(self) -> str:
        """One line of an anchor."""
        return json.dumps({"number": self.number, "statement": self.statement, "signature": self.signature.hex()})

    @classmethod
    def parse(cls, line: str) -> Seal:
        """A seal of such a line."""
        found = json.loads(line)
        return cls(int(found["number"]), str(found["statement"]), bytes.fromhex(found["signature"]))


class Anchor(Protocol):
    """Somewhere that whoever can alter the database cannot alter: a file of another account, a bucket with a lock."""

    def read(self) -> list[Seal]:
        """Every seal, in the order in which they came."""

    def append(self, seal: Seal) -> None:
        """Keep a seal; it returns when the seal cannot be lost any more."""


@dataclass(frozen=True)
class FileAnchor:
    """An anchor in a file, one JSON line a seal; keep it on another machine, or copy it there."""

    path: Path

    def read(self) -> list[Seal]:
        """Every seal; none where there is no file yet.

        Raises
        ------
        AuditAnchorInvalid
            A line is no seal. A last line that was cut short by a crash is none as well: its seal is appended anew
            once the line is removed.
        """
        try:
            lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.exists() else []
            return [Seal.parse(line) for line in lines]
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise AuditAnchorInvalid(
                f"The anchor {self.path} cannot be read",
                detail=str(error),
                hint="Restore it from a copy. A last line that is cut short may be removed: it is written anew.",
            ) from error

    def append(self, seal: Seal) -> None:
        """Append a line and wait until the disk has it."""
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with self.path.open("a", encoding="utf-8") as file:
                file.write(seal.line() + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise AuditAnchorInvalid(
                f"The anchor {self.path} cannot be written",
                detail=str(error),
                hint="The seal is in the database, and is anchored by the next run.",
            ) from error
