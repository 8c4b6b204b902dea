"""Runs the commands of a page: every ``sh`` block under a ``<!-- run -->`` comment, in order, in one shell."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from freehold.servers import EmbeddedServer

_BLOCK = re.compile(r"^<!-- run -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def commands(page: Path) -> str:
    """The page's commands as one script; empty where it marks none."""
    return "\n".join(_BLOCK.findall(page.read_text(encoding="utf-8")))


def run(script: str, folder: Path, variables: Mapping[str, str] | None = None) -> str:
    """Run a script as a reader would who stops at the first failure; its output.

    Raises
    ------
    AssertionError
        A command failed; the text says which, and what it printed.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "PG"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-xeuo", "pipefail", "-c", script],
        cwd=folder,
        env={**kept, "PATH": path, **(variables or {})},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, f"exit status {done.returncode}:\n{done.stdout}"
    return done.stdout


def remove_servers(folder: Path) -> None:
    """Stop and delete the servers that commands started below a folder."""
    for version in list(folder.rglob("PG_VERSION")):
        if version.exists() and (version.parent / "postgresql.conf").exists():
            EmbeddedServer(version.parent).remove()
