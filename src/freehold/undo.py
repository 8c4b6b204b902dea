"""Take back the plan that was applied last, as far as it has not contracted."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from psycopg import sql

from freehold import journal
from freehold.errors import StepRefused, UndoRefused
from freehold.journal import Applied
from freehold.kernel.action import record_action
from freehold.kernel.apply import exclusive, patiently
from freehold.kernel.budget import LockBudget
from freehold.kernel.objects import Undo
from freehold.kernel.observe import CATALOG_SESSION, Connection
from freehold.servers.faults import translated


@dataclass(frozen=True)
class UndoPlan:
    """What takes the last plan back, step by step, the last one first."""

    steps: tuple[Applied, ...]

    @property
    def undos(self) -> tuple[Undo, ...]:
        """All of it, in its order."""
        return tuple(undo for step in self.steps for undo in step.undo)

    def as_sql(self) -> str:
        """The text that psql takes."""
        return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        if not self.undos:
            yield "-- nothing to undo"
        for undo in self.undos:
            costs = [f"loses {undo.loses}"] * bool(undo.loses) + [undo.weakens] * bool(undo.weakens)
            yield f"-- {' '.join(undo.title.splitlines())}{''.join(f'; {cost}' for cost in costs)}"
            yield from (f"{statement.rstrip(';')};" for statement in undo.statements)

    def as_dict(self) -> dict[str, Any]:
        """The same in JSON's types."""
        told = [
            {"title": u.title, "sql": list(u.statements), "loses": u.loses, "weakens": u.weakens} for u in self.undos
        ]
        return {"undo": told}


@translated("undo")
def plan_undo(connection: Connection) -> UndoPlan:
    """What would take the last plan back.

    Raises
    ------
    UndoRefused
        A step of it is final: it says which, since when, and what a restore would take.
    """
    steps = journal.read_last_steps(connection) if journal.installed_version(connection) else []
    final = [step for step in steps if step.final and not step.undo]
    if final:
        first = final[-1]
        raise UndoRefused(
            f"The last plan cannot be taken back: {first.title} is final since {first.applied_at:%Y-%m-%d %H:%M:%S%z}",
            detail="; ".join(step.title for step in reversed(final)),
            hint="Declare the old shape and apply: its rows are there. What a contraction dropped comes back only from "
            f"a backup of before {first.applied_at:%Y-%m-%d %H:%M:%S%z}: restore it beside this database, as "
            "freehold drill restore does, and bring rows back; freehold tenant restore does so for one tenant.",
        )
    return UndoPlan(tuple(steps))


@translated("undo")
def undo_last(
    connection: Connection,
    plan: UndoPlan,
    *,
    data_loss: bool = False,
    weaker_guard: str = "",
    budget: LockBudget | None = None,
) -> None:
    """Take the last plan back; what was read must be what is there.

    Parameters
    ----------
    connection
        The administrator's, in autocommit mode.
    data_loss, weaker_guard
        Whether values written since may be lost, and why guards may become weaker.

    Raises
    ------
    StepRefused
        Something is lost or becomes weaker, and the flag is not given.
    UndoRefused
        Another plan was applied meanwhile, or it is final.
    """
    with exclusive(connection):
        if plan_undo(connection) != plan:
            raise UndoRefused("Another plan was applied meanwhile; nothing was undone", hint="Look at it again.")
        _refuse_unallowed(plan, data_loss=data_loss, weaker_guard=weaker_guard)
        for name, value in CATALOG_SESSION.items():
            connection.execute("SELECT set_config(%s, %s, false)", (name, value))
        for undo in plan.undos:
            patiently(connection, undo.title, partial(_run, connection, undo), budget or LockBudget())
        if plan.steps:
            journal.finish_undo(connection, plan.steps[0].plan_id)
            told = {"plan_id": str(plan.steps[0].plan_id), "steps": len(plan.undos), "because": weaker_guard}
            record_action(connection, "plan", connection.info.dbname, "undo", told)


def _run(connection: Connection, undo: Undo) -> None:
    if not undo.transactional:
        for statement in undo.statements:
            connection.execute(sql.SQL(statement))
        return
    with connection.transaction():
        for statement in undo.statements:
            connection.execute(sql.SQL(statement))


def _refuse_unallowed(plan: UndoPlan, *, data_loss: bool, weaker_guard: str) -> None:
    lost = [undo.loses for undo in plan.undos if undo.loses and not data_loss]
    weaker = [undo.weakens for undo in plan.undos if undo.weakens and not weaker_guard]
    if lost or weaker:
        flags = ["--allow-data-loss"] * bool(lost) + ['--allow-weaker-guard "why"'] * bool(weaker)
        raise StepRefused(
            "Taking the last plan back loses values or weakens a guard; nothing was changed",
            detail="\n".join([*(f"loses {text}" for text in lost), *weaker]),
            hint=f"Read them, then run again with {' '.join(flags)}.",
        )
