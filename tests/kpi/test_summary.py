"""Summaries: published examples, the slow way, and what must not matter."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.frames import SUMMARY
from kpi.summary import summarise
from tests.kpi.frames import HOUR, MINUTE, PROPERTY, START, TAG, Row, at, only, readings, rows, tags
from tests.kpi.oracle import oracle

_SUMS = ("integral", "increase", "total")


def test_a_held_step_counts_up_to_the_end() -> None:
    """5 held from 2 s, 10 at 5 s, 20 at 10 s, to 12 s: Total2 is 105, TimeAverage2 is 10.5."""
    found = only(summarise(readings([(2, 5), (5, 10), (10, 20)]), tags(), at(2), at(12), MINUTE))
    assert found["integral"] == 105
    assert found["integral"] / found["covered_s"] == 10.5


_SAWTOOTH = [(0, 10), (60, 20), (120, 10), (180, 20), (240, 10)]
_IRREGULAR = [*_SAWTOOTH, (480, 30), (600, 10), (630, 20), (1200, 30)]


@pytest.mark.parametrize(
    ("points", "interpolation", "mean"),
    [
        ([(0, 10), (60, 20)], "linear", 15),
        ([(0, 10), (60, 20)], "step", 10),
        (_SAWTOOTH, "linear", 15),
        (_SAWTOOTH, "step", 15),
        (_IRREGULAR, "linear", 21.25),
        (_IRREGULAR, "step", 17.75),
    ],
)
def test_time_weighted_means_equal_those_published_by_the_timescaledb_toolkit(
    points: Sequence[tuple[float, float]], interpolation: str, mean: float
) -> None:
    """From first to last point, the toolkit's time_weight gives the same numbers."""
    end = at(points[-1][0])
    found = summarise(readings(points), tags(interpolation=interpolation), START, end, HOUR)
    assert only(found)["integral"] / only(found)["covered_s"] == pytest.approx(mean, rel=1e-15)


def test_storage_integral_equals_the_published_byte_hours() -> None:
    """The toolkit's storage example is 550 byte-hours."""
    points = [(0, 0), (1800, 100), (10800, 300), (11400, 1000), (12300, 817)]
    found = summarise(readings(points), tags(), START, at(12300), timedelta(days=1))
    assert only(found)["integral"] / 3600 == pytest.approx(550, rel=1e-15)


def test_state_times_equal_those_published_by_the_timescaledb_toolkit() -> None:
    """OK from 0:11 to 1:00 and from 1:03 to 2:00: 1:46 in two activations."""
    states = readings([(0, 0), (11, 1), (60, 0), (63, 1), (120, 0)])
    found = only(summarise(states, tags("state"), START, at(121), HOUR))
    assert (found["active_s"], found["activations"]) == (106, 2)
    part = only(summarise(states, tags("state"), at(60), at(121), HOUR))
    assert part["active_s"] == 57


@pytest.mark.parametrize(
    ("values", "modulus", "increase"),
    [
        ([10, 20], None, 10),  # TimescaleDB toolkit, counter_agg
        ([999_990, 12], 1e6, 22),  # wraps
        ([999_990, 12], None, 12),  # reset: climbed from zero
        ([5, 5, 5], None, 0),
    ],
)
def test_a_counter_climbs_wraps_or_is_reset(
    values: Sequence[float], modulus: float | None, increase: float
) -> None:
    """The rule for a decrease is the tag's modulus."""
    points = readings([(60 * place, value) for place, value in enumerate(values)])
    found = summarise(points, tags("counter", modulus=modulus), START, at(600), HOUR)
    assert only(found)["increase"] == increase


def test_a_counter_carries_its_increase_over_an_outage() -> None:
    """What was counted while nobody read belongs to the reading after, though not its course."""
    points = readings([(0, 100), (30, None, 0), (3600, 700)])
    found = summarise(points, tags("counter", stale_after_s=60), START, at(3660), HOUR)
    assert found["increase"].to_list() == [0, 600]
    assert found["covered_s"].to_list() == [30, 60]


def test_silence_beyond_stale_after_is_not_covered() -> None:
    """A value holds for stale_after_s and not longer, and no line is drawn over the gap."""
    points = readings([(0, 10), (600, 20)])
    for interpolation in ("step", "linear"):
        tag = tags(interpolation=interpolation, stale_after_s=90)
        found = summarise(points, tag, START, at(660), MINUTE)
        assert found["bucket"].to_list() == [at(0), at(60), at(600)]
        assert found["covered_s"].to_list() == [60, 30, 60]
        assert found["integral"].to_list() == [600, 300, 1200]


def test_bad_ends_the_coverage_and_uncertain_is_covered_but_not_good() -> None:
    """10 good for 10 s, 20 uncertain for 10 s, bad for 10 s, 40 good for 30 s."""
    points = readings([(0, 10), (10, 20, 64), (20, 30, 0), (30, 40)])
    found = only(summarise(points, tags(), START, at(60), MINUTE))
    assert (found["covered_s"], found["good_s"]) == (50, 40)
    assert found["integral"] == 100 + 200 + 1200
    assert (found["count"], found["max"]) == (3, 40)


def test_a_line_is_good_only_between_good_ends() -> None:
    """A sloped region that ends in an uncertain point is uncertain (OPC 10000-13)."""
    points = readings([(0, 10), (30, 20, 64), (60, 30)])
    found = only(summarise(points, tags(interpolation="linear"), START, at(60), MINUTE))
    assert (found["covered_s"], found["good_s"]) == (60, 0)
    assert found["integral"] == 1200


