"""Merging summaries: the algebra that lets hours be made of minutes."""

from datetime import timedelta
from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.merge import merge
from kpi.summary import summarise
from tests.kpi.frames import HOUR, MINUTE, PROPERTY, START, TAG, Row, at, readings, rows

FIVE = timedelta(minutes=5)
#: Sums of floats that are merged by stages; all else must be equal to the bit.
_SUMS = ["integral", "increase", "total"]
_SECONDS = ["good_s", "covered_s", "active_s"]


def _equal(left: pl.DataFrame, right: pl.DataFrame, size: float) -> None:
    """Exactly, but for sums of floats: seconds to 1 ns, others to the rounding of their terms."""
    loose = _SUMS + _SECONDS
    assert_frame_equal(left.drop(loose), right.drop(loose), check_exact=True)
    assert_frame_equal(left.select(_SECONDS), right.select(_SECONDS), rel_tol=0, abs_tol=1e-9)
    assert_frame_equal(left.select(_SUMS), right.select(_SUMS), rel_tol=1e-12, abs_tol=1e-12 * size)


def _size(points: list[Row]) -> float:
    return 4000 * max((abs(v) for _, v, _ in points if v is not None and abs(v) < 1e300), default=0)


@PROPERTY
@given(rows(), TAG, st.integers(1, 599_999))
def test_merging_adjacent_spans_is_summarising_their_union(
    points: list[Row], tag: pl.DataFrame, edge_ms: int
) -> None:
    """merge(summarise(x), summarise(y)) == summarise(x + y), the edge being anywhere."""
    frame, edge = readings(points), at(edge_ms / 1000)
    parts = [
        summarise(frame, tag, START, edge, MINUTE),
        summarise(frame, tag, edge, at(600), MINUTE),
    ]
    _equal(
        merge(*parts, every=MINUTE), summarise(frame, tag, START, at(600), MINUTE), _size(points)
    )


@PROPERTY
@given(rows(3600.0), TAG)
def test_hours_made_of_minutes_are_hours(points: list[Row], tag: pl.DataFrame) -> None:
    """An hour summarised at once equals its minutes merged; sums over buckets equal the total."""
    frame = readings(points)
    minutes = summarise(frame, tag, START, at(3600), MINUTE)
    _equal(merge(minutes, every=HOUR), summarise(frame, tag, START, at(3600), HOUR), _size(points))


@PROPERTY
@given(rows(), TAG, st.tuples(st.integers(1, 9), st.integers(1, 9)).map(sorted))
def test_merging_is_associative(points: list[Row], tag: pl.DataFrame, cuts: list[int]) -> None:
    """(a b) c == a (b c) == a b c, empty parts among them."""
    frame = readings(points)
    edges = [START, at(60 * cuts[0]), at(60 * cuts[1]), at(600)]
    a, b, c = (summarise(frame, tag, low, high, MINUTE) for low, high in pairwise(edges))
    left = merge(merge(a, b, every=HOUR), c, every=HOUR)
    right = merge(a, merge(b, c, every=HOUR), every=HOUR)
    _equal(left, right, _size(points))
    _equal(left, merge(a, b, c, every=HOUR), _size(points))


@PROPERTY
@given(st.lists(st.tuples(rows(), TAG), min_size=1, max_size=4), st.integers(0, 9))
def test_rows_merged_at_once_are_the_same_bits_in_any_order(
    given_tags: list[tuple[list[Row], pl.DataFrame]], seed: int
) -> None:
    """Neither the order of the rows nor the other tags change a digit."""
    minutes = [
        summarise(
            readings(points, tag_id),
            tag.with_columns(tag_id=pl.lit(tag_id, pl.Int32)),
            START,
            at(600),
            MINUTE,
        )
        for tag_id, (points, tag) in enumerate(given_tags)
    ]
    whole = merge(*minutes, every=FIVE)
    shuffled = pl.concat(minutes).sample(fraction=1, shuffle=True, seed=seed)
    assert_frame_equal(merge(shuffled, every=FIVE), whole, check_exact=True)
    alone = pl.concat(merge(part, every=FIVE) for part in minutes)
    assert_frame_equal(alone, whole, check_exact=True)
