"""What a declaration must say, and what it may not contradict."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from freehold.errors import Contradiction, DeclarationError, UnknownColumn
from freehold.rooms.constraints import Balanced, Limit, NoOverlap, StateMachine

from .layer import Booking, Company, Line, Member, Order, Player, Team, layer

WRONG: dict[str, Callable[[], object]] = {
    "no period": lambda: NoOverlap(Booking, per=("room_id",)),
    "unknown bounds": lambda: NoOverlap(Booking, during=("begins", "ends"), bounds="[["),
    "no status to begin with": lambda: StateMachine(Order, "status", allowed={"draft": ("void",)}),
    "a status that nothing leads to": lambda: StateMachine(Order, "status", initial=("a",), allowed={"b": ("a",)}),
    "no group": lambda: Balanced(Line, amount="amount"),
    "no parent": lambda: Limit(Member, at_most=3),
    "a negative limit": lambda: Limit(Member, of=Company, at_most=-1),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_rule_that_says_too_little(wrong: str) -> None:
    with pytest.raises(DeclarationError) as caught:
        WRONG[wrong]()
    assert caught.value.hint


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: NoOverlap(Booking, during="period"),
        lambda: StateMachine(Order, "state", initial=("draft",)),
        lambda: Balanced(Line, amount="sum", per=("currency",)),
        lambda: Limit(Member, of=Company, at_most="chairs"),
        lambda: Limit(Player, of=Team, at_most=1, via=("squad_id",)),
    ],
)
def test_a_column_that_is_not_there(wrong: Callable[[], object]) -> None:
    with pytest.raises(UnknownColumn):
        wrong()


@pytest.mark.parametrize(
    "rule",
    [
        NoOverlap(Booking, during=("room_id", "ends")),
        NoOverlap(Order, during=("status", "status")),
        Balanced(Line, amount="currency", per=("booking_id",)),
        Balanced(Player, amount="team_id", per=("id",)),
        Limit(Booking, of=Team, at_most=1),
    ],
)
def test_what_only_the_model_shows(rule: object) -> None:
    with pytest.raises(DeclarationError) as caught:
        layer("rules", rule).declared.objects  # noqa: B018
    assert caught.value.hint


def test_two_rules_of_a_kind_need_names() -> None:
    few, many = Limit(Member, of=Company, at_most=3, where=~Member.left), Limit(Member, of=Company, at_most=9)
    with pytest.raises(Contradiction):
        layer("rules", few, many).declared.objects  # noqa: B018
    named = Limit(Member, of=Company, at_most=9, name="ever")
    assert layer("rules", few, named).declared.objects


def test_a_condition_is_written_with_its_values() -> None:
    rule = Limit(Player, of=Team, at_most=2, where=sa.and_(Player.team_id > 1, Player.id.in_([7, 8])))
    texts = [str(item) for item in layer("rules", rule).declared.objects.values()]
    assert any("team_id > 1 AND id IN (7, 8)" in text for text in texts)
