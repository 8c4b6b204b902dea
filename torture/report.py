"""docs/reliability.md: one row a harness; a part that is run alone replaces its own row and leaves the others."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from torture.result import Result

DOCUMENT = Path(__file__).parent.parent / "docs" / "reliability.md"
PACKAGES = ("freehold", "SQLAlchemy", "psycopg")
COLUMNS = ("harness", "held", "size", "violations", "seeded defects caught", "seconds", "seed", "run", "notes")
INTRODUCTION = """# Reliability

What the runtime was put through, written by `make torture`. Each harness goes through the same calls as an
application, and each is also shown defects planted on purpose: one that misses any proves nothing, and is not "held".
"""


def versions(server: str) -> str:
    """The machine and the versions, in a few words."""
    installed = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return f"{server}, Python {platform.python_version()}, {installed}, {os.cpu_count()} cores"


def as_row(result: Result, about: str) -> str:
    """The harness's row of the table."""
    cells = (
        result.name,
        "yes" if result.held else "**no**",
        f"{result.size:,}",
        f"{result.violations:,}",
        f"{result.defects_caught} of {result.defects_seeded}",
        f"{result.seconds:,.1f}",
        str(result.seed),
        f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {about}",
        result.notes,
    )
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"


def known_rows(document: Path = DOCUMENT) -> dict[str, str]:
    """The rows that the document holds, by harness."""
    lines = document.read_text(encoding="utf-8").splitlines() if document.exists() else []
    table = [line for line in lines if line.startswith("| ")][1:]
    return {line.split("|")[1].strip(): line for line in table}


def write(results: Iterable[Result], about: str, order: Iterable[str], document: Path = DOCUMENT) -> None:
    """Put the results into the document, rows in the given order, rows of unknown harnesses last."""
    rows = known_rows(document)
    rows.update({result.name: as_row(result, about) for result in results})
    document.write_text(_text(rows, order), encoding="utf-8")


def _text(rows: Mapping[str, str], order: Iterable[str]) -> str:
    place = {name: number for number, name in enumerate(order)}
    ordered = sorted(rows, key=lambda name: (place.get(name, len(place)), name))
    head = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
    return "\n".join([INTRODUCTION, head, *(rows[name] for name in ordered), ""])
