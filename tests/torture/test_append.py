"""Histories of many clients at each level hold what the level forbids none of; weaker levels and planted reads do."""

from __future__ import annotations

import random

import pytest

from freehold.runtime.workload import Isolation
from freehold.servers.binaries import Binaries
from tests.torture.histories import parse
from torture.append import SETTINGS, attack, forbidden
from torture.appending import ACTIVE_KEYS, LONGEST, Keys
from torture.elle import check
from torture.ground import ground
from torture.model import layer
from torture.planting import PLANTS
from torture.result import Result


@pytest.mark.parametrize("level", ["read committed", "repeatable read"])
def test_a_level_below_serializable_keeps_its_promise(level: Isolation) -> None:
    with ground(layer(), settings=SETTINGS) as where:
        judge(attack(where, 600, 1, level, pooled=False, defect_size=400))


@pytest.mark.usefixtures("pooler")
def test_serializable_keeps_its_promise(binaries: Binaries) -> None:
    with ground(layer(), binaries=binaries, settings=SETTINGS) as where:
        judge(attack(where, 600, 1, "serializable", defect_size=400))


def judge(result: Result) -> None:
    assert result.size >= 600
    assert result.violations == 0, result.notes
    assert result.defects_seeded == result.defects_caught == 5


SOUND = "1@0-1 ok x+1\n2@2-3 ok x+2\n3@4-5 ok x:1,2\n1@6-7 ok x:1,2"


@pytest.mark.parametrize("name", PLANTS)
def test_what_is_planted_is_new_and_found(name: str) -> None:
    history = parse(SOUND)
    changed = PLANTS[name](history, random.Random(1))
    assert name in {anomaly.name for anomaly in forbidden(check(changed), "read committed")}
    assert check(history, real_time=True) == []


def test_keys_are_few_and_left_when_their_lists_are_long() -> None:
    keys, draw = Keys(1), random.Random(1)
    drawn = [keys.draw(draw, appends=True) for _ in range(100 * LONGEST)]
    assert len(keys.appended) <= ACTIVE_KEYS
    assert max(map(drawn.count, set(drawn))) == LONGEST
