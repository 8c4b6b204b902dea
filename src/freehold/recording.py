"""What an apply leaves in the journal, and tells the audit."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from freehold import journal
from freehold.kernel.action import record_action
from freehold.kernel.observe import Connection
from freehold.kernel.plan import Plan, Step

OF_THE_CLUSTER = frozenset({"role", "membership", "setting"})
"""Kinds of objects whose changes fire no event trigger."""


@dataclass
class Recording:
    """Records applied steps in the journal, and tells the audit.

    Parameters
    ----------
    contract
        Whether the steps that contract run too.
    because, approved_by
        Why guards may become weaker, and who has approved it.
    """

    contract: bool = False
    because: str = ""
    approved_by: str = ""
    _plan_id: uuid.UUID | None = None
    _untold: list[str] = field(default_factory=list)

    def begin(self, connection: Connection, plan: Plan) -> None:
        """Take what is declared under management."""
        if plan.due(contract=self.contract):
            with connection.transaction():
                told = {"because": self.because, "approved_by": self.approved_by}
                self._plan_id = journal.begin_plan(connection, plan, **told)
                journal.merge_managed(connection, plan.managed)

    def record(self, connection: Connection, step: Step) -> None:
        """One step; of the cluster's objects no event trigger tells, so that the audit is told."""
        assert self._plan_id is not None
        journal.record_step(connection, self._plan_id, step)
        if step.key.kind in OF_THE_CLUSTER:
            told = {"plan_id": str(self._plan_id), "step": step.number}
            if not record_action(connection, step.key.kind, ".".join(step.key.name), step.change.title, told):
                self._untold.append(step.change.title)

    def finish(self, connection: Connection, plan: Plan) -> None:
        """Manage what was declared, and what still waits to be taken away."""
        if not plan.steps and not journal.installed_version(connection):
            return  # nothing was there to do, now or before
        with connection.transaction():
            left = frozenset() if self.contract else frozenset(step.key for step in plan.waiting)
            journal.finish_plan(connection, self._plan_id, plan.managed | left)
            if self._plan_id:
                steps = len(plan.due(contract=self.contract))
                told = {"plan_id": str(self._plan_id), "steps": steps, "cluster": self._untold}
                record_action(connection, "plan", connection.info.dbname, "apply", told)
