"""A layer that declares no outcomes says so where a key is used."""

from __future__ import annotations

import pytest

from freehold.errors import ConfigError
from freehold.runtime import Database
from tests.rooms.tenancy.layer import A


def test_a_key_needs_outcomes(db: Database) -> None:
    with pytest.raises(ConfigError) as caught:
        db.run(lambda session: None, tenant=A, actor="ana", key="k")
    assert "Outcomes()" in caught.value.hint
