"""Known defects of servers, poolers and drivers that make a promise false, and the versions that end them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, Protocol

from freehold.errors import VersionRefused
from freehold.events import VersionAdvisory

Component = Literal["server", "pgbouncer", "libpq"]
Promise = Literal["tenancy", "serializable", "snapshot", "reports", "backup", "roles", "all"]
Severity = Literal["low", "medium", "high", "critical"]
Version = tuple[int, ...]
"""``(18, 6)`` of PostgreSQL and libpq, ``(1, 25, 2)`` of PgBouncer."""
InUse = Mapping[Component, Version]
"""The version of each component that an application meets; those that are not there, or not known, are left out."""


@dataclass(frozen=True, slots=True)
class Range:
    """Versions from ``first`` up to, and without, ``fixed``."""

    first: Version
    fixed: Version

    def holds(self, version: Version) -> bool:
        """Whether the version is one of them."""
        return self.first <= version < self.fixed


@dataclass(frozen=True, slots=True, kw_only=True)
class Advisory:
    """One defect.

    Parameters
    ----------
    identifier
        A CVE number, or ``release note 15.20`` with a word on it.
    promise
        What it makes false; ``all`` where it hands over the server.
    breaks
        What happens, in a sentence.
    ranges
        The affected versions; a major version that is not among them is not affected, or not supported.
    """

    component: Component
    identifier: str
    promise: Promise
    severity: Severity
    breaks: str
    ranges: tuple[Range, ...]

    def affects(self, version: Version) -> bool:
        """Whether a version of the component has the defect."""
        return any(found.holds(version) for found in self.ranges)

    def fixed_in(self, version: Version) -> str:
        """The first version after this one, of the same major version, that is without it; "" where it is already."""
        return next((".".join(map(str, found.fixed)) for found in self.ranges if found.holds(version)), "")


def _majors(*fixed: str) -> tuple[Range, ...]:
    """From each major version's first release to the given one."""
    versions = [tuple(map(int, each.split("."))) for each in fixed]
    return tuple(Range((version[0], 0), version) for version in versions)


def _server(identifier: str, promise: Promise, severity: Severity, breaks: str, *fixed: str) -> Advisory:
    return Advisory(
        component="server",
        identifier=identifier,
        promise=promise,
        severity=severity,
        breaks=breaks,
        ranges=_majors(*fixed),
    )


MAY_2024 = ("15.7", "16.3")
AUGUST_2024 = ("15.8", "16.4")
NOVEMBER_2024 = ("15.9", "16.5", "17.1")
FEBRUARY_2025 = ("15.11", "16.7", "17.3")
AUGUST_2025 = ("15.14", "16.10", "17.6")
NOVEMBER_2025 = ("15.15", "16.11", "17.7", "18.1")
MAY_2026 = ("15.18", "16.14", "17.10", "18.4")
AUGUST_2026 = ("15.19", "16.15", "17.11", "18.6")
NOVEMBER_2026 = ("15.20", "16.16", "17.12", "18.7")
"""PostgreSQL mends all its major versions on one day; where a record names one version, its day's others are taken."""

