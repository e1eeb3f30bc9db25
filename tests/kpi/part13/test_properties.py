"""Laws that hold for any readings, and a plain loop that computes the same."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from random import Random

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

import kpi
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.names import Aggregate
from tests.kpi.part13.annex import NOON, readings

_MINUTE = timedelta(minutes=1)
_END = NOON + _MINUTE

Valued = tuple[float, float, int]

#: Other work on the machine must not fail a law.
_UNHURRIED = settings(deadline=None, max_examples=60)

values = st.integers(-3, 3).map(float)
qualities = st.sampled_from([0, 64, 192, 192, 192])
instants = st.integers(-20, 80) | st.integers(-20_000, 80_000).map(lambda ms: ms / 1000)
samples = st.lists(
    st.tuples(instants, values, qualities), min_size=1, max_size=30, unique_by=lambda s: s[0]
).map(sorted)
configurations = st.builds(
    AggregateConfiguration,
    treat_uncertain_as_bad=st.booleans(),
    use_sloped_extrapolation=st.booleans(),
    stepped=st.booleans(),
)
lengths = st.sampled_from([timedelta(seconds=s) for s in (7, 10, 13.5, 60)])


def _ask(
    taken: Sequence[Valued] | pl.DataFrame,
    aggregate: str,
    config: AggregateConfiguration,
    every: timedelta = _MINUTE,
    end: datetime = _END,
) -> pl.DataFrame:
    frame = taken if isinstance(taken, pl.DataFrame) else readings(taken)
    return kpi.aggregate(frame, aggregate, NOON, end, every, config)


def _value(taken: list[Valued], aggregate: str, config: AggregateConfiguration) -> float | None:
    value: float | None = _ask(taken, aggregate, config)["value"].item()
    return value


@_UNHURRIED
@given(
    st.lists(samples, min_size=2, max_size=4),
    st.sampled_from(list(Aggregate)),
    configurations,
    lengths,
    st.randoms(use_true_random=False),
)
def test_neither_other_tags_nor_the_order_of_rows_matter(
    archives: list[list[Valued]],
    aggregate: Aggregate,
    config: AggregateConfiguration,
    every: timedelta,
    random: Random,
) -> None:
    """Many tags in a shuffled frame are answered as each tag alone is."""
    frames = [readings(taken, tag_id) for tag_id, taken in enumerate(archives)]
    mixed = pl.concat(frames)
    order = list(range(mixed.height))
    random.shuffle(order)

    together = _ask(mixed[order], aggregate, config, every)

    alone = pl.concat(_ask(frame, aggregate, config, every) for frame in frames)
    assert_frame_equal(together, alone, abs_tol=1e-9)


@_UNHURRIED
@given(samples, configurations, lengths, st.sampled_from(["Total2", "Total"]))
def test_totals_of_parts_add_up(
    taken: list[Valued], config: AggregateConfiguration, every: timedelta, aggregate: str
) -> None:
    """A total over a minute is the sum of those over its parts, which speak of the same data.

    Total extrapolates to the end of the interval in which known data ends, so it is asked for
    archives that go on behind the minute.
    """
    if aggregate == "Total":
        taken = [*taken, (81.0, 1.0, 192)]
    whole = _value(taken, aggregate, config)
    parts = _ask(taken, aggregate, config, every)["value"]

    assert parts.sum() == pytest.approx(whole or 0.0, abs=1e-9)
    assert (whole is None) == parts.is_null().all()


@_UNHURRIED
@given(samples, configurations)
def test_the_average_times_the_time_it_speaks_of_is_the_total(
    taken: list[Valued], config: AggregateConfiguration
) -> None:
    """TimeAverage2 leaves bad time out of numerator and divisor; DurationBad is that time."""
    taken = [*taken, (81.0, 1.0, 192)]
    average, total = _value(taken, "TimeAverage2", config), _value(taken, "Total2", config)
    bad = _value(taken, "DurationBad", config)
    if average is None or total is None or bad is None:
        assert average is total is None
        return
    assert average * (60 - bad / 1000) == pytest.approx(total, abs=1e-9)


@_UNHURRIED
@given(samples, configurations, lengths)
def test_good_and_bad_time_fit_into_the_interval(
    taken: list[Valued], config: AggregateConfiguration, every: timedelta
) -> None:
    """What is neither good nor bad is uncertain; the states fill the good time."""
    good, bad, zero, non_zero = (
        _ask(taken, name, config, every)["value"].fill_null(0)
        for name in ("DurationGood", "DurationBad", "DurationInStateZero", "DurationInStateNonZero")
    )
    assert ((good + bad) <= every / timedelta(milliseconds=1)).all()
    assert ((zero + non_zero) <= good).all()


@_UNHURRIED
@given(samples, configurations, lengths)
def test_counts_of_parts_add_up(
    taken: list[Valued], config: AggregateConfiguration, every: timedelta
) -> None:
    """Every good reading of the minute is counted in one interval."""
    parts = _ask(taken, "Count", config, every)["value"].sum()
    assert parts == sum(1 for s, _, quality in taken if 0 <= s < 60 and quality == 192)


@_UNHURRIED
@given(st.lists(st.tuples(instants, values, st.just(192)), min_size=1, unique_by=lambda s: s[0]))
def test_a_mean_lies_between_the_extremes(good: list[Valued]) -> None:
    """A line between candidates never leaves them."""
    taken = sorted([(-21.0, 0.0, 192), *good, (81.0, 0.0, 192)])
    config = AggregateConfiguration()
    low, mean, high = (_value(taken, n, config) for n in ("Minimum2", "TimeAverage2", "Maximum2"))
    assert low is not None
    assert mean is not None
    assert high is not None
    assert low - 1e-9 <= mean <= high + 1e-9


@_UNHURRIED
@given(samples, configurations)
def test_a_plain_loop_finds_the_same_total(
    taken: list[Valued], config: AggregateConfiguration
) -> None:
    """The vectorised regions agree with a loop over neighbouring readings."""
    usable = {192} if config.treat_uncertain_as_bad else {64, 192}
    total, used = 0.0, False
    for (t0, v0, q0), (t1, v1, q1) in pairwise([*taken, (taken[-1][0] + 0.001, 0.0, 0)]):
        low, high = max(t0, 0), min(t1, 60)
        if q0 not in usable or high <= low:
            continue
        slope = 0.0 if config.stepped or q1 not in usable else (v1 - v0) / (t1 - t0)
        total += (high - low) * (v0 + slope * ((low + high) / 2 - t0))
        used = True

    answer = _value(taken, "Total2", config)

    known = taken[-1][0] >= 0
    assert answer == (pytest.approx(total, abs=1e-6) if used and known else None)
