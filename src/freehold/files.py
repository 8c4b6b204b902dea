"""Files that a command is told to write."""

from __future__ import annotations

from pathlib import Path

from freehold.errors import InputError


def write_text(path: Path, text: str, what: str) -> None:
    """Write a file.

    Raises
    ------
    InputError
        It cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{what} cannot be written to {path}", detail=str(error), hint="Name another file.") from error
