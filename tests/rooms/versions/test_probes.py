"""A probe is red exactly where the server has the defect; the servers of the tests have some and lack others."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa

from freehold.advisories import NEEDS, SERVER, version_of
from freehold.errors import DeclarationError
from freehold.kernel.compile import Declared, compile_layer
from freehold.kernel.declare import Declarations
from freehold.kernel.prove import Outcome, run_probes
from freehold.rooms.tenancy import ROOM as TENANCY
from freehold.rooms.tenancy import Tenancy
from freehold.rooms.versions import ROOM, Versions
from freehold.servers.owned import OwnedServer

TENANT = uuid.UUID(int=1)


def layer(declaration: Versions) -> Declared:
    """A layer with tenants."""
    metadata = sa.MetaData(schema="shop")
    company = sa.Table("company", metadata, sa.Column("id", sa.Uuid, primary_key=True))
    return compile_layer(Declarations(metadata, (Tenancy(company), declaration), "v"), [TENANCY, ROOM])


def probed(declaration: Versions) -> list[str]:
    """The advisories that have a probe."""
    found = [probe.promise for probe in layer(declaration).probes if probe.room == "versions"]
    return [each.identifier for each in SERVER if any(f"{each.identifier}: {each.breaks}" in text for text in found)]


def test_a_probe_is_red_where_the_server_has_the_defect(server: OwnedServer) -> None:
    probes = [probe for probe in layer(Versions(isolation="serializable")).probes if probe.room == "versions"]
    with server.connect("postgres", autocommit=True) as connection:
        version = version_of(connection.info.server_version)
        verdicts = run_probes(connection, probes)
    told = {verdict.promise: verdict.verdict for verdict in verdicts}
    for advisory in SERVER:
        text = f"the server is free of {advisory.identifier}: {advisory.breaks}"
        if text in told:
            assert told[text] is (Outcome.BROKEN if advisory.affects(version) else Outcome.HELD), text
    assert Outcome.HELD in told.values()
    assert len(told) > 10


def test_only_what_is_declared_is_probed() -> None:
    promises = {each.identifier: each.promise for each in SERVER}
    assert {promises[each] for each in probed(Versions())} == {"tenancy", "all"}
    strict = {promises[each] for each in probed(Versions(isolation="serializable"))}
    assert strict == {"tenancy", "all"} | NEEDS["serializable"]


def test_what_is_accepted_is_not_probed() -> None:
    assert "CVE-2026-16237" in probed(Versions())
    assert "CVE-2026-16237" not in probed(Versions(accept={"CVE-2026-16237": "no view is written through"}))


@pytest.mark.parametrize("given", [{"CVE-1-1": "a reason"}, {"CVE-2026-16237": " "}])
def test_an_acceptance_names_an_advisory_and_a_reason(given: dict[str, str]) -> None:
    with pytest.raises(DeclarationError):
        Versions(accept=given)


def test_a_level_that_there_is_not() -> None:
    with pytest.raises(DeclarationError):
        Versions(isolation="snapshot")
