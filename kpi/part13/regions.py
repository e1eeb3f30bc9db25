"""Regions of time between readings, cut at the edges of the intervals (OPC 10000-13, 3.1.7 to 9).

Two neighbouring points span a *pair*: ``tag_id, t0, t1`` [us] (``t1`` null: no end), ``value`` at
t0 (null: nothing to use), ``slope`` [1/us], ``status`` at t0, ``good`` (the whole of it is),
``closed`` (a point follows). A *region* is the part of a pair in one interval: ``slot, lower,
upper`` [us], ``value`` and ``status`` at its lower end, ``slope``, ``good``, ``edge`` (it starts
the interval). Bounding values need no search: a bound is where a region starts at an edge.
"""

import polars as pl

from kpi.part13.history import BAD, GOOD, RESOLUTION, UNCERTAIN, History
from kpi.part13.intervals import Intervals

_VALUE, _STATUS = pl.col("value"), pl.col("status")


def simple(history: History) -> pl.LazyFrame:
    """Regions between adjacent points, bad ones included (simple bounding values, 3.1.9).

    A region that starts at a bad point has no value. A sloped one whose next point is bad, or not
    there yet, holds its value and is uncertain. Known data ends 1 ms after the last point.
    """
    stepped = history.configuration.stepped
    usable = history.usable()
    point = history.points.select(
        "tag_id",
        t0="t",
        value=pl.when(usable).then(_VALUE),
        status=pl.when(usable).then(_STATUS).otherwise(BAD),
    )
    pair = point.with_columns(closed=_next_is_same_tag())
    reached = pair.with_columns(
        t1=_next("t0"), next_value=_next("value"), next_status=_next("status")
    )
    good = (_STATUS == GOOD) & (stepped | (pl.col("next_status") == GOOD).fill_null(value=False))
    return _cut(
        reached.with_columns(
            slope=pl.lit(0.0) if stepped else _slope(),
            good=good,
            t1=pl.col("t1").fill_null(pl.col("t0") + RESOLUTION),
        ),
        history.intervals,
    )


def interpolated(history: History, *, stepped: bool) -> pl.LazyFrame:
    """Regions between usable points, bad ones skipped (interpolated bounding values, 3.1.8).

    A region is good if both its ends are and nothing was skipped between. Behind the last usable
    point the signal is extrapolated without end, and uncertain.
    """
    pair = _held(history) if stepped else _sloped(history)
    return _cut(pair, history.intervals)


def bounds(regions: pl.LazyFrame) -> pl.LazyFrame:
    """The bounding values at the starts of intervals: ``slot, value, status``."""
    return regions.filter("edge").select("slot", "value", "status")


def _held(history: History) -> pl.LazyFrame:
    usable = history.usable()
    held = pl.when(usable).then(_VALUE).forward_fill().over("tag_id")
    pair = history.points.select(
        "tag_id",
        t0="t",
        value=held,
        status=pl.when(usable)
        .then(_STATUS)
        .when(held.is_not_null())
        .then(UNCERTAIN)
        .otherwise(BAD),
        good=usable & (_STATUS == GOOD),
    ).with_columns(closed=_next_is_same_tag())
    return pair.with_columns(
        t1=_next("t0"), slope=pl.lit(0.0), good=pl.col("good") & pl.col("closed")
    )


def _sloped(history: History) -> pl.LazyFrame:
    point = (
        history.points.with_row_index("row")
        .filter(history.usable())
        .select("tag_id", "row", "value", "status", t0="t")
        .with_columns(closed=_next_is_same_tag())
    )
    pair = point.with_columns(
        t1=_next("t0"),
        next_value=_next("value"),
        next_status=_next("status"),
        adjacent=pl.col("row").shift(-1) - pl.col("row") == 1,
    ).with_columns(slope=_slope())
    good = (
        pl.col("closed") & pl.col("adjacent") & (_STATUS == GOOD) & (pl.col("next_status") == GOOD)
    )
    pair = pair.with_columns(good=good.fill_null(value=False))
    configuration = history.configuration
    if not configuration.use_sloped_extrapolation or configuration.stepped:
        return pair
    same_tag = pl.col("tag_id") == pl.col("tag_id").shift(1)
    before = pl.when(same_tag).then(pl.col("slope").shift(1)).fill_null(0.0)
    return pair.with_columns(slope=pl.when("closed").then("slope").otherwise(before))


def _next_is_same_tag() -> pl.Expr:
    return (pl.col("tag_id") == pl.col("tag_id").shift(-1)).fill_null(value=False)


def _next(column: str) -> pl.Expr:
    return pl.when("closed").then(pl.col(column).shift(-1))


def _slope() -> pl.Expr:
    rise, run = pl.col("next_value") - _VALUE, pl.col("t1") - pl.col("t0")
    return (rise / run).fill_null(0.0)


def _cut(pairs: pl.LazyFrame, intervals: Intervals) -> pl.LazyFrame:
    t0, t1, slope = pl.col("t0"), pl.col("t1"), pl.col("slope")
    first = intervals.index(t0).clip(lower_bound=0)
    last = intervals.index(t1 - 1).fill_null(intervals.count)
    reaching = pairs.with_columns(index=first, last=last).filter(
        (pl.col("last") >= 0) & (t0 <= intervals.end)
    )
    index = pl.col("index")
    within = reaching.filter(pl.col("last") == index)
    across = (
        reaching.filter(pl.col("last") > index)
        .with_columns(index=pl.int_ranges("index", pl.col("last") + 1))
        .explode("index")
    )
    lower = pl.max_horizontal(t0, intervals.edge(index))
    at_point = lower == t0
    status = (
        pl.when(at_point)
        .then(_STATUS)
        .when(_VALUE.is_null())
        .then(BAD)
        .when("good")
        .then(GOOD)
        .otherwise(UNCERTAIN)
    )
    return pl.concat([within, across]).select(
        intervals.slot(index).alias("slot"),
        lower.alias("lower"),
        pl.min_horizontal(t1, intervals.edge(index + 1)).alias("upper"),
        (_VALUE + slope * (lower - t0)).alias("value"),
        status.cast(pl.Int8).alias("status"),
        "slope",
        "good",
        (lower == intervals.edge(index)).alias("edge"),
    )
