"""Computed tags: the product of two measured ones."""

from itertools import pairwise

import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from kpi.frames import PRODUCTS
from kpi.product import multiply
from kpi.summary import summarise
from tests.kpi.frames import MINUTE, PROPERTY, START, Row, at, readings, rows, tags

OPERANDS = pl.concat([tags(stale_after_s=100, tag_id=1), tags(stale_after_s=60, tag_id=2)])
PRODUCT = pl.DataFrame([(3, 1, 2)], schema=dict(PRODUCTS), orient="row")


def _product(left: list[Row], right: list[Row]) -> pl.DataFrame:
    both = pl.concat([readings(left, 1), readings(right, 2)])
    return multiply(both.sample(fraction=1, shuffle=True, seed=3), PRODUCT, OPERANDS)


def test_the_product_changes_with_either_operand() -> None:
    """Readings at the union of the times, each of the values held then."""
    found = _product([(0, 4.0, 192), (20, 5.0, 192)], [(10, 100.0, 192), (20, 200.0, 64)])
    assert found.select("ts", "value", "quality").rows()[:4] == [
        (at(0), None, 0),
        (at(10), 400.0, 192),
        (at(20), 1000.0, 64),
        (at(80), None, 0),
    ]


def test_the_product_is_bad_where_an_operand_is() -> None:
    """A bad operand makes the product bad until its next usable reading."""
    found = _product([(0, 4.0, 192), (10, 9.0, 0), (30, 5.0, 192)], [(0, 100.0, 192)])
    values = dict(found.select("ts", "value").iter_rows())
    assert [values[at(s)] for s in (0, 10, 30)] == [400.0, None, 500.0]


def test_the_product_goes_stale_with_the_first_operand_that_does() -> None:
    """The second operand holds for 60 s, the first for 100 s."""
    found = _product([(0, 4.0, 192)], [(0, 100.0, 192)])
    assert found.select("ts", "value").rows() == [(at(0), 400.0), (at(60), None), (at(100), None)]


@PROPERTY
@given(rows(), rows())
def test_the_product_of_states_is_their_common_time(left: list[Row], right: list[Row]) -> None:
    """With every value 1, the product is covered and good exactly where both operands are."""
    ones = [[(s, 1.0 if v is not None else None, q) for s, v, q in side] for side in (left, right)]
    product = _product(*ones)
    tag = tags(tag_id=3)
    found = summarise(product, tag, START, at(600), MINUTE)
    covered = good = 0
    for low, high in _pieces(ones):
        states = [_state(side, low, stale) for side, stale in zip(ones, (100.0, 60.0), strict=True)]
        covered += (high - low) * (min(states) > 0)
        good += (high - low) * (min(states) > 1)
    assert round(found["covered_s"].sum() * 1000) == covered
    assert round(found["good_s"].sum() * 1000) == good


def _pieces(sides: list[list[Row]]) -> list[tuple[int, int]]:
    """The spans [ms] of 0 to 600 s in which nothing changes."""
    edges = {0, 600_000}
    for side, stale in zip(sides, (100, 60), strict=True):
        for seconds, _, _ in side:
            edges |= {round(seconds * 1000), round((seconds + stale) * 1000)}
    inside = sorted(edge for edge in edges if 0 <= edge <= 600_000)
    return list(pairwise(inside))


def _state(side: list[Row], ms: int, stale: float) -> int:
    """2 good, 1 uncertain, 0 unknown at *ms*."""
    before = [row for row in side if round(row[0] * 1000) <= ms]
    if not before:
        return 0
    seconds, value, quality = before[-1]
    if value is None or ms >= round((seconds + stale) * 1000):
        return 0
    return 2 if 192 <= quality < 256 else int(64 <= quality < 128)


@PROPERTY
@given(rows(), rows(), st.integers(1, 9))
def test_bounds_stand_for_all_that_came_before(
    left: list[Row], right: list[Row], minute: int
) -> None:
    """From a later minute on, the last reading of each operand before it gives the same bits."""
    edge = at(60 * minute)
    sides = [readings(left, 1), readings(right, 2)]
    whole = multiply(pl.concat(sides), PRODUCT, OPERANDS)
    bounded = [
        pl.concat([side.filter(pl.col("ts") < edge).tail(1), side.filter(pl.col("ts") >= edge)])
        for side in sides
    ]
    part = multiply(pl.concat(bounded), PRODUCT, OPERANDS)
    tag = tags(tag_id=3, stale_after_s=1000)
    assert_frame_equal(
        summarise(part, tag, edge, at(600 + 60), MINUTE),
        summarise(whole, tag, edge, at(600 + 60), MINUTE),
        check_exact=True,
    )