SERVER: tuple[Advisory, ...] = (
    _server("CVE-2023-2455", "tenancy", "medium", "an inlined function skips policies under a cached plan", "15.3"),
    _server("CVE-2023-39418", "tenancy", "medium", "MERGE enforces the wrong policies", "15.4"),
    _server("CVE-2024-0985", "reports", "high", "a concurrent refresh runs a user's code as the refresher", "15.6"),
    _server("CVE-2024-4317", "tenancy", "low", "pg_stats_ext shows values of others", *MAY_2024),
    _server("CVE-2024-7348", "backup", "high", "pg_dump runs code of whoever may create a table", *AUGUST_2024),
    _server("CVE-2024-10976", "tenancy", "medium", "a cached plan keeps another role's policies", *NOVEMBER_2024),
    _server("CVE-2024-10978", "roles", "medium", "a rolled back SET ROLE leaves the wrong role", *NOVEMBER_2024),
    _server("CVE-2025-8713", "tenancy", "low", "statistics of partitions and views leak past policies", *AUGUST_2025),
    _server(
        "release note 15.18: MERGE",
        "snapshot",
        "medium",
        "MERGE meets a row that was updated meanwhile, and goes on instead of failing",
        *MAY_2026,
    ),
    _server("CVE-2026-6473", "all", "critical", "a wrapped size lets a query write outside its memory", *MAY_2026),
    _server("CVE-2026-14666", "tenancy", "medium", "cached plans survive a change of the role's rights", *AUGUST_2026),
    _server("CVE-2026-14673", "roles", "medium", "amcheck runs index functions in the caller's path", *AUGUST_2026),
    _server("CVE-2026-14680", "all", "critical", "any user may run code through internal arguments", *AUGUST_2026),
    _server(
        "release note 15.19: serializable, empty index",
        "serializable",
        "high",
        "a conflict in an index that was empty is missed, and a write skew commits",
        *AUGUST_2026,
    ),
    _server("CVE-2026-16237", "tenancy", "high", "ON CONFLICT through a view updates rows it hides", *NOVEMBER_2026),
    _server("CVE-2026-116311", "tenancy", "high", "DROP OWNED BY takes a role out of policies", *NOVEMBER_2026),
    _server("CVE-2026-116327", "tenancy", "medium", "a leaky function is taken for a leakproof one", *NOVEMBER_2026),
    _server("CVE-2026-120154", "tenancy", "medium", "ON CONFLICT shows a row before its policies", *NOVEMBER_2026),
    _server("CVE-2026-120146", "roles", "medium", "REASSIGN OWNED needs no right to SET ROLE", *NOVEMBER_2026),
    _server("CVE-2026-6460", "all", "critical", "an altered type lets an object's owner run code", *NOVEMBER_2026),
    _server(
        "release note 15.20: serializable, ON CONFLICT",
        "serializable",
        "high",
        "INSERT ... ON CONFLICT does not count as a read of the row it meets, and a write skew commits",
        *NOVEMBER_2026,
    ),
)
POOLER: tuple[Advisory, ...] = (
    Advisory(
        component="pgbouncer",
        identifier="CVE-2026-6664",
        promise="all",
        severity="high",
        breaks="an unauthenticated packet ends the pooler",
        ranges=(Range((0,), (1, 25, 2)),),
    ),
    Advisory(
        component="pgbouncer",
        identifier="CVE-2026-6666",
        promise="all",
        severity="medium",
        breaks="an error without an SQLSTATE ends the pooler",
        ranges=(Range((0,), (1, 25, 2)),),
    ),
    Advisory(
        component="pgbouncer",
        identifier="CVE-2026-107350",
        promise="roles",
        severity="critical",
        breaks="whoever knows one user's password may log in as another",
        ranges=(Range((1, 17, 0), (1, 26, 1)),),
    ),
)
CLIENT: tuple[Advisory, ...] = (
    Advisory(
        component="libpq",
        identifier="CVE-2025-1094",
        promise="all",
        severity="high",
        breaks="text in an invalid encoding is quoted wrongly, and becomes SQL",
        ranges=_majors(*FEBRUARY_2025),
    ),
    Advisory(
        component="libpq",
        identifier="CVE-2025-12818",
        promise="all",
        severity="medium",
        breaks="large inputs wrap a size, and the client writes outside its memory",
        ranges=_majors(*NOVEMBER_2025),
    ),
)
ADVISORIES = (*SERVER, *POOLER, *CLIENT)


def version_of(number: int) -> Version:
    """``(18, 6)`` of the number 180006 that servers and libpq give."""
    return (number // 10000, number % 10000)


def written_version(text: str) -> Version:
    """``(1, 25, 2)`` of a text such as ``1.25.2``; what is behind it is passed over."""
    parts = text.split()[0].split(".") if text.split() else []
    return tuple(int(part) for part in parts if part.isdigit())


def advisories_for(in_use: InUse) -> tuple[Advisory, ...]:
    """The defects that what is in use is known to have."""
    return tuple(each for each in ADVISORIES if each.component in in_use and each.affects(in_use[each.component]))


def told(in_use: InUse, accepted: Mapping[str, str]) -> Iterator[VersionAdvisory]:
    """An event for each of them.

    Parameters
    ----------
    accepted
        Identifiers of those that somebody has accepted, with the reason.
    """
    for found in advisories_for(in_use):
        version = in_use[found.component]
        yield VersionAdvisory(
            component=found.component,
            version=".".join(map(str, version)),
            identifier=found.identifier,
            severity=found.severity,
            promise=found.promise,
            breaks=found.breaks,
            fixed_in=found.fixed_in(version),
            accepted=found.identifier in accepted,
        )


class Isolated(Protocol):
    """A workload: a name and an isolation level."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def isolation(self) -> str:
        """PostgreSQL's level."""


NEEDS: Mapping[str, frozenset[str]] = {
    "serializable": frozenset({"serializable", "snapshot"}),
    "repeatable read": frozenset({"snapshot"}),
}
"""The promises that an isolation level rests on."""


def refuse_false_promises(in_use: InUse, workloads: Iterable[Isolated], accepted: Mapping[str, str]) -> None:
    """Refuse an isolation level that the server is known not to keep.

    Parameters
    ----------
    accepted
        Identifiers of advisories that the application accepts, with the reason.

    Raises
    ------
    VersionRefused
        A workload's level has a known hole on this server, and the hole is not among the accepted.
    """
    open_ = [each for each in advisories_for(in_use) if each.identifier not in accepted]
    for workload in workloads:
        found = [each for each in open_ if each.promise in NEEDS.get(workload.isolation, frozenset())]
        if found:
            raise _refused(workload, found, in_use)


def _refused(workload: Isolated, found: list[Advisory], in_use: InUse) -> VersionRefused:
    worst = found[-1]
    version = in_use[worst.component]
    fixed = max((each.fixed_in(in_use[each.component]) for each in found), key=written_version)
    return VersionRefused(
        f"The workload {workload.name} is {workload.isolation}, which {worst.component} "
        f"{'.'.join(map(str, version))} does not keep",
        detail="; ".join(f"{each.identifier}: {each.breaks}" for each in found),
        hint=f"Upgrade to {fixed}, or accept each by name with the reason: "
        f"Versions(accept={{{worst.identifier!r}: '...'}}).",
    )
