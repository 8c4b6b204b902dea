"""How events, errors and values look on a terminal: progress on stderr, answers on stdout, nothing extra when piped."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from freehold import events
from freehold.errors import FreeholdError
from freehold.events import Event, Listener, ignore


def answers() -> Console:
    """Where answers go: stdout, with colour only on a terminal, never wrapped when piped."""
    piped = not sys.stdout.isatty()
    return Console(highlight=False, width=200 if piped else None, soft_wrap=piped)


def notes() -> Console:
    """Where progress, notes and errors go: stderr."""
    return Console(stderr=True, highlight=False, soft_wrap=True)


def note(text: str, *, quiet: bool = False) -> None:
    """Say something beside the answer."""
    if not quiet:
        notes().print(text, markup=False)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    print(json.dumps(value, indent=2, default=str))


def print_error(error: FreeholdError, *, as_json: bool) -> None:
    """An error on stderr: what is wrong, the facts, and what to do."""
    if as_json:
        body = {"code": error.code, "message": error.message, "detail": error.detail, "hint": error.hint}
        print(json.dumps({"error": body}, indent=2), file=sys.stderr)
        return
    console = notes()
    console.print(f"error: {error.message} ({error.code})", style="bold red", markup=False)
    if error.detail:
        console.print(error.detail, markup=False)
    if error.hint:
        console.print(f"hint: {error.hint}", style="cyan", markup=False)


@contextmanager
def watching() -> Iterator[Listener]:
    """A listener that shows a progress bar on a terminal, and nothing elsewhere."""
    console = notes()
    if not console.is_terminal:
        yield ignore
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield _Bars(bars)


class _Bars:
    """One bar for each kind of work, moved by its events."""

    def __init__(self, bars: Progress) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}

    def __call__(self, event: Event) -> None:
        match event:
            case events.StepStarted(number, total, title):
                self._move("apply", title, number - 1, total)
            case events.StepApplied(number, total, title):
                self._move("apply", title, number, total)
            case events.ProbeJudged(number, total, room, promise):
                self._move("prove", f"{room}: {promise}", number, total)
            case events.Progress(what, done, total):
                self._move(what, what, done, total)
            case events.DrillPhase(drill, phase):
                self._move(drill, f"{drill}: {phase}", None, None)
            case events.LockRetried(title, attempt, seconds):
                self._bars.console.print(f"{title}: no lock at try {attempt}, waits {seconds:.1f} s", markup=False)
            case _:
                self._bars.console.print(describe(event), markup=False)

    def _move(self, work: str, text: str, done: int | None, total: int | None) -> None:
        if work not in self._tasks:
            self._tasks[work] = self._bars.add_task(work, total=total)
        self._bars.update(self._tasks[work], description=_short(text), completed=done, total=total)


def describe(event: Event) -> str:
    """An event as one line."""
    facts = {name: getattr(event, name) for name in event.__dataclass_fields__}
    return f"{type(event).__name__}: {_pairs(facts)}"


def _pairs(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in facts.items())


def _short(text: str, width: int = 60) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
