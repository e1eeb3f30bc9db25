"""Floods and chattering by the numbers of ISA-18.2, clause 16."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from alarms.statistics import (
    FLOOD_SPAN,
    Flood,
    Raised,
    busiest,
    chattering,
    floods,
    most_frequent,
)

START = datetime(2026, 11, 21, tzinfo=UTC)


def rings(*seconds: float, alarm: int = 1) -> list[Raised]:
    """Alarms at these seconds."""
    return [Raised(alarm, START + timedelta(seconds=second)) for second in seconds]


def test_ten_in_ten_minutes_are_no_flood() -> None:
    """More than ten are."""
    assert floods(rings(*range(0, 300, 30))) == []
    assert floods(rings(*range(0, 330, 30))) == [Flood(START, START + timedelta(seconds=300), 11)]


def test_a_flood_ends_below_five_in_ten_minutes() -> None:
    """A trickle of five goes on; one that is alone does not belong to it."""
    burst = [*range(12)]
    trickle = [130 * place for place in range(1, 10)]
    (found,) = floods(rings(*burst, *trickle, 10_000))

    assert found.alarms == 21
    assert found.end == START + timedelta(seconds=130 * 9)


def test_three_in_a_minute_chatter() -> None:
    """Of one alarm; those of two do not add up, and the minute is half-open."""
    assert chattering(rings(0, 30, 59)) == {1: 3}
    assert chattering(rings(0, 30, 60)) == {}
    assert chattering(sorted(rings(0, 30) + rings(59, alarm=2), key=lambda one: one.at)) == {}
    assert chattering(rings(0, 30, 59, 85, 500)) == {1: 4}


times = st.lists(st.tuples(st.integers(1, 5), st.integers(0, 7200)), max_size=150).map(
    lambda given: sorted(
        (Raised(alarm, START + timedelta(seconds=second)) for alarm, second in given),
        key=lambda one: one.at,
    )
)


@given(raised=times)
def test_floods_lie_apart_and_hold_many(raised: list[Raised]) -> None:
    """In order, each of more than ten alarms that are counted right; the rest is calm."""
    found = floods(raised)
    inside = [[one for one in raised if flood.start <= one.at <= flood.end] for flood in found]

    assert all(first.end < second.start for first, second in pairwise(found))
    assert all(flood.alarms > 10 for flood in found)
    assert all(len(held) >= flood.alarms for held, flood in zip(inside, found, strict=True))
    assert bool(found) is (busiest(raised) > 10)
    assert busiest(raised) == max(
        (sum(one.at - FLOOD_SPAN < other.at <= one.at for other in raised) for one in raised),
        default=0,
    )


@given(raised=times)
def test_the_most_frequent_add_up(raised: list[Raised]) -> None:
    """All of few alarms are all rings."""
    assert sum(times for _, times in most_frequent(raised)) == len(raised)
