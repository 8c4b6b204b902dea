"""Plan, apply, prove and look at a data layer on a live database."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg

from freehold import journal
from freehold.errors import PlanStale, PrivilegeMissing, ServerTooOld
from freehold.events import Listener, ignore
from freehold.isolation import Ledger, read_ledger
from freehold.isolation.canaries import attack, plant
from freehold.isolation.known import known_of
from freehold.kernel.apply import apply, exclusive
from freehold.kernel.budget import LockBudget
from freehold.kernel.compile import Declared
from freehold.kernel.diff import desired_state, difference
from freehold.kernel.garbage import uncollected
from freehold.kernel.measure import measured, refuse_violations, with_estimates, with_losses
from freehold.kernel.objects import Function, Key, Object
from freehold.kernel.observe import Connection, observe
from freehold.kernel.online.fillings import find_fillings, set_leaving, shadow_objects
from freehold.kernel.plan import Plan, make_plan
from freehold.kernel.prove import Outcome, Verdict, run_probes
from freehold.kernel.rename import rename
from freehold.kernel.room import Drill, Finding, Probe
from freehold.kernel.scratch import build, is_built
from freehold.recording import Recording
from freehold.servers.faults import translated

OLDEST, NEWEST = 150000, 190000
Judge = Callable[[Connection, Plan], None]
EVIDENCE_SECONDS = 7 * 86400
"""How long a verdict is taken as evidence: a week, so that a weekly proof keeps it alive."""


def default_cache() -> Path:
    """Where built declared states are kept: ``$XDG_CACHE_HOME/freehold/declared``."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "freehold" / "declared"


def check_server(connection: Connection) -> None:
    """Refuse a server whose catalog Freehold does not know.

    Raises
    ------
    ServerTooOld
        Its version is outside 15 to 18.
    """
    version = connection.info.server_version
    if not OLDEST <= version < NEWEST:
        raise ServerTooOld(
            f"The server runs PostgreSQL {version // 10000}; Freehold needs 15 to 18",
            hint="Upgrade the server, or use a release of Freehold that knows it.",
        )


@uncollected
@translated("plan")
def plan_layer(
    connection: Connection, declared: Declared, *, budget: LockBudget | None = None, cache: Path | None = None
) -> Plan:
    """What would change the live database into the declared state.

    Parameters
    ----------
    budget
        How long writes may wait; the declared one where none is given.

    Raises
    ------
    DeclarationError
        The server refuses what is declared.
    DataViolates
        Live rows violate a constraint that would be added.
    PrivilegeMissing
        The login may not create the scratch database.
    """
    check_server(connection)
    known = is_built(connection, declared.objects, cache)
    try:
        built = build(connection, declared.objects, cache)
    except psycopg.errors.InsufficientPrivilege as error:
        raise PrivilegeMissing(
            f"The login {connection.info.user} may not build the declared state",
            detail=error.diag.message_primary or "",
            hint="Plan as a superuser, or as a role with CREATEDB and CREATEROLE and member of the layer's roles.",
        ) from error
    installed = journal.installed_version(connection)
    managed = journal.managed_keys(connection, installed)
    desired = desired_state(declared, built)
    # What needs what is the largest query, and only a change has to know: a new declaration most likely is one.
    live = observe(connection, dependencies=not known)
    progress = journal.backfills(connection, installed)
    found = difference(declared, desired, live, managed)
    if found.settled and all(progress.values()):
        found.fillings = find_fillings(declared, found, live, desired, progress)
        # A database that is as declared before anything was applied has nothing that a journal would tell.
        return make_plan(declared, desired, live, found, journal.migration_steps(installed) if installed else ())
    budget = budget or declared.budget
    live = measured(connection, observe(connection) if known else live, budget)
    renamed = rename(connection, declared.renames, live, managed, desired)
    found = difference(declared, desired, renamed.live, renamed.managed)
    found.fillings = find_fillings(declared, found, renamed.live, desired, progress)
    set_leaving(found, renamed.live)
    found.shadow = shadow_objects(connection, declared, found.fillings)
    first = [*journal.migration_steps(installed), *renamed.steps]
    # Until a first plan has ended, a layer widens nothing by letting its roles into the database and at what it made.
    settled_once = journal.has_finished_plan(connection, installed)
    begun = frozenset() if settled_once else renamed.managed | {Key("database", ()), Key("schema", (journal.SCHEMA,))}
    # What a later one made before it was cut short is as new as it was to that plan.
    done = journal.steps_begun(connection, installed)
    begun |= {key for key, item in renamed.live.objects.items() if f"create {_name(item)}" in done}
    plan = make_plan(declared, desired, renamed.live, found, first, begun)
    plan = with_estimates(plan, renamed.live, budget)
    if renamed.steps:
        return plan  # what it would meet can be asked for only under the new names
    refuse_violations(connection, plan, desired, live, frozenset(found.fillings))
    return with_losses(connection, plan)


