"""What is known of the versions that a connection meets: told at the start, and refused where it breaks a promise."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import psycopg

from freehold.advisories import InUse, Isolated, refuse_false_promises, told, version_of
from freehold.events import Listener


def check_versions(
    server_version: int, workloads: Iterable[Isolated], accepted: Mapping[str, str] | None, listener: Listener
) -> None:
    """Tell every advisory of the server and of libpq; refuse a workload whose isolation level has a known hole.

    Parameters
    ----------
    server_version
        As libpq tells it: 180006 is 18.6.
    accepted
        What the layer's ``Versions`` accepts, with the reasons; None where it declares no ``Versions``: then nothing is
        refused.

    Raises
    ------
    VersionRefused
    """
    in_use: InUse = {"server": version_of(server_version), "libpq": version_of(psycopg.pq.version())}
    for event in told(in_use, accepted or {}):
        listener(event)
    if accepted is not None:
        refuse_false_promises(in_use, workloads, accepted)
