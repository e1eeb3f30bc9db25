"""Minimum, maximum and range, with and without bounds (OPC 10000-13, 5.4.3.10 to 19).

*Candidates* are rows ``slot, t`` [us], ``value, candidate, good, bad`` and the quality of an
interval as an expression over its rows. Rows that are no candidates count for the quality alone.
"""

from collections.abc import Callable

import polars as pl

from kpi.part13 import bounding
from kpi.part13.history import GOOD, RESOLUTION, History, instant
from kpi.part13.status import by_share, flawless

Found = tuple[pl.LazyFrame, pl.Expr]
Candidates = Callable[[History], Found]
Compute = Callable[[History], pl.LazyFrame]

_CANDIDATES = pl.col("value").filter("candidate")
_LOW, _HIGH = _CANDIDATES.min(), _CANDIDATES.max()


def minimum(candidates: Candidates) -> Compute:
    """The smallest candidate value and the first ``actual_time`` at which it stands."""
    return _extreme(candidates, _LOW)


def maximum(candidates: Candidates) -> Compute:
    """The largest candidate value and the first ``actual_time`` at which it stands."""
    return _extreme(candidates, _HIGH)


def extent(candidates: Candidates) -> Compute:
    """Range: the largest candidate value less the smallest."""
    return _extreme(candidates, _HIGH - _LOW)


def of_readings(history: History) -> Found:
    """Candidates of Minimum and its like: the good readings.

    Uncertain if a bad one was left out. Annex A answers good where an uncertain reading that does
    not count as bad was left out (A.9, Historian 5, 12:01:04), though it was the largest.
    """
    is_good = pl.col("status") == GOOD
    rows = history.raw().select("slot", "t", "value", candidate=is_good, bad=~history.usable())
    return rows, flawless(~pl.col("bad").any())


def with_bounds(history: History) -> Found:
    """Candidates of Minimum2 and its like: the good readings and the simple bounds.

    The bound at the end stands 1 ms before it. A stepped signal does not get to it: the value that
    it has until then is a candidate already. Bounds count for the quality as readings do, a missing
    one as bad (5.4.3.2.1).
    """
    intervals, t, is_good = history.intervals, pl.col("t"), pl.col("status") == GOOD
    at_start = t == intervals.edge(intervals.index(t))
    readings = history.raw().select(
        "slot",
        "t",
        "value",
        candidate=history.usable() & (is_good | at_start),
        good=is_good,
        bad=~history.usable(),
    )
    starts = _bounds(history, bounding.starts(history), pl.col("lower"))
    rows = [readings, starts.join(readings, on=["slot", "t"], how="anti")]
    if not history.configuration.stepped:
        rows.append(_bounds(history, bounding.ends(history), pl.col("upper") - RESOLUTION))
    good, bad = (pl.col(name).sum().cast(pl.Int64) for name in ("good", "bad"))
    return pl.concat(rows), by_share(good, bad, pl.len().cast(pl.Int64), history.configuration)


def _bounds(history: History, found: pl.LazyFrame, t: pl.Expr) -> pl.LazyFrame:
    exists = pl.col("status").is_not_null()
    return (
        history.inside()
        .join(found, on="slot", how="left")
        .select(
            "slot",
            t.alias("t"),
            "value",
            candidate=exists,
            good=(pl.col("status") == GOOD).fill_null(value=False),
            bad=~exists,
        )
    )


def _extreme(candidates: Candidates, extreme: pl.Expr) -> Compute:
    def compute(history: History) -> pl.LazyFrame:
        rows, quality = candidates(history)
        first = pl.col("t").filter(pl.col("candidate") & (pl.col("value") == extreme)).min()
        per_slot = rows.group_by("slot").agg(quality, value=extreme, actual_time=instant(first))
        return per_slot.filter(pl.col("value").is_not_null())

    return compute
