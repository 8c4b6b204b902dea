"""The ledger's judge, which is pure: catalog, declaration and verdicts give one standing for each exit and role."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from freehold.isolation.attacks import KINDS, ordinary, sources, title
from freehold.isolation.catalog import PUBLIC, Actor, Exits, Machine, Relation, Right, Routine
from freehold.isolation.known import Known
from freehold.kernel.prove import Outcome, Verdict

BEYOND = ("REFERENCES", "TRIGGER", "TRUNCATE")
"""Privileges that no policy governs (PostgreSQL's manual, "Row Security Policies")."""
POWERS = frozenset(
    {
        "pg_create_subscription",
        "pg_execute_server_program",
        "pg_monitor",
        "pg_read_all_data",
        "pg_read_all_settings",
        "pg_read_all_stats",
        "pg_read_server_files",
        "pg_stat_scan_tables",
        "pg_write_all_data",
        "pg_write_server_files",
    }
)
"""Predefined roles that see or move other sessions' data (PostgreSQL's manual, "Predefined Roles")."""
OUTSIDE = frozenset(
    {"dblink", "file_fdw", "postgres_fdw", "pageinspect", "adminpack", "lo", "pg_surgery", "pgstattuple"}
)
"""Extensions whose functions read rows past row security, or through another connection."""


ENFORCE = "Take it out of Tenancy(log_only=...) when freehold refusals shows nothing any more."
ROWS = "Prove where two tenants have rows in it: canary tenants serve."


class Standing(StrEnum):
    """What is known of a role at an exit."""

    PROVEN = "proven"
    TESTED = "tested"
    EXEMPT = "exempt"
    UNKNOWN = "unknown"
    BROKEN = "broken"


FAILING = (Standing.UNKNOWN, Standing.BROKEN)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the ledger.

    Parameters
    ----------
    exit
        Its kind and name: ``table retail.customer``.
    roles
        Whom the line is about.
    standing, reason
        The finding.
    probes
        The promises that were attacked for it.
    advice
        What to do, where the standing is unknown or broken.
    """

    kind: str
    exit: str
    roles: tuple[str, ...]
    standing: Standing
    reason: str
    probes: tuple[str, ...] = ()
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The line in JSON's types."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Struck:
    """The verdicts of one attack, and all the roles that it speaks for."""

    exit: str
    roles: tuple[str, ...]
    verdicts: tuple[Verdict, ...]


def judge(exits: Exits, known: Known, struck: Iterable[Struck], room_verdicts: Sequence[Verdict] = ()) -> list[Entry]:
    """Every line of the ledger, with what the tenancy exempts by name.

    Parameters
    ----------
    exits
        The live catalog.
    known
        The declaration.
    struck
        The ledger's own attacks.
    room_verdicts
        What the rooms' probes found: a function that one of them calls is proven by it.
    """
    found: dict[str, list[Struck]] = {}
    for each in struck:
        found.setdefault(each.exit, []).append(each)
    actors = ordinary(exits, known)
    entries = [
        *_roles(exits, known, actors),
        *(entry for relation in exits.relations for entry in _relation(relation, actors, exits, known, found)),
        *(_routine(routine, actors, known, room_verdicts) for routine in exits.routines),
        *(_machine(machine, exits, known) for machine in exits.machines),
        *_absent(exits),
    ]
    return _accepted(entries, known.accepted)


def _accepted(entries: Iterable[Entry], accepted: Mapping[str, str]) -> list[Entry]:
    """A named exit is exempt where nothing is known of it; what was broken under attack stays broken."""
    made, used = [], set()
    for entry in entries:
        reason = accepted.get(entry.exit)
        if reason:
            used.add(entry.exit)
        if reason and entry.standing is Standing.UNKNOWN:
            entry = Entry(entry.kind, entry.exit, entry.roles, Standing.EXEMPT, f"declared: {reason}")
        made.append(entry)
    for name in sorted(set(accepted) - used):
        advice = "Take it out of Tenancy(exits=...), or write the exit's name as the ledger does."
        made.append(
            Entry("exit", name, (), Standing.UNKNOWN, "the tenancy exempts it, and it is not there", (), advice)
        )
    return made


def _roles(exits: Exits, known: Known, actors: Sequence[Actor]) -> Iterator[Entry]:
    plain = {actor.name for actor in actors}
    for actor in exits.actors.values():
        if actor.superuser and actor.from_:
            who = ", ".join(actor.from_)
            yield _role(
                actor, Standing.UNKNOWN, f"a superuser that {who} may become", f"REVOKE {actor.name} FROM {who}."
            )
        elif actor.superuser:
            yield _role(actor, Standing.EXEMPT, "a superuser: no right and no policy holds for it")
        elif actor.name not in plain:
            yield _machine_role(actor, known)
        else:
            yield from _powers(actor, known)


def _role(actor: Actor, standing: Standing, reason: str, advice: str = "") -> Entry:
    return Entry("role", f"role {actor.name}", (actor.name,), standing, reason, (), advice)


def _machine_role(actor: Actor, known: Known) -> Entry:
    """A role of the layer that nobody logs in as: its members are the declared ones, or it is an open door."""
    reason = known.roles.get(actor.name, "")
    strangers = [name for name in actor.from_ if name not in known.roles]
    if strangers:
        told = f"{', '.join(strangers)} may become it, which the layer does not declare"
        return _role(actor, Standing.UNKNOWN, told, f"REVOKE {actor.name} FROM {', '.join(strangers)}.")
    if actor.from_:
        return _role(actor, Standing.EXEMPT, f"{reason}; {', '.join(actor.from_)} may become it")
    return _role(actor, Standing.EXEMPT, f"{reason}; nobody logs in as it or may become it")


def _powers(actor: Actor, known: Known) -> Iterator[Entry]:
    """What a role is to the whole server, past every table's rights."""
    declared = actor.name in known.roles
    if actor.bypasses:
        yield _role(actor, Standing.UNKNOWN, "it bypasses row security", f"ALTER ROLE {actor.name} NOBYPASSRLS.")
    if actor.replicates and declared:
        yield _role(actor, Standing.EXEMPT, f"it copies the whole cluster: {known.roles[actor.name]}")
    elif actor.replicates:
        advice = f"ALTER ROLE {actor.name} NOREPLICATION, or exempt it by name in Tenancy(exits=...)."
        yield _role(actor, Standing.UNKNOWN, "it may copy the whole cluster, and is not declared", advice)
    if actor.makes_roles:
        yield _role(actor, Standing.UNKNOWN, "it makes roles, and grants itself those", "ALTER ROLE ... NOCREATEROLE.")
    held = sorted(POWERS.intersection(actor.predefined))
    granted = [name for name in held if (name, actor.name) in known.memberships]
    if held and granted:
        yield _role(actor, Standing.EXEMPT, f"{', '.join(granted)}: {known.roles.get(actor.name, '')}")
    elif held:
        advice = f"REVOKE {held[0]} FROM {actor.name}, or declare the membership."
        yield _role(actor, Standing.UNKNOWN, f"it is a member of {', '.join(held)}", advice)


def _relation(
    relation: Relation, actors: Sequence[Actor], exits: Exits, known: Known, struck: Mapping[str, list[Struck]]
) -> Iterator[Entry]:
    kind, name = KINDS[relation.kind], title(relation)
    without = tuple(a.name for a in actors if (relation.oid, a.name) not in exits.rights)
    if without:
        yield Entry(kind, name, without, Standing.TESTED, "no privilege, through membership neither")
    spoken: set[str] = set()
    for each in struck.get(name, ()):
        spoken.update(each.roles)
        right = exits.rights.get((relation.oid, each.roles[0]), Right(frozenset()))
        yield _attacked(relation, kind, each, right, known)
    groups: dict[tuple[Standing, str, str], list[str]] = {}
    for actor in actors:
        held = exits.rights.get((relation.oid, actor.name))
        if held and actor.name not in spoken:
            groups.setdefault(_read(relation, held, exits, known), []).append(actor.name)
    for (standing, reason, advice), roles in groups.items():
        yield Entry(kind, name, tuple(roles), standing, reason, (), advice)


def _attacked(relation: Relation, kind: str, struck: Struck, right: Right, known: Known) -> Entry:
    """What the attack found, and what no attack shows: rights past the policies, and what nobody declared."""
    probes = tuple(verdict.promise for verdict in struck.verdicts)

    def entry(standing: Standing, reason: str, advice: str = "") -> Entry:
        return Entry(kind, struck.exit, struck.roles, standing, reason, probes, advice)

    if why := known.log_only.get(relation.table):
        return entry(Standing.UNKNOWN, f"its guard refuses nothing yet, it only logs: {why}", ENFORCE)
    worst = {verdict.verdict: verdict for verdict in reversed(struck.verdicts)}
    if broken := worst.get(Outcome.BROKEN):
        return entry(Standing.BROKEN, f"{broken.promise}: {broken.detail}", _guard_it(relation, known))
    if untried := worst.get(Outcome.NOT_RUN):
        return entry(Standing.UNKNOWN, f"it could not be attacked: {untried.detail}", ROWS)
    beyond = [word for word in BEYOND if word in right.words]
    if beyond:
        words = ", ".join(beyond)
        advice = f"REVOKE {words} ON {relation.schema}.{relation.name} FROM {', '.join(struck.roles)}."
        return entry(Standing.UNKNOWN, f"no policy governs {words}", advice)
    if relation.kind in "rp" and not relation.guarded:
        return entry(Standing.BROKEN, "row security is not on and forced", _guard_it(relation, known))
    if relation.table not in known.owned:
        what = "nobody declared it; the attack showed no other tenant's row this time"
        return entry(Standing.UNKNOWN, what, _guard_it(relation, known))
    return entry(Standing.PROVEN, f"attacked as {struck.roles[0]}")


def _guard_it(relation: Relation, known: Known) -> str:
    if relation.table in known.owned:
        return "Run freehold plan: it names the guard that is missing; then freehold apply."
    if relation.kind == "v":
        return "Declare the view with security_invoker=true, or revoke the rights on it."
    if relation.kind == "m":
        return "Use a Report instead, whose table has the guard, or revoke the rights on it."
    return "Add the table to the metadata, so that Tenancy guards it, or revoke the rights on it."


def _read(relation: Relation, right: Right, exits: Exits, known: Known) -> tuple[Standing, str, str]:
    """The standing of a role with rights that no attack could be made on."""
    if relation.kind == "S":
        return _sequence(relation, right)
    if relation.kind == "v" and relation.invoker:
        return (Standing.TESTED, "reads with its caller's rights: what it reads has lines of its own", "")
    if relation.kind == "f":
        return (Standing.UNKNOWN, "no row security holds on a foreign table", "Revoke the rights on it.")
    if relation.kind in "vm":
        read = list(sources(relation, exits))
        if read and all(each.kind == "v" or each.table in known.others for each in read):
            return (Standing.TESTED, "reads tables alone that no tenant owns", "")
        how = "keeps what it read" if relation.kind == "m" else "reads with its owner's rights"
        return (Standing.UNKNOWN, f"it {how}", _guard_it(relation, known))
    if "TRIGGER" in right.words:
        return (Standing.UNKNOWN, "TRIGGER lets it run code as who writes", "Revoke TRIGGER.")
    if relation.table in known.others:
        return (Standing.EXEMPT, known.others[relation.table], "")
    if relation.table in known.owned:
        what = "it was not attacked: a partition or child addressed by its own name"
        return (Standing.UNKNOWN, what, "Revoke the rights on it: the table above it serves the same rows.")
    return (Standing.UNKNOWN, "nobody declared whose its rows are", _guard_it(relation, known))


def _sequence(relation: Relation, right: Right) -> tuple[Standing, str, str]:
    if right.words == {"USAGE"}:
        return (Standing.EXEMPT, "numbers that others drew show as gaps, and nothing else does", "")
    words = ", ".join(sorted(right.words - {"USAGE"}))
    advice = f"REVOKE {words} ON SEQUENCE {relation.schema}.{relation.name}."
    return (Standing.UNKNOWN, f"{words} shows or sets what all tenants draw", advice)


def _routine(routine: Routine, actors: Sequence[Actor], known: Known, verdicts: Sequence[Verdict]) -> Entry:
    name = f"function {routine.schema}.{routine.name}({routine.arguments})"
    callers = tuple(actor.name for actor in actors if actor.name in routine.callers)
    standing, reason, probes, advice = _called(routine, callers, known, verdicts)
    return Entry("function", name, callers or tuple(a.name for a in actors), standing, reason, probes, advice)


Finding = tuple[Standing, str, tuple[str, ...], str]


def _called(routine: Routine, callers: Sequence[str], known: Known, verdicts: Sequence[Verdict]) -> Finding:
    declared = (routine.schema, routine.name, routine.arguments) in known.functions
    revoke = f"Read what it does; then declare it, or REVOKE EXECUTE ON FUNCTION {routine.schema}.{routine.name}."
    if routine.leakproof and not routine.extension:
        return (
            Standing.UNKNOWN,
            "LEAKPROOF: it is called with rows before policies drop them",
            (),
            "ALTER FUNCTION ... NOT LEAKPROOF.",
        )
    if routine.fires:
        return _fired(routine, declared)
    if not callers:
        return (Standing.TESTED, "nobody may execute it", (), "")
    if routine.extension in OUTSIDE:
        return (Standing.UNKNOWN, f"{routine.extension} reads past row security", (), revoke)
    if not routine.trusted and not routine.extension:
        return (Standing.UNKNOWN, "its language is untrusted: it does what the server's user may", (), revoke)
    if not routine.definer:
        return (Standing.TESTED, "runs with its caller's rights, whose exits have lines of their own", (), "")
    return _lent(routine, declared, verdicts, revoke)


def _fired(routine: Routine, declared: bool) -> Finding:
    if declared or not routine.definer:
        return (Standing.TESTED, "a trigger's: nobody calls it" + (", and it is declared" if declared else ""), (), "")
    if not routine.attached:
        return (Standing.TESTED, "a trigger's, on no table: nobody calls it", (), "")
    what = f"a trigger's, with the rights of {routine.owner}, and not declared"
    return (Standing.UNKNOWN, what, (), "Read what it does; then declare it, or drop its trigger.")


def _lent(routine: Routine, declared: bool, verdicts: Sequence[Verdict], revoke: str) -> Finding:
    """A function that lends its owner's rights: the rooms' attacks on it count, and else what its owner may see."""
    called = f"{routine.schema}.{routine.name}"
    mine = [verdict for verdict in verdicts if called in verdict.subject or called in verdict.promise]
    worst = {verdict.verdict: verdict for verdict in reversed(mine)}
    if broken := worst.get(Outcome.BROKEN):
        return (Standing.BROKEN, f"{broken.promise}: {broken.detail}", (), revoke)
    if untried := worst.get(Outcome.NOT_RUN):
        return (Standing.UNKNOWN, f"it could not be attacked: {untried.detail}", (), ROWS)
    if not declared:
        return (Standing.UNKNOWN, f"it lends the rights of {routine.owner}, and nobody declared it", (), revoke)
    if mine:
        return (Standing.PROVEN, "attacked by its room", tuple(verdict.promise for verdict in mine), "")
    if not routine.lifted:
        return (
            Standing.TESTED,
            f"lends the rights of {routine.owner}, who sees no row of a tenant past the policies",
            (),
            "",
        )
    return (Standing.UNKNOWN, f"it lends the rights of {routine.owner}, whom a policy shows every row", (), revoke)


def _machine(machine: Machine, exits: Exits, known: Known) -> Entry:
    name = f"{machine.kind} {machine.name}"
    advice = "Drop it, or exempt it by name in Tenancy(exits=...) with the reason."
    judged = {"standby": _standby, "default privilege": _default, "foreign server": _server}.get(machine.kind)
    if judged:
        standing, reason = judged(machine, exits, known)
        roles = tuple(role for role in machine.roles if role in exits.actors)
        return Entry(machine.kind, name, roles, standing, reason, (), advice if standing in FAILING else "")
    readers = tuple(a.name for a in exits.actors.values() if a.replicates or a.superuser)
    roles = machine.roles or (readers if machine.kind in {"publication", "logical slot"} else (PUBLIC,))
    return Entry(machine.kind, name, roles, Standing.UNKNOWN, machine.text, (), advice)


def _standby(machine: Machine, exits: Exits, known: Known) -> tuple[Standing, str]:
    login = exits.actors.get(machine.roles[0])
    if login and (login.superuser or login.name in known.roles):
        return (Standing.EXEMPT, f"{machine.text}: a copy with the same roles, rights and policies")
    return (Standing.UNKNOWN, f"{machine.text} as a login that the layer does not declare")


def _default(machine: Machine, exits: Exits, known: Known) -> tuple[Standing, str]:
    if not any(role in exits.actors and exits.actors[role].reachable for role in machine.roles):
        return (Standing.TESTED, "nobody can act as who gets it")
    return (Standing.UNKNOWN, f"{machine.text} on what is made later, before a guard stands on it")


def _server(machine: Machine, exits: Exits, known: Known) -> tuple[Standing, str]:
    if not machine.roles:
        return (Standing.TESTED, "nobody may use it")
    return (Standing.UNKNOWN, machine.text)


ABSENT = ("publication", "subscription", "foreign server", "logical slot", "default privilege", "rule", "large objects")


def _absent(exits: Exits) -> Iterator[Entry]:
    """Kinds of exit that the database has none of; looked for, and so said."""
    there = {machine.kind for machine in exits.machines}
    for kind in ABSENT:
        if kind not in there:
            yield Entry(kind, f"every {kind}", (), Standing.TESTED, "there is none")
