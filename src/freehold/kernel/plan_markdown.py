"""A plan as a comment for a pull request: what it does, what it locks and for how long, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from freehold.kernel.objects import Lock, Stage
from freehold.kernel.plan import Plan, Step


def as_markdown(plan: Plan) -> str:
    """The plan as Markdown; its SQL is folded away."""
    return "\n".join(_lines(plan)) + "\n"


def _lines(plan: Plan) -> Iterator[str]:
    if not plan.steps:
        yield f"**{plan.database} is as declared:** nothing to do."
        return
    due, waiting = plan.due(contract=False), plan.waiting
    yield f"### {len(due)} steps for {plan.database}, PostgreSQL {plan.version // 10000}"
    yield from _costs("Guards become weaker", ((step, step.change.weakens) for step in plan.steps))
    yield from _costs("Data is lost", ((step, step.change.loses) for step in plan.steps))
    yield from _costs("Writes wait beyond the lock budget", ((step, step.waits) for step in plan.steps))
    yield ""
    yield "| | step | lock | about | back |"
    yield "|---|---|---|---|---|"
    yield from map(_row, due)
    if waiting:
        yield ""
        yield f"**Waits for `freehold contract`** ({len(waiting)}), when no older application runs:"
        yield ""
        yield from (f"- {_cell(step.change.title)}" for step in waiting)
    yield ""
    yield "<details><summary>SQL</summary>"
    yield ""
    yield "````sql"
    yield plan.as_sql().rstrip()
    yield "````"
    yield ""
    yield "</details>"


def _costs(title: str, found: Iterable[tuple[Step, str]]) -> Iterator[str]:
    told = [(step, cost) for step, cost in found if cost]
    if told:
        yield ""
        yield f"**{title}:**"
        yield ""
        yield from (f"- {step.number}. {_cell(cost)} (`{step.flag}`)" for step, cost in told)


def _row(step: Step) -> str:
    change = step.change
    lock = f"{change.lock} on `{_cell(change.on)}`" if change.lock is not Lock.NONE else "none"
    about = f"{step.seconds:,.0f} s" if step.seconds >= 1 else "a moment"
    where = "" if change.stage is Stage.EXPAND else f" *({change.stage})*"
    back = "undo" if change.reversible else "no"
    return f"| {step.number} | {_cell(change.title)}{where} | {lock} | {about} | {back} |"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