def _name(item: Object) -> str:
    """What a step that makes it calls it."""
    return item.title if isinstance(item, Function) else str(item.key)


@translated("apply")
def apply_layer(
    connection: Connection,
    declared: Declared,
    plan: Plan | None = None,
    *,
    data_loss: bool = False,
    weaker_guard: str = "",
    approved_by: str = "",
    long_lock: bool = False,
    contract: bool = False,
    budget: LockBudget | None = None,
    judge: Judge | None = None,
    ceilings: Mapping[int, float] | None = None,
    cache: Path | None = None,
    listener: Listener = ignore,
) -> Plan:
    """Run a plan, or make one and run it; returns it.

    Parameters
    ----------
    plan
        A plan that somebody has read. The database is planned again under the apply lock, and where the result is
        another plan, nothing runs.
    data_loss, long_lock
        Whether steps that lose data, or keep writes waiting beyond the lock budget, may run.
    weaker_guard, approved_by
        Why a guard may become weaker, and who has approved it; the journal keeps both. Without a reason such steps do
        not run.
    contract
        Whether the steps run that contract: they take away what an older version of the application may use.
    judge
        Looks at the plan that is about to run, under the apply lock, and raises where it is not the one that was
        reviewed or rehearsed.
    ceilings
        Seconds that a step may take, by its number.

    Raises
    ------
    ApplyBusy, PlanStale, StepRefused, LockTimeout, StepFailed
        Nothing ran, but for the last two, whose earlier steps are done.
    """
    with exclusive(connection):
        budget = budget or declared.budget
        fresh = plan_layer(connection, declared, budget=budget, cache=cache)
        if plan is not None and plan.as_sql() != fresh.as_sql():
            raise PlanStale(
                "The database has changed since the plan was made; nothing was applied",
                hint="Make the plan again and read it.",
            )
        fresh.refuse_unless_allowed(
            data_loss=data_loss, weaker_guard=weaker_guard, long_lock=long_lock, contract=contract
        )
        if judge is not None:
            judge(connection, fresh)
        apply(
            connection,
            fresh,
            Recording(contract, weaker_guard, approved_by),
            contract=contract,
            budget=budget,
            ceilings=ceilings,
            listener=listener,
        )
    return fresh


@translated("apply")
def apply_new_tables(
    connection: Connection,
    declared: Declared,
    room: str,
    *,
    budget: LockBudget | None = None,
    cache: Path | None = None,
    listener: Listener = ignore,
) -> Plan:
    """Run the part of a plan that makes the missing tables of one room, with all that guards them; returns what ran.

    Everything else that a plan would change is left for a plan that somebody reads.

    Raises
    ------
    ApplyBusy, LockTimeout, StepFailed
        As `apply_layer`.
    """
    with exclusive(connection):
        fresh = plan_layer(connection, declared, cache=cache)
        tables = {step.key for step in fresh.steps if step.key.kind == "table" and step.room == room}
        made = frozenset(
            key for key, item in declared.objects.items() if key in tables or not tables.isdisjoint(item.parents)
        )
        steps = [step for step in fresh.steps if step.key in made]
        numbered = tuple(replace(step, number=number) for number, step in enumerate(steps, 1))
        managed = journal.managed_keys(connection, journal.installed_version(connection)) | made
        part = replace(fresh, steps=numbered, managed=managed)
        apply(connection, part, Recording(), budget=budget, listener=listener)
    return part


@translated("prove")
def prove_layer(
    connection: Connection,
    declared: Declared,
    *,
    rooms: Sequence[str] = (),
    record: bool = True,
    listener: Listener = ignore,
) -> list[Verdict]:
    """Attack the live database with every room's probes and keep the verdicts as evidence.

    Parameters
    ----------
    rooms
        Only these rooms' probes; all where empty.
    record
        Whether the verdicts are kept in the journal.
    """
    check_server(connection)
    recorded = record and journal.installed_version(connection)  # a damaged journal is told before the attacks
    probes: list[Probe] = [probe for probe in declared.probes if not rooms or probe.room in rooms]
    verdicts = run_probes(connection, probes, listener=listener)
    if recorded:
        journal.record_evidence(
            connection, verdicts, declaration=declaration_digest(declared), valid_seconds=EVIDENCE_SECONDS
        )
    return verdicts


