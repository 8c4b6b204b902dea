"""Injected SQL at a reduced size, on both majors, with the holes that the attacks must find."""

from __future__ import annotations

import random

import pytest

from freehold.servers import Binaries
from freehold.testing.servers import missing_pooler
from torture.draw import Target
from torture.injection import OWN, foreign, run
from torture.payloads import Attacker
from torture.wire import Answer

TARGET = Target(OWN, [OWN + 1], ["estate.note"], ["estate.find(bigint)"], ["estate_owner"], "k1", 1.8e9)


def test_nothing_of_others_is_seen(binaries: Binaries) -> None:
    if reason := missing_pooler():
        pytest.skip(reason)
    result = run(200, seed=3, binaries=binaries)
    assert result.held, result.notes


def test_texts_differ_and_follow_the_seed() -> None:
    first, again, other = (list(Attacker(TARGET, random.Random(seed)).payloads(500)) for seed in (1, 1, 2))
    assert first == again != other
    assert len(set(first)) == 500


@pytest.mark.parametrize(
    ("answer", "is_foreign"),
    [
        (Answer(cells=[("mark", f"mark-of-{OWN}-note1")]), False),
        (Answer(cells=[("mark", "mark-of-1-note1")]), True),
        (Answer(texts=["ERROR: invalid input syntax: mark-of-1-"]), True),
        (Answer(cells=[("bytes", "\\x" + b"mark-of-12-x".hex())]), True),
        (Answer(cells=[("key", "\\x" + b"secret".hex())]), True),
        (Answer(cells=[("seen", "3")]), True),
        (Answer(cells=[("seen", "0"), ("count", "3")]), False),
    ],
)
def test_what_is_foreign_is_recognised(answer: Answer, is_foreign: bool) -> None:
    assert bool(foreign(answer, b"secret")) == is_foreign
