"""Commands that compare and change: plan, apply, status."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from freehold.cli.keyring import ensure_key
from freehold.cli.options import Json, Status, on_project
from freehold.cli.project import Connection, Project
from freehold.cli.render import answers, note, print_json, watching
from freehold.errors import InputError
from freehold.kernel.plan import Plan
from freehold.kernel.plan_markdown import as_markdown
from freehold.operations import apply_layer, layer_status, plan_layer
from freehold.planfile import read_plan, write_plan
from freehold.rehearsal import read_rehearsal, write_rehearsal
from freehold.rehearsal import rehearse as try_plan
from freehold.servers import connect
from freehold.undo import plan_undo, undo_last

Yes = Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")]
DataLoss = Annotated[bool, typer.Option("--allow-data-loss", help="Run steps that lose data.")]
WeakerGuard = Annotated[
    str, typer.Option("--allow-weaker-guard", metavar="REASON", help="Run steps that weaken a guard, and journal why.")
]
ApprovedBy = Annotated[
    str, typer.Option("--approved-by", metavar="NAME", help="Who else has approved that a guard becomes weaker.")
]
LongLock = Annotated[
    bool, typer.Option("--allow-long-lock", help="Run steps that keep writes waiting beyond the lock budget.")
]


@dataclass(frozen=True)
class Allowed:
    """What the flags allow."""

    data_loss: bool
    weaker_guard: str
    approved_by: str
    long_lock: bool

    def refuse_alone(self, login: str) -> None:
        """A guard becomes weaker only if somebody else has approved it.

        Raises
        ------
        InputError
            There is a reason, and nobody else's name.
        """
        if self.weaker_guard and self.approved_by in {"", login}:
            raise InputError(
                "A guard becomes weaker only if a second person has approved it",
                hint="Give --approved-by with the name of somebody else; the journal keeps it with the reason.",
            )


PlanOut = Annotated[Path | None, typer.Option("--out", help="Write the plan to a file, for freehold apply --plan.")]
PlanIn = Annotated[Path | None, typer.Option("--plan", help="A reviewed plan: another one is not applied.")]
Rehearsed = Annotated[Path | None, typer.Option("--rehearsed", help="What freehold rehearse --out wrote.")]
Markdown = Annotated[bool, typer.Option("--markdown", help="Print a comment for a pull request.")]


@on_project
def plan(project: Project, out: PlanOut = None, markdown: Markdown = False, json: Json = False) -> None:
    """Print the steps that would bring the database to the declared state; changes nothing.

    The text can be pasted into psql. Exit status 0: nothing to do, or only what waits for `freehold contract`; 3: steps
    wait.
    """
    declared = project.declared  # what is wrong with it is told before anything else
    with project.connection() as connection:
        made = plan_layer(connection, declared, cache=project.cache)
        if out is not None:
            write_plan(connection, made, out)
    print(made.as_json() if json else as_markdown(made) if markdown else made.as_sql(), end="\n" if json else "")
    note(_summary(made), quiet=json or not made.steps)
    raise typer.Exit(Status.PENDING if made.due(contract=False) else Status.DONE)


@on_project
def apply(
    project: Project,
    yes: Yes = False,
    allow_data_loss: DataLoss = False,
    allow_weaker_guard: WeakerGuard = "",
    approved_by: ApprovedBy = "",
    allow_long_lock: LongLock = False,
    plan: PlanIn = None,
    rehearsed: Rehearsed = None,
    json: Json = False,
) -> None:
    """Show the plan, ask, and run exactly what was shown, but for the steps that wait for `freehold contract`.

    A second apply says "nothing to do". Where the layer has tenants and the database knows no context key yet, one is
    made: see `freehold keys`. Exit status 0: the database is as declared; 3: the answer was no.
    """
    allowed = Allowed(allow_data_loss, allow_weaker_guard, approved_by, allow_long_lock)
    _change(project, yes, allowed, json, contract=False, reviewed=plan, rehearsed=rehearsed)


@on_project
def contract(
    project: Project,
    yes: Yes = False,
    allow_data_loss: DataLoss = False,
    allow_weaker_guard: WeakerGuard = "",
    approved_by: ApprovedBy = "",
    allow_long_lock: LongLock = False,
    plan: PlanIn = None,
    rehearsed: Rehearsed = None,
    json: Json = False,
) -> None:
    """Take away what only an older version of the application still uses: run the whole plan, these steps too.

    Run it when no older version runs any more. Steps that lose data need their flag as ever.
    """
    allowed = Allowed(allow_data_loss, allow_weaker_guard, approved_by, allow_long_lock)
    _change(project, yes, allowed, json, contract=True, reviewed=plan, rehearsed=rehearsed)


def _change(
    project: Project,
    yes: bool,
    allowed: Allowed,
    json: bool,
    *,
    contract: bool,
    reviewed: Path | None,
    rehearsed: Path | None,
) -> None:
    declared = project.declared
    file, trial = reviewed and read_plan(reviewed), rehearsed and read_rehearsal(rehearsed)

    def judge(connection: Connection, fresh: Plan) -> None:
        if file:
            file.refuse_unless_of(connection, fresh)
        if trial:
            trial.refuse_unless_like(connection, fresh)

    with project.connection() as connection:
        shown = plan_layer(connection, declared, cache=project.cache)
        judge(connection, shown)
        allowed.refuse_alone(connection.info.user)
        shown.refuse_unless_allowed(
            data_loss=allowed.data_loss,
            weaker_guard=allowed.weaker_guard,
            long_lock=allowed.long_lock,
            contract=contract,
        )
    if not json:
        print(shown.as_sql(), end="")
    if shown.due(contract=contract) and not yes and not _agreed(shown, json, contract):
        raise typer.Exit(Status.PENDING)
    with project.connection() as connection:
        with watching() as listener:
            apply_layer(
                connection,
                declared,
                shown,
                **asdict(allowed),
                contract=contract,
                judge=judge,
                ceilings=trial.ceilings if trial else None,
                cache=project.cache,
                listener=listener,
            )
        key = ensure_key(connection, project.config.keys)
    _report_applied(shown, key, project, json, contract=contract)


def _report_applied(done: Plan, key: str, project: Project, json: bool, *, contract: bool) -> None:
    due, waiting = done.due(contract=contract), () if contract else done.waiting
    if json:
        steps = {"applied": [step.as_dict() for step in due], "waiting": [step.as_dict() for step in waiting]}
        print_json({**steps, "context_key": key or None})
        return
    note(f"{_steps(len(due))} applied to {done.database}", quiet=not due)
    note(f"{_steps(len(waiting))} left for freehold contract, when no older application runs", quiet=not waiting)
    note(f"Context key {key} is in {project.config.keys} and in the database", quiet=not key)


def _steps(count: int) -> str:
    return "1 step" if count == 1 else f"{count} steps"


def _agreed(shown: Plan, json: bool, contract: bool) -> bool:
    if json:
        raise InputError("apply --json asks nobody", hint="Give --yes too.")
    return typer.confirm(f"Apply {_summary(shown, contract=contract)} to {shown.database}?", err=True)


def _summary(made: Plan, *, contract: bool = False) -> str:
    due = made.due(contract=contract)
    flags = sorted({step.flag for step in due if step.flag})
    needs = f", needing {' and '.join(flags)}" if flags else ""
    waits = "" if contract or not made.waiting else f", and {_steps(len(made.waiting))} for freehold contract"
    return f"{_steps(len(due))}{needs}{waits}"


On = Annotated[str, typer.Option("--on", help="URL of a copy of the database, as an administrator: it is changed.")]
TrialOut = Annotated[Path | None, typer.Option("--out", help="Write it to a file, for freehold apply --rehearsed.")]
WithContract = Annotated[bool, typer.Option("--contract", help="With the steps that contract.")]


@on_project
def rehearse(
    project: Project, on: On, out: TrialOut = None, contract: WithContract = False, json: Json = False
) -> None:
    """Run the plan on a restored copy or a clone, and tell how long each step took and what it locked."""
    with project.connection() as live, connect(on, autocommit=True) as copy, watching() as listener:
        found = try_plan(live, copy, project.declared, contract=contract, listener=listener)
    if out is not None:
        write_rehearsal(found, out)
    if json:
        print_json(asdict(found))
        return
    for step in found.steps:
        locks = ", ".join(f"{mode} on {table}" for table, mode in step.locks) or "no lock that writes wait for"
        answers().print(f"{step.number:>4}  {step.seconds:>9.3f} s  {step.title}: {locks}", markup=False)


Message = Annotated[str, typer.Option("--message", "-m", help="What the revision is about.")]
Ini = Annotated[Path, typer.Option("--alembic", help="alembic.ini of the environment.")]


@on_project
def revision(
    project: Project, message: Message, alembic: Ini = Path("alembic.ini"), contract: WithContract = False
) -> None:
    """Write the plan as a revision of Alembic, after its present head; needs freehold[alembic]."""
    if find_spec("alembic") is None:
        raise InputError("Alembic is not installed", hint="pip install 'freehold[alembic]'")
    write = import_module("freehold.revision").write_revision
    with project.connection() as connection:
        made = plan_layer(connection, project.declared, cache=project.cache)
    answers().print(str(write(made, alembic, message, contract=contract)), markup=False)


@on_project
def undo(
    project: Project,
    yes: Yes = False,
    allow_data_loss: DataLoss = False,
    allow_weaker_guard: WeakerGuard = "",
    approved_by: ApprovedBy = "",
    json: Json = False,
) -> None:
    """Take back the plan that was applied last, unless a step of it is final.

    What was added since goes with what it was added to: such steps need --allow-data-loss. Exit status 0: it is taken
    back, or there was nothing; 3: the answer was no.
    """
    with project.connection() as connection:
        Allowed(allow_data_loss, allow_weaker_guard, approved_by, False).refuse_alone(connection.info.user)
        shown = plan_undo(connection)
        print_json(shown.as_dict()) if json else print(shown.as_sql(), end="")
        if not shown.undos:
            return
        if json and not yes:
            raise InputError("undo --json asks nobody", hint="Give --yes too.")
        if not yes and not typer.confirm(f"Undo {_steps(len(shown.undos))} in {connection.info.dbname}?", err=True):
            raise typer.Exit(Status.PENDING)
        undo_last(connection, shown, data_loss=allow_data_loss, weaker_guard=allow_weaker_guard)
    note(f"{_steps(len(shown.undos))} undone", quiet=json)


@on_project
def status(project: Project, json: Json = False) -> None:
    """Where the database stands: steps that wait, objects nobody declared, the latest evidence.

    Exit status 0: as declared, and no evidence says broken; 1: evidence says broken; 3: steps wait.
    """
    declared = project.declared
    with project.connection() as connection:
        found = layer_status(connection, declared, cache=project.cache)
    counts = _counts(found.evidence)
    if json:
        print_json(
            {
                "database": found.database,
                "server_version": found.server_version,
                "pending_steps": found.pending_steps,
                "waiting_steps": found.waiting_steps,
                "strangers": found.strangers,
                "last_plan": found.last_plan,
                "evidence": found.evidence,
            }
        )
    else:
        console = answers()
        console.print(f"{project.layer.name} in {found.database}, PostgreSQL {found.server_version // 10000}")
        console.print(f"plan       {_pending(found.pending_steps)}")
        if found.waiting_steps:
            console.print(f"contract   {_steps(found.waiting_steps)} wait for freehold contract")
        console.print(f"evidence   {_told(counts)}")
        for stranger in found.strangers:
            console.print(f"stranger   {stranger}", markup=False)
    broken = counts.get("broken", 0)
    raise typer.Exit(Status.BROKEN if broken else Status.PENDING if found.pending_steps else Status.DONE)


def _pending(steps: int) -> str:
    return f"{_steps(steps)} to apply: freehold plan" if steps else "nothing to do"


def _counts(evidence: tuple[dict[str, Any], ...]) -> dict[str, int]:
    """Verdicts by kind; expired ones are of no kind but their own."""
    counts: dict[str, int] = {}
    for row in evidence:
        kind = "expired" if row["expired"] else str(row["verdict"])
        counts[kind] = counts.get(kind, 0) + 1
    return counts


def _told(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items())) or "none: freehold prove"


def register(app: typer.Typer, epilog: str) -> None:
    """Add the commands."""
    for command in (plan, apply, contract, rehearse, revision, undo, status):
        app.command(epilog=epilog)(command)