@translated("prove")
def prove_isolation(
    connection: Connection,
    declared: Declared,
    *,
    accepted: Mapping[str, str],
    record: bool = True,
    listener: Listener = ignore,
) -> Ledger:
    """Walk every exit of tenants' rows in the live catalog, attack it, and keep the ledger as evidence.

    Parameters
    ----------
    accepted
        Exits that the tenancy exempts by name, each with its reason.
    record
        Whether the ledger is kept in the journal.

    Raises
    ------
    InputError
        The layer has no tenants.
    """
    check_server(connection)
    recorded = record and journal.installed_version(connection)
    ledger = read_ledger(connection, declared, accepted=accepted, listener=listener)
    if recorded:
        digest = declaration_digest(declared)
        journal.record_evidence(connection, ledger.verdicts(), declaration=digest, valid_seconds=EVIDENCE_SECONDS)
    return ledger


@translated("prove")
def prove_canaries(
    connection: Connection,
    declared: Declared,
    canaries: tuple[str, str],
    application: Connection | None = None,
    *,
    record: bool = True,
) -> tuple[list[Verdict], tuple[tuple[str, str], ...]]:
    """Plant two tenants where they are absent, attack their committed rows, and keep the verdicts as evidence.

    Parameters
    ----------
    canaries
        The two tenants.
    application
        A connection of the application's own login, in autocommit mode; without it the administrator takes its role.

    Returns
    -------
    tuple
        The verdicts, and the tables that took no row that could be made up.
    """
    check_server(connection)
    recorded = record and journal.installed_version(connection)
    known = known_of(declared, {})
    own = [(t.schema, t.table) for t in declared.model.tables if t.facts.role in {"root", "model"} and not t.parent]
    refused = plant(connection, known, [name for name in own if name in known.owned], canaries)
    role = "" if application else declared.model.role("app_a")
    verdicts = attack(connection, application or connection, known, canaries, role=role)
    if recorded:
        digest = declaration_digest(declared)
        journal.record_evidence(connection, verdicts, declaration=digest, valid_seconds=EVIDENCE_SECONDS)
    return verdicts, refused


def record_drill(
    connection: Connection, declared: Declared, drill: Drill, finding: Finding, *, seconds: float = 0.0
) -> Verdict:
    """Keep a drill's finding as evidence, with its figures.

    Parameters
    ----------
    seconds
        How long the drill took.
    """
    outcome = Outcome.HELD if finding.held else Outcome.BROKEN
    detail = finding.reason or "; ".join(f"{name}: {value}" for name, value in flat_figures(finding.figures))
    verdict = Verdict(drill.room, str(drill.subject), drill.promise, outcome, detail, seconds)
    if journal.installed_version(connection):
        digest = declaration_digest(declared)
        journal.record_evidence(connection, [verdict], declaration=digest, valid_seconds=EVIDENCE_SECONDS)
    return verdict


def flat_figures(figures: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Name and value of each figure; those of a nested group carry its name."""
    for name, value in figures.items():
        label = f"{prefix}{name.replace('_', ' ')}"
        if isinstance(value, Mapping):
            yield from flat_figures(value, f"{label} ")
        else:
            yield label, value


def declaration_digest(declared: Declared) -> str:
    """Names the declaration that evidence is about; it is never compared with a live state."""
    rows = [[str(key), [str(value) for value in item.to_row()]] for key, item in declared.objects.items()]
    return hashlib.sha256(json.dumps(rows).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Status:
    """What the journal and the catalog say of a layer."""

    server_version: int
    database: str
    pending_steps: int
    waiting_steps: int
    strangers: tuple[str, ...]
    last_plan: dict[str, Any] | None
    evidence: tuple[dict[str, Any], ...]


@translated("status")
def layer_status(connection: Connection, declared: Declared, *, cache: Path | None = None) -> Status:
    """Where a database stands: steps that wait, strangers, and the latest evidence."""
    plan = plan_layer(connection, declared, cache=cache)
    installed = journal.installed_version(connection)
    return Status(
        server_version=plan.version,
        database=plan.database,
        pending_steps=len(plan.due(contract=False)),
        waiting_steps=len(plan.waiting),
        strangers=tuple(str(stranger.key) for stranger in plan.strangers),
        last_plan=journal.read_last_plan(connection) if installed else None,
        evidence=tuple(journal.read_evidence(connection)) if installed else (),
    )


__all__ = [
    "EVIDENCE_SECONDS",
    "Judge",
    "Status",
    "apply_layer",
    "apply_new_tables",
    "check_server",
    "declaration_digest",
    "default_cache",
    "flat_figures",
    "layer_status",
    "plan_layer",
    "prove_canaries",
    "prove_isolation",
    "prove_layer",
    "record_drill",
]
