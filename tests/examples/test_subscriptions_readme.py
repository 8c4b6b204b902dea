"""The commands of the second example's page run as they are written, in a project that begins from it."""

from __future__ import annotations

from pathlib import Path

import examples.subscriptions

from tests.docs.conftest import folder
from tests.docs.runner import commands, run

PAGE = Path(examples.subscriptions.__file__).with_name("README.md")


def test_from_nothing_to_a_proved_system() -> None:
    with folder() as place:
        told = run(commands(PAGE), place)
    assert "Cy has to wait: data.limit" in told
    assert "Bo left and came back, 2 rows" in told
    assert "Let off in March: 10.00 %" in told
    assert "Let off in April: 20.00 %" in told
    assert "The books are right." in told
    assert "nothing to do" in told
    assert "rows of shop.payment: bookkeeping" in told
    assert "The law keeps its payments." in told
