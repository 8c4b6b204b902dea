"""The command, run as a user would: in this process for speed, or in one of its own."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from freehold.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit status and what it printed."""

    status: int
    out: str
    err: str


@dataclass(frozen=True)
class Command:
    """``freehold`` in a folder, with an environment of its own."""

    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)

    def __call__(self, *arguments: str, stdin: str = "") -> Answer:
        """Run it; a traceback is a failure whatever was expected. psql takes the process over, so it gets its own."""
        if arguments[0] == "psql":
            answer = self.run(sys.executable, "-m", "freehold.cli", *arguments, stdin=stdin)
        else:
            answer = self._run_here(arguments, stdin)
        assert "Traceback" not in answer.err, answer.err
        return answer

    def run(self, *command: str, stdin: str = "") -> Answer:
        """Run any program in the folder."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=self._environment(),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        return Answer(done.returncode, done.stdout, done.stderr)

    def _run_here(self, arguments: tuple[str, ...], stdin: str) -> Answer:
        out, err = io.StringIO(), io.StringIO()
        with ExitStack() as stack:
            stack.enter_context(chdir(self.folder))
            stack.enter_context(patch.dict(os.environ, self._environment(), clear=True))
            stack.enter_context(patch.object(sys, "stdin", io.StringIO(stdin)))
            stack.enter_context(redirect_stdout(out))
            stack.enter_context(redirect_stderr(err))
            stack.enter_context(self._own_modules())
            try:
                main(arguments)
            except SystemExit as end:
                status = int(end.code or 0)
        return Answer(status, out.getvalue(), err.getvalue())

    @contextmanager
    def _own_modules(self) -> Iterator[None]:
        """The project's modules are imported anew each time, and leave nothing behind."""
        known, path = set(sys.modules), list(sys.path)
        try:
            yield
        finally:
            sys.path[:] = path
            for name in set(sys.modules) - known:
                if str(getattr(sys.modules[name], "__file__", None)).startswith(str(self.folder)):
                    del sys.modules[name]

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("FREEHOLD_", "PG"))}
        return {**kept, "TERM": "dumb", "COLUMNS": "200", **self.environment}
