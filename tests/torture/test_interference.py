"""A reduced run of the harness on both servers: no difference, and holes that are found."""

from __future__ import annotations

from examples.retail.layer import DECLARATIONS
from examples.retail.models import Base

from freehold import DataLayer
from freehold.servers.binaries import Binaries
from torture.interference.harness import attack


def test_a_tenant_is_told_nothing_of_another(binaries: Binaries) -> None:
    layer = DataLayer(Base.metadata, *DECLARATIONS, name="twin")
    result = attack(layer, binaries, 1_000, 1, most=6)
    assert result.held, result.notes
    assert result.defects_caught == 6
