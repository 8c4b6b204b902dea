"""The delaying proxy as a process: a fixed round trip between clients and a server on one machine."""

from __future__ import annotations

import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from freehold.servers.ports import free_port

SOURCE = Path(__file__).with_name("delay.c")


def compiler() -> str | None:
    """The C compiler, or None where there is none."""
    return shutil.which("cc")


@contextmanager
def delayed(target_port: int, round_trip: float) -> Iterator[int]:
    """A port on which the server answers ``round_trip`` seconds later than at its own."""
    with tempfile.TemporaryDirectory() as folder:
        program = Path(folder) / "delay"
        subprocess.run([compiler() or "cc", "-O2", "-o", str(program), str(SOURCE)], check=True)
        port = free_port()
        half = str(round(round_trip / 2 * 1e6))
        with subprocess.Popen([str(program), str(port), str(target_port), half]) as process:
            _wait(port)
            try:
                yield port
            finally:
                process.terminate()


def _wait(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            continue
        return
