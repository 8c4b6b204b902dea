"""One tenant in one file: a zip of COPY texts, and a manifest that says what must be in it."""

from __future__ import annotations

import builtins
import hashlib
import json
import os
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from zlib import error as ZlibError

from freehold.errors import ArchiveInvalid

FORMAT = 1
MANIFEST = "manifest.json"
BEGINNING = (1980, 1, 1, 0, 0, 0)
"""The earliest time that a zip can say: the same rows make the same file."""
CHUNK = 1 << 20


@dataclass(frozen=True)
class Member:
    """One table's rows.

    Parameters
    ----------
    columns
        ``(name, SQL type)`` in the order of the text.
    tenant_column
        The column that names the tenant.
    rows, bytes, sha256
        Of the text as COPY wrote it, before compression.
    stays
        Why the rows are here to be read and are not imported; empty for those that are.
    """

    schema: str
    table: str
    tenant_column: str
    columns: tuple[tuple[str, str], ...]
    rows: int
    bytes: int
    sha256: str
    stays: str = ""

    @property
    def file(self) -> str:
        """The member's name in the zip."""
        return f"{self.schema}.{self.table}.copy"

    @property
    def title(self) -> str:
        """The table's name."""
        return f"{self.schema}.{self.table}"


@dataclass(frozen=True)
class Manifest:
    """What an archive holds, of which database, at which moment.

    Parameters
    ----------
    declaration
        The digest of the declaration under which it was written.
    taken_at
        The snapshot's time, ISO 8601 in UTC; ``lsn`` is the place in the write-ahead log then.
    masked
        Whether values were replaced, as in a clone.
    """

    layer: str
    declaration: str
    tenant: str
    server_version: int
    taken_at: str
    lsn: str
    masked: bool = False
    members: tuple[Member, ...] = ()
    format: int = FORMAT

    @property
    def digest(self) -> str:
        """SHA-256 of the manifest, and so of the archive: compare it with what the export printed."""
        return hashlib.sha256(self.text().encode()).hexdigest()

    @property
    def rows(self) -> int:
        """All rows."""
        return sum(member.rows for member in self.members)

    def text(self) -> str:
        """The manifest as JSON, always written in one way."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)


@dataclass
class Tally:
    """Rows, bytes and hash of a COPY text that passes by; a line feed inside a value is written as an escape."""

    rows: int = 0
    bytes: int = 0
    sha: Any = field(default_factory=hashlib.sha256)

    def add(self, piece: builtins.bytes) -> None:
        """Count one piece."""
        self.rows += piece.count(b"\n")
        self.bytes += len(piece)
        self.sha.update(piece)

    def of(self, member: Member) -> bool:
        """Whether this is what the manifest says."""
        return (self.rows, self.bytes, self.sha.hexdigest()) == (member.rows, member.bytes, member.sha256)


class Writer:
    """Writes an archive beside its place and moves it there at the end, so that a torn one is never taken for whole."""

    def __init__(self, path: Path) -> None:
        self.path, self.part = path, path.with_name(path.name + ".part")
        self._zip = zipfile.ZipFile(self.part, "w", zipfile.ZIP_DEFLATED, compresslevel=6)

    def member(self, name: str, pieces: Iterable[bytes]) -> Tally:
        """Write one member as it arrives."""
        tally = Tally()
        with self._zip.open(self._info(name), "w", force_zip64=True) as file:
            for piece in pieces:
                file.write(piece)
                tally.add(piece)
        return tally

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest, make the file durable, and give it its name."""
        self._zip.writestr(self._info(MANIFEST), manifest.text())
        self._zip.close()
        with self.part.open("rb") as file:
            os.fsync(file.fileno())
        self.part.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: TracebackType | BaseException | None) -> None:
        self._zip.close()
        if kind is not None:
            self.part.unlink(missing_ok=True)

    def _info(self, name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name, BEGINNING)
        info.compress_type = zipfile.ZIP_DEFLATED
        return info


class Archive:
    """An archive that is read.

    Raises
    ------
    ArchiveInvalid
        It is no archive of a tenant, or of a format that is not known.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._zip = zipfile.ZipFile(path)
            self.manifest = _manifest(json.loads(self._zip.read(MANIFEST)))
        except (OSError, KeyError, TypeError, ValueError, zipfile.BadZipFile, ZlibError) as error:
            raise self._invalid("is no archive of a tenant", str(error)) from error

    def verify(self, expected: str = "") -> None:
        """Read every member and compare it with the manifest.

        Parameters
        ----------
        expected
            The digest that the export printed; without it, somebody who writes the manifest anew is not found out.

        Raises
        ------
        ArchiveInvalid
            Something was altered; the member is named.
        """
        if expected and expected != self.manifest.digest:
            raise self._invalid("is another one", f"Its digest is {self.manifest.digest}.")
        files = {member.file for member in self.manifest.members} | {MANIFEST}
        strangers = sorted(files ^ set(self._zip.namelist()))
        if strangers:
            raise self._invalid("was altered", f"The manifest and the members differ in {', '.join(strangers)}.")
        for member in self.manifest.members:
            tally = Tally()
            try:
                for piece in self.pieces(member):
                    tally.add(piece)
            except (zipfile.BadZipFile, ZlibError, EOFError) as error:
                raise self._invalid("was altered", f"{member.file}: {error}") from error
            if not tally.of(member):
                raise self._invalid("was altered", f"{member.file} is not what the manifest says.")

    def pieces(self, member: Member) -> Iterator[bytes]:
        """The member's text, a piece at a time."""
        with self._zip.open(member.file) as file:
            while piece := file.read(CHUNK):
                yield piece

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def _invalid(self, what: str, detail: str) -> ArchiveInvalid:
        return ArchiveInvalid(
            f"{self.path} {what}",
            detail=detail,
            hint="Export the tenant again, or take another copy. Nothing was imported.",
        )


def _manifest(found: dict[str, Any]) -> Manifest:
    if found["format"] != FORMAT:
        raise ValueError(f"format {found['format']}, and {FORMAT} is known")
    members = tuple(
        Member(**{**member, "columns": tuple((name, kind) for name, kind in member["columns"])})
        for member in found.pop("members")
    )
    return Manifest(**found, members=members)
