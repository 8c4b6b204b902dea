"""A reviewed plan as a file: what it was made for, and the steps that were read."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from freehold.errors import InputError, PlanForeign, PlanStale
from freehold.files import write_text
from freehold.kernel.observe import Connection
from freehold.kernel.plan import Plan

FORMAT = 1


@dataclass(frozen=True)
class PlanFile:
    """A plan that somebody has read.

    Parameters
    ----------
    system_identifier
        Of the cluster that it was made for, as ``pg_control_system`` tells it.
    base
        Names the state of the database that it starts from.
    steps
        As `Step.as_dict` gives them.
    """

    layer: str
    database: str
    system_identifier: int
    base: str
    steps: tuple[dict[str, Any], ...]

    def refuse_unless_of(self, connection: Connection, fresh: Plan) -> None:
        """See that this is the plan that would be made now.

        Raises
        ------
        PlanForeign
            It names another database or cluster.
        PlanStale
            The database or the declaration has moved since.
        """
        here = (fresh.layer, fresh.database, system_identifier(connection))
        if (self.layer, self.database, self.system_identifier) != here:
            raise PlanForeign(
                f"The plan is for {self.layer} in the database {self.database}; this is {here[0]} in {here[1]}",
                detail=f"Cluster {self.system_identifier}, and here {here[2]}.",
                hint="Make the plan against the database that it is for.",
            )
        if self.base != fresh.base:
            raise PlanStale(
                "The database has changed since the plan was made; nothing was applied",
                hint="Make the plan again and have it read.",
            )
        if steps_digest(self.steps) != steps_digest([step.as_dict() for step in fresh.steps]):
            raise PlanStale(
                "The declaration says something else than the plan; nothing was applied",
                hint="Make the plan again from this version of the code, and have it read.",
            )


def steps_digest(steps: Any) -> str:
    """Names what a plan runs: its statements and costs, and no estimates, which change with every row."""
    told = [[step[name] for name in ("title", "sql", "lock", "stage", "weakens")] for step in steps]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def system_identifier(connection: Connection) -> int:
    """The cluster that a connection is to."""
    row = connection.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
    return int(row[0]) if row else 0


def write_plan(connection: Connection, plan: Plan, path: Path) -> None:
    """Write a plan for somebody to read and for `freehold apply --plan` to run.

    Raises
    ------
    InputError
        The file cannot be written.
    """
    content = {
        "format": FORMAT,
        "layer": plan.layer,
        "database": plan.database,
        "system_identifier": str(system_identifier(connection)),
        "base": plan.base,
        "steps": [step.as_dict() for step in plan.steps],
    }
    write_text(path, json.dumps(content, indent=2) + "\n", "The plan")


def read_plan(path: Path) -> PlanFile:
    """Read a plan.

    Raises
    ------
    InputError
        It is no plan, or one of another format.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise ValueError(f"format {content['format']}, and this release reads {FORMAT}")
        return PlanFile(
            layer=content["layer"],
            database=content["database"],
            system_identifier=int(content["system_identifier"]),
            base=content["base"],
            steps=tuple(content["steps"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} is no plan", detail=f"{type(error).__name__}: {error}", hint="freehold plan --out writes one."
        ) from error
