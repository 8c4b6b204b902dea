"""Sequences: options there and back, values kept."""

from __future__ import annotations

from freehold.kernel.objects import Sequence
from tests.kernel.objects.ground import Ground, column, item


def sequence(**options: object) -> Sequence:
    """The sequence ``shop.numbers``."""
    return Sequence(schema="shop", sequence="numbers", **options)  # type: ignore[arg-type]


def test_options_there_and_back(ground: Ground) -> None:
    ground.settle(sequence(type="integer", start=7, increment=5, maximum=900, cache=2, cycle=True))
    assert ground.rows("SELECT nextval('shop.numbers')") == [(7,)]
    ground.settle(sequence(increment=-2, minimum=-90, maximum=40, start=40))
    assert ground.rows("SELECT nextval('shop.numbers') < 40") == [(True,)]


def test_change_by_hand_is_mended(ground: Ground) -> None:
    (step,) = ground.mended("ALTER SEQUENCE shop.numbers INCREMENT BY 9", sequence())
    assert (step.change.title, step.flag) == ("alter sequence shop.numbers", "")


def test_default_that_draws_from_it(ground: Ground) -> None:
    user = item(column("n", "bigint", default="nextval('shop.numbers'::regclass)"))
    ground.settle(sequence(), user)
    ground.run("ALTER SEQUENCE shop.numbers OWNED BY shop.item.n")
    ground.settle(sequence(), user)
    ground.settle()
