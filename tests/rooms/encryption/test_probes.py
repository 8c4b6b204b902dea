"""Each promise of the room is seen held, then broken by a sabotage, then held again."""

from __future__ import annotations

import pytest

from freehold import Database

from .conftest import Built
from .layer import ONE, TWO, Contact, Setting, broken


@pytest.fixture(autouse=True)
def rows(db: Database) -> None:
    for tenant in (ONE, TWO):
        with db.transaction(tenant=tenant, actor="ann") as session:
            session.add(Contact(mail="a@example.org", phone="1", badge="2"))
    with db.transaction(actor="ann") as session:
        session.add(Setting(name="x", secret=b"s", number=1))


def test_everything_holds(built: Built) -> None:
    assert broken(built.connection, built.layer.declared) == []