def test_a_silent_event_tag_is_not_missing() -> None:
    """Between two events, and for stale_after_s after the last one, an event tag is covered."""
    points = readings([(30, 1500), (90, 1400)])
    found = summarise(points, tags("event", stale_after_s=100), START, at(300), MINUTE)
    assert found["total"].to_list() == [1500, 1400, 0, 0]
    assert found["covered_s"].to_list() == [30, 60, 60, 10]


def test_an_empty_frame_gives_an_empty_frame() -> None:
    """No reading, no row; the columns are those of a rollup."""
    found = summarise(readings([]), tags(), START, at(60), MINUTE)
    assert found.is_empty()
    assert dict(found.schema) == dict(SUMMARY)


@PROPERTY
@given(rows(), TAG, st.sampled_from([MINUTE, timedelta(seconds=7), HOUR]), st.data())
def test_summaries_equal_the_slow_way(
    points: list[Row], tag: pl.DataFrame, every: timedelta, data: st.DataObject
) -> None:
    """Counts, times and extremes exactly; sums to the rounding of their terms."""
    start = at(data.draw(st.integers(0, 300_000)) / 1000)
    end = at(data.draw(st.integers(300_001, 700_000)) / 1000)
    frame = readings(points)
    found = summarise(frame, tag, start, end, every)
    expected = oracle(frame, tag.row(0, named=True), start, end, every)
    size = max((abs(v) for _, v, _ in points if v is not None and abs(v) < 1e300), default=0)
    assert found.height == len(expected)
    for row, right in zip(found.iter_rows(named=True), expected, strict=True):
        for name, value in right.items():
            if name in _SUMS and value is not None:
                # Sums of terms of either sign: their error follows the size of the terms.
                assert row[name] == pytest.approx(value, rel=1e-12, abs=1e-12 * size * 700)
            elif name.endswith("_s") and value is not None:
                assert row[name] == pytest.approx(value, rel=1e-15)
            else:
                assert row[name] == value, name


@PROPERTY
@given(st.lists(st.tuples(rows(), TAG), min_size=1, max_size=5), st.randoms(), st.data())
def test_neither_order_nor_company_nor_chunks_nor_calls_matter(
    given_tags: list[tuple[list[Row], pl.DataFrame]], random: object, data: st.DataObject
) -> None:
    """Bit for bit the same rows, however the readings are presented."""
    frames = [readings(points, tag_id) for tag_id, (points, _) in enumerate(given_tags)]
    all_tags = pl.concat(
        tag.with_columns(tag_id=pl.lit(tag_id, pl.Int32))
        for tag_id, (_, tag) in enumerate(given_tags)
    )
    end = at(600)
    whole = summarise(pl.concat(frames), all_tags, START, end, MINUTE)
    alone = [summarise(frame, all_tags, START, end, MINUTE) for frame in frames]
    assert_frame_equal(pl.concat(alone), whole, check_exact=True)
    shuffled = pl.concat(frames).sample(fraction=1, shuffle=True, seed=data.draw(st.integers(0, 9)))
    chunks = pl.concat(
        [shuffled[place : place + 3] for place in range(0, shuffled.height, 3)] or [shuffled],
        rechunk=False,
    )
    assert_frame_equal(summarise(chunks, all_tags, START, end, MINUTE), whole, check_exact=True)
    edge = at(60 * data.draw(st.integers(1, 9)))
    parts = [
        summarise(chunks, all_tags, START, edge, MINUTE),
        summarise(chunks, all_tags, edge, end, MINUTE),
    ]
    calls = pl.concat(parts).sort("tag_id", "bucket")
    assert_frame_equal(calls, whole, check_exact=True)


def test_floats_add_up_the_same_in_any_company() -> None:
    """Where a grouped sum of Polars would differ in the last digits, a summary does not."""
    points = [(s, (s * 7919 % 1009) / 7.0 + 1e-3 * s) for s in range(3600)]
    company = [readings(points[: 1801 + tag_id], tag_id) for tag_id in range(2, 40)]
    every_tag = pl.concat(tags(tag_id=tag_id) for tag_id in range(40))
    alone = summarise(readings(points), every_tag, START, at(3600), HOUR)
    frame = pl.concat([readings(points[:13], 0), readings(points), *company], rechunk=False)
    mixed = summarise(frame, every_tag, START, at(3600), HOUR)
    assert_frame_equal(mixed.filter(tag_id=1), alone, check_exact=True)


@PROPERTY
@given(rows(), TAG)
def test_bounds_stand_for_all_that_came_before(points: list[Row], tag: pl.DataFrame) -> None:
    """The last reading before, and the last usable one, are all a later bucket needs."""
    frame, edge = readings(points), at(240)
    before = frame.filter(pl.col("ts") < edge)
    usable = before.filter(
        pl.col("value").is_finite()
        & (pl.col("quality").is_between(64, 127) | pl.col("quality").is_between(192, 255))
    )
    bounds = pl.concat([before.tail(1), usable.tail(1)]).unique()
    part = pl.concat([bounds, frame.filter(pl.col("ts") >= edge)])
    assert_frame_equal(
        summarise(part, tag, edge, at(600), MINUTE),
        summarise(frame, tag, edge, at(600), MINUTE),
        check_exact=True,
    )
