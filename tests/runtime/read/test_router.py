"""The router's decisions, whatever the positions and times are."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from freehold.runtime.ledger import KEPT, SHARE, SPACING, Ledger
from freehold.runtime.position import Position
from freehold.runtime.replica import Rest
from freehold.runtime.router import Candidate, Need, Sight, Unfit, judge, need_of, order

POSITIONS = st.builds(Position, st.integers(1, 2), st.integers(1, 3), st.integers(0, 5))
MAYBE = st.none() | POSITIONS
CANDIDATES = st.lists(
    st.builds(Candidate, st.sampled_from("abcd"), st.integers(0, 3), st.floats(0, 10)), unique_by=lambda each: each.name
)


def refusal(need: Need, sight: Sight) -> Unfit | None:
    try:
        judge(need, sight)
    except Unfit as unfit:
        return unfit
    return None


def served(need: Need, sight: Sight) -> bool:
    return refusal(need, sight) is None


def has(seen: Position, wanted: Position) -> bool:
    return (seen.system_identifier, seen.timeline) == (wanted.system_identifier, wanted.timeline) and (
        seen.lsn >= wanted.lsn
    )


@given(MAYBE, MAYBE, MAYBE, st.booleans(), POSITIONS, st.booleans())
@example(Position(1, 1, 2), Position(1, 1, 1), Position(1, 1, 3), True, Position(1, 1, 1), True)
def test_a_server_that_serves_has_all_that_was_asked_for(
    after: Position | None, floor: Position | None, newest: Position | None, bounded: bool, seen: Position, on: bool
) -> None:
    # The ledger gives only samples of the newest one's timeline.
    floor = floor if bounded and newest is not None and floor is not None and near(floor, newest) else None
    need = need_of(after, floor, newest, bounded=bounded)
    if served(need, Sight(seen, on)):
        assert after is None or has(seen, after)
        assert not bounded or (floor is not None and has(seen, floor))


def near(one: Position, other: Position) -> bool:
    return (one.system_identifier, one.timeline) == (other.system_identifier, other.timeline)


@given(POSITIONS, POSITIONS, st.booleans())
def test_only_the_primary_serves_a_token_of_another_timeline(after: Position, newest: Position, bounded: bool) -> None:
    need = need_of(after, newest if bounded else None, newest, bounded=bounded)
    assert bool(need.primary) == (not near(after, newest))


@given(MAYBE, MAYBE)
def test_without_proof_only_the_primary_serves_a_bounded_read(after: Position | None, newest: Position | None) -> None:
    assert need_of(after, None, newest, bounded=True).primary


@given(POSITIONS)
def test_where_nothing_is_asked_for_anybody_serves(seen: Position) -> None:
    assert served(need_of(None, None, None, bounded=False), Sight(seen))


@given(POSITIONS, POSITIONS, st.booleans())
def test_only_a_server_that_receives_the_log_is_waited_for(wanted: Position, seen: Position, streaming: bool) -> None:
    unfit = refusal(Need(wanted), Sight(seen, streaming))
    if unfit is not None and unfit.behind:
        assert streaming
        assert seen.system_identifier == wanted.system_identifier
        assert seen.timeline <= wanted.timeline


@given(CANDIDATES, st.floats(0, 10), st.sets(st.sampled_from("abcd")), st.integers(0, 100))
def test_the_order_has_whoever_is_neither_resting_nor_avoided_least_busy_first(
    candidates: list[Candidate], now: float, avoided: set[str], turn: int
) -> None:
    found = order(candidates, now, avoided, turn)
    assert sorted(found) == sorted(
        each.name for each in candidates if each.resting_until <= now and each.name not in avoided
    )
    busy = {each.name: each.busy for each in candidates}
    assert [busy[name] for name in found] == sorted(busy[name] for name in found)


def test_equals_take_turns() -> None:
    candidates = [Candidate("a"), Candidate("b"), Candidate("c")]
    assert [order(candidates, 0.0, turn=turn)[0] for turn in range(4)] == ["a", "b", "c", "a"]


@given(st.lists(st.tuples(st.floats(0, 10), st.integers(0, 9), st.booleans()), max_size=40), st.floats(0.01, 10))
def test_the_floor_proves_the_bound(notes: list[tuple[float, int, bool]], bound: float) -> None:
    ledger = Ledger()
    for time, lsn, asked in notes:
        ledger.note(Position(1, 1, lsn), time, asked=asked)
    floor, newest = ledger.floor(10.0, bound), ledger.newest()
    if floor is not None:
        assert any(time >= 10.0 - bound and lsn == floor.lsn for time, lsn, _ in notes)
    assert (floor is None) == (newest is None or newest[0] < 10.0 - bound)


def test_a_promotion_forgets_what_was_sampled_before_it() -> None:
    ledger = Ledger()
    ledger.note(Position(1, 1, 100), 1.0)
    ledger.note(Position(1, 2, 50), 2.0)
    ledger.note(Position(1, 1, 200), 3.0)
    assert ledger.floor(3.0, 10.0) == Position(1, 2, 50)


def test_another_cluster_is_believed_where_it_was_asked_for() -> None:
    ledger = Ledger()
    ledger.note(Position(1, 1, 100), 1.0)
    ledger.note(Position(2, 1, 50), 2.0)
    assert ledger.newest() == (1.0, Position(1, 1, 100))
    ledger.note(Position(2, 1, 50), 2.0, asked=True)
    assert ledger.newest() == (2.0, Position(2, 1, 50))


def test_samples_are_few() -> None:
    ledger = Ledger()
    for number in range(1000):
        ledger.note(Position(1, 1, number), number * SPACING / 100.0)
    assert ledger.floor(1000.0, 1000.0) == Position(1, 1, 0)
    newest = ledger.newest()
    assert newest is not None
    assert 900 <= newest[1].lsn <= 910


def test_a_rest_grows_and_lets_one_try() -> None:
    rest = Rest(1.0, 5.0)
    untils = []
    for _ in range(5):
        rest.add(0.0)
        untils.append(rest.until)
    assert untils == [1.0, 2.0, 4.0, 5.0, 5.0]
    rest.trial(10.0)
    assert rest.until == 11.0
    rest.clear()
    rest.trial(20.0)
    assert rest.until == 0.0


@settings(deadline=None, max_examples=30)
@given(st.lists(st.floats(SPACING, 1.0), min_size=1, max_size=20), st.floats(0.0, 0.99))
def test_old_samples_are_thinned_and_not_cut_off(gaps: list[float], part: float) -> None:
    ledger, times = Ledger(), [0.0]
    while len(times) < 3 * KEPT:
        ledger.note(Position(1, 1, len(times) - 1), times[-1])
        times.append(times[-1] + gaps[len(times) % len(gaps)])
    now = times[-1]
    bound = part * now
    floor = ledger.floor(now, bound)
    assert len(ledger._samples) <= KEPT
    assert floor is not None or bound < max(gaps)
    if floor is not None:
        assert now - bound <= times[floor.lsn] <= now - bound * (1.0 - SHARE) + 2 * max(gaps)
