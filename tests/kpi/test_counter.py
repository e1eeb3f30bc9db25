"""Counters with a bound: the complaints that it answers, and what it must never do."""

from collections.abc import Sequence
from itertools import pairwise

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.counter import COUNT, LATE_S
from kpi.summary import summarise
from tests.kpi.frames import HOUR, PROPERTY, START, Row, at, only, readings, rows, tags

WALLBOX = 22.0
"""What a three-phase charger of 32 A can give [kWh/h]."""
BITS_23 = 2.0**23
DAY = 86_400
SECOND = HOUR / 3600


def counted(
    values: Sequence[float],
    max_rate: float | None,
    modulus: float | None = None,
    every_s: float = 60,
) -> tuple[object, object]:
    """Increase and refused steps of a register read so often."""
    points = readings([(every_s * place, value) for place, value in enumerate(values)])
    tag = tags("counter", max_rate=max_rate, modulus=modulus)
    found = summarise(points, tag, START, at(every_s * len(values)), every_s * len(values) * SECOND)
    return only(found)["increase"], only(found)["refused"]


@pytest.mark.parametrize("modulus", [None, BITS_23])
def test_a_momentary_0_books_nothing(modulus: float | None) -> None:
    """53.7 MWh between two minutes, as evcc booked them (evcc#30592)."""
    assert counted([53_700, 0, 53_700], WALLBOX, modulus) == (0, 1)
    assert counted([53_700, 0, 53_700], None)[0] == 53_700


def test_a_wrap_is_booked() -> None:
    """A register of 23 bits (ioBroker.sourceanalytix#594)."""
    assert counted([BITS_23 - 8, 12], 1000, BITS_23) == (20, 0)


def test_a_reset_is_told_from_a_wrap() -> None:
    """Power loss of a meter with a modulus: 8 million would be booked as a wrap."""
    assert counted([53_700, 0.3], WALLBOX, BITS_23) == (0.3, 0)
    assert counted([53_700, 0.3], None, BITS_23)[0] == BITS_23 - 53_700 + 0.3


@pytest.mark.parametrize(("old", "new"), [(53_700, 5_000), (5_000, 53_700)])
def test_a_meter_in_the_place_of_another_begins_anew(old: float, new: float) -> None:
    """Whichever has counted more (ioBroker.statistics#264)."""
    assert counted([old, old + 0.1, new, new + 0.2], WALLBOX) == (pytest.approx(0.3), 1)
    assert counted([old, old + 0.1, new, new + 0.2], WALLBOX, BITS_23) == (pytest.approx(0.3), 1)


def test_what_was_counted_over_an_outage_is_booked() -> None:
    """The bound grows with the time: a day at full power is possible, a tenth more is not."""
    assert counted([100, 100 + 22 * 24], WALLBOX, every_s=DAY) == (528, 0)
    assert counted([100, 100 + 24.2 * 24], WALLBOX, every_s=DAY) == (0, 1)


def test_a_reset_in_an_outage_is_booked_from_zero() -> None:
    """What stood there before the reset is lost, what climbed since is not."""
    assert counted([53_700, 400], WALLBOX, BITS_23, every_s=DAY) == (400, 0)


def test_a_whole_unit_may_come_at_any_time() -> None:
    """A register of whole kWh steps once in 2.7 minutes at full power, within a second."""
    assert counted([10, 10, 11, 11], WALLBOX, every_s=1) == (1, 0)


def test_a_register_may_be_brought_up_to_date_late() -> None:
    """5 MW in a register that the meter writes every 15 s and that is read every second."""
    climbs = [20.8 * (second // 15) for second in range(60)]
    assert counted(climbs, 5_500, every_s=1) == (pytest.approx(62.4), 0)


def test_the_bound_itself_is_possible_and_more_is_not() -> None:
    """60 units an hour over a minute: 1, 1 for what may be late, and 1 count."""
    most = 60 * (60 + LATE_S) / 3600 + COUNT
    assert counted([0, most], 60) == (most, 0)
    assert counted([0, most + 1e-9], 60) == (0, 1)


def test_refused_is_null_where_nothing_is_checked() -> None:
    """Not 0: nobody looked. A gauge has none either."""
    assert counted([1, 2], None) == (1, None)
    found = summarise(readings([(0, 1)]), tags(max_rate=1), START, at(60), HOUR)
    assert only(found)["refused"] is None


def test_an_unusable_reading_between_two_is_no_step() -> None:
    """The 0 of bad quality is not compared with anything, and the time runs on."""
    points = readings([(0, 53_700), (60, 0, 0), (120, 53_700.5)])
    found = only(summarise(points, tags("counter", max_rate=WALLBOX), START, at(180), HOUR))
    assert (found["increase"], found["refused"]) == (0.5, 0)


@PROPERTY
@given(rows(), st.sampled_from([None, 1000.0]), st.floats(1e-3, 1e9))
def test_never_less_than_nothing_and_never_more_than_possible(
    points: list[Row], modulus: float | None, max_rate: float
) -> None:
    """Each step is of [0, bound]; what is counted and what is refused are all the steps."""
    tag = tags("counter", modulus=modulus, max_rate=max_rate)
    for before, after in pairwise(points):
        found = summarise(readings([before, after]), tag, at(-100), at(700), HOUR)
        most = max_rate * (after[0] - before[0] + LATE_S) / 3600 + COUNT
        assert found["increase"].sum() >= 0
        assert found["increase"].sum() <= most * (1 + 1e-12)
        assert found["increase"].sum() == 0 or found["refused"].sum() == 0


@PROPERTY
@given(rows(), st.sampled_from([None, 1000.0, 1e10]))
def test_a_bound_beyond_all_changes_nothing_of_a_register(
    points: list[Row], modulus: float | None
) -> None:
    """Of values that a register can have, to the bit."""
    top = modulus or 1e300
    held = [row for row in points if row[1] is not None and 0 <= row[1] < top]
    free, bound = (
        summarise(
            readings(held),
            tags("counter", modulus=modulus, max_rate=max_rate),
            START,
            at(600),
            HOUR,
        )
        for max_rate in (None, 1e300)
    )
    assert_frame_equal(free.drop("refused"), bound.drop("refused"), check_exact=True)
    assert bound["refused"].sum() == 0


@PROPERTY
@given(
    st.lists(st.tuples(st.integers(1, 7200), st.floats(0, 1)), min_size=1, max_size=30),
    st.integers(0, 99_999),
    st.sampled_from([36.0, 4800.0]),
)
def test_a_register_within_its_rating_is_never_refused(
    steps: list[tuple[int, float]], begins: int, rating: float
) -> None:
    """Whole units that wrap at 100 000, read at any times: to the unit what the meter counted."""
    seconds, energy, points = 0, begins + 0.5, []
    for wait, load in steps:
        points.append((float(seconds), float(energy // 1 % 100_000)))
        seconds, energy = seconds + wait, energy + rating * load * wait / 3600
    points.append((float(seconds), float(energy // 1 % 100_000)))
    tag = tags("counter", modulus=100_000, max_rate=rating)
    found = summarise(readings(points), tag, START, at(seconds + 1), (seconds + 1) * SECOND)
    assert found.select(pl.col("increase").sum(), pl.col("refused").sum()).row(0) == (
        energy // 1 - begins,
        0,
    )
