"""One probe for each defect of the server that would make a declared promise false."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from freehold.advisories import NEEDS, SERVER, Advisory, Range
from freehold.kernel.model import Model
from freehold.kernel.names import literal
from freehold.kernel.objects import Key
from freehold.kernel.room import Probe, Returns
from freehold.kernel.template import fill
from freehold.rooms.versions.declare import Versions

PACKAGE = "freehold.rooms.versions"
SERVER_KEY = Key("server", ("postgresql",))
DECLARED_BY: Mapping[str, str] = {"tenancy": "Tenancy", "reports": "Report", "backup": "Backup", "roles": "Roles"}
"""The declaration that makes each promise."""


def probe_versions(declaration: Versions, model: Model) -> Iterator[Probe]:
    """A probe for each advisory that touches what is declared, without those that are accepted."""
    promised = _promised(declaration, model)
    for advisory in SERVER:
        if advisory.promise in promised and advisory.identifier not in declaration.accept:
            yield Probe(
                promise=f"the server is free of {advisory.identifier}: {advisory.breaks}",
                subject=SERVER_KEY,
                attack=fill(PACKAGE, "judge_version", affected=literal(_affected(advisory))),
                expect=Returns(((True,),)),
            )


def _promised(declaration: Versions, model: Model) -> set[str]:
    declared = {type(each).__name__ for each in model.declarations}
    made = {promise for promise, name in DECLARED_BY.items() if name in declared}
    return made | NEEDS.get(declaration.isolation, frozenset()) | {"all"}


def _affected(advisory: Advisory) -> str:
    """The affected versions as PostgreSQL's int4multirange of ``server_version_num``."""
    return "{" + ",".join(_range(found) for found in advisory.ranges) + "}"


def _range(found: Range) -> str:
    first, fixed = (version[0] * 10000 + version[1] for version in (found.first, found.fixed))
    return f"[{first},{fixed})"
