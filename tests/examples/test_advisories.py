"""The worked example accepts by name what is known of the server it runs on and concerns it: no more, no less."""

from __future__ import annotations

from examples.retail.layer import layer

from freehold.advisories import advisories_for, version_of
from freehold.testing.servers import EMBEDDED_MAJOR, Servers

UNUSED = "serializable"
"""A level that the example's transactions do not ask for: its holes stay refused."""


def test_known_defects_are_accepted_by_name(servers: Servers) -> None:
    with servers.server(EMBEDDED_MAJOR).connect() as connection:
        version = version_of(connection.info.server_version)
    known = {each.identifier for each in advisories_for({"server": version}) if each.promise != UNUSED}
    assert set(layer.accepted_advisories or {}) == known
