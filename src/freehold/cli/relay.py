"""The command that relays messages until it is told to stop."""

from __future__ import annotations

import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event as Flag
from typing import Annotated, Any

import typer

from freehold.cli.options import on_project
from freehold.cli.project import Project
from freehold.cli.render import answers, describe
from freehold.errors import ConfigError
from freehold.events import Event
from freehold.runtime.relay import Relay

Targets = Annotated[str, typer.Option("--targets", help="The mapping of topics to targets, as module:attribute.")]
Once = Annotated[bool, typer.Option("--once", help="Deliver what is due now, and end.")]
Workers = Annotated[int, typer.Option("--workers", min=1, help="How many deliveries run at a time.")]


@on_project
def relay(project: Project, targets: Targets = "", once: Once = False, workers: Workers = 4) -> None:
    """Deliver the messages of committed transactions to their targets, until SIGTERM or Ctrl-C.

    Give --url the layer's jobs login. Deliveries that have begun are ended first. One line for each delivery, failure
    and dead letter goes to stdout. Several relays share the work.
    """
    made = Relay(project.address, _targets(project, targets), workers=workers, listener=_tell)
    if once:
        made.run_once()
        return
    with _until_told() as stop:
        made.run(stop)


def _targets(project: Project, given: str) -> Mapping[str, Any]:
    name = given or project.config.targets
    hint = 'Write targets = "module:attribute" into freehold.toml, for {"invoice.*": function, "*": Notify("shop")}.'
    if not name:
        raise ConfigError("Nothing names the targets of the relay", hint=hint)
    found = project.named(name, "targets")
    if not isinstance(found, Mapping):
        raise ConfigError(f"{name} is no mapping of topics to targets", hint=hint)
    return found


@contextmanager
def _until_told() -> Iterator[Flag]:
    """A flag that SIGTERM and SIGINT set; what they did before they do again afterwards."""
    stop = Flag()
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(event: Event) -> None:
    answers().print(describe(event), markup=False)


def register(app: typer.Typer, epilog: str) -> None:
    """Add the command."""
    app.command(epilog=epilog)(relay)
