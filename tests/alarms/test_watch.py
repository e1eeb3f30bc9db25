"""Delays and deadband."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alarms.state import Event
from alarms.watch import QUIET, Sample, Watch, changes, due, watched
from schemas.plant.alarms import AlarmLimit, Bound, Priority

START = datetime(2026, 11, 21, 10, tzinfo=UTC)


def limit(bound: Bound = Bound.HIGH, on: float = 0, off: float = 0, band: float = 0) -> AlarmLimit:
    """A limit of 10."""
    return AlarmLimit(
        asset="a",
        source="a/x",
        bound=bound,
        limit=10.0,
        priority=Priority.LOW,
        on_delay_s=on,
        off_delay_s=off,
        deadband=band,
    )


def at(second: float, value: float | None) -> Sample:
    """A sample so many seconds after the start."""
    return Sample(START + timedelta(seconds=second), value)


def heard(given: AlarmLimit, *samples: tuple[float, float | None]) -> list[tuple[float, str]]:
    """Second and event of each change."""
    found = changes(given, [at(*one) for one in samples])
    return [((one.at - START).total_seconds(), one.event.value) for one in found]


@pytest.mark.parametrize(
    ("given_limit", "samples", "expected"),
    [
        (limit(), [(0, 9), (1, 11), (2, 9)], [(1, "raise"), (2, "clear")]),
        (limit(), [(0, 10), (1, 10)], []),
        (limit(Bound.LOW_LOW), [(0, 11), (1, 9)], [(1, "raise")]),
        (limit(on=5), [(0, 11), (4, 9), (5, 11), (9, 11), (10, 11)], [(10, "raise")]),
        (limit(on=5), [(0, 11), (60, 11)], [(5, "raise")]),
        (limit(off=5), [(0, 11), (1, 9), (3, 11), (4, 9), (60, 9)], [(0, "raise"), (9, "clear")]),
        (limit(band=1), [(0, 11), (1, 9.5), (2, 9)], [(0, "raise"), (2, "clear")]),
        (limit(band=1), [(0, 9.5), (1, 10.5)], [(1, "raise")]),
        (limit(Bound.LOW, band=1), [(0, 9), (1, 10.5), (2, 11)], [(0, "raise"), (2, "clear")]),
        (limit(), [(0, 11), (1, None), (2, 11)], [(0, "raise")]),
        (limit(), [(0, 11), (1, None), (2, 9)], [(0, "raise"), (2, "clear")]),
        (limit(on=5), [(0, 11), (3, None), (4, 11), (8, 11), (9, 11)], [(9, "raise")]),
    ],
)
def test_what_is_heard(
    given_limit: AlarmLimit,
    samples: list[tuple[float, float | None]],
    expected: list[tuple[float, str]],
) -> None:
    """By hand: on-delay, off-delay, deadband, values that are lost."""
    assert heard(given_limit, *samples) == expected


values = st.one_of(st.none(), st.floats(8, 12))
runs = st.lists(st.tuples(st.floats(0.1, 10), values), min_size=1, max_size=40)
limits = st.builds(
    limit, st.sampled_from(Bound), st.floats(0, 20), st.floats(0, 20), st.floats(0, 2)
)


def samples_of(run: list[tuple[float, float | None]]) -> list[Sample]:
    """Samples so many seconds apart."""
    found, second = [], 0.0
    for wait, value in run:
        second += wait
        found.append(at(second, value))
    return found


@given(given_limit=limits, run=runs)
def test_raise_and_clear_take_turns(
    given_limit: AlarmLimit, run: list[tuple[float, float | None]]
) -> None:
    """Never two of the same, never sooner than the delays, at a value that says so."""
    found = list(changes(given_limit, samples_of(run)))

    assert [one.event for one in found] == [
        Event.CLEAR if place % 2 else Event.RAISE for place in range(len(found))
    ]
    for one in found:
        assert one.value is not None
        raised = one.event is Event.RAISE
        assert given_limit.beyond(one.value) if raised else given_limit.back(one.value)
    for one, following in pairwise(found):
        raised = following.event is Event.RAISE
        delay_s = given_limit.on_delay_s if raised else given_limit.off_delay_s
        assert (following.at - one.at).total_seconds() >= delay_s - 1e-6


@given(given_limit=limits, run=runs, extra=st.integers(1, 5))
def test_more_ticks_do_not_change_what_is_heard(
    given_limit: AlarmLimit, run: list[tuple[float, float | None]], extra: int
) -> None:
    """An evaluator that looks more often at values that hold hears the same."""
    sparse = samples_of(run)
    dense = []
    for one, following in zip(sparse, [*sparse[1:], None], strict=True):
        dense.append(one)
        if following is not None:
            step = (following.at - one.at) / (extra + 1)
            dense += [Sample(one.at + step * k, one.value) for k in range(1, extra + 1)]

    assert list(changes(given_limit, dense)) == list(changes(given_limit, sparse))


def test_what_is_pending_is_due() -> None:
    """A running delay has an end; nothing pending has none."""
    given_limit = limit(on=5)
    watch = watched(QUIET, given_limit, at(0, 11))

    assert due(watch, given_limit) == START + timedelta(seconds=5)
    assert due(Watch(active=True), given_limit) is None
