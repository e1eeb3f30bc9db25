"""What an aggregate is computed from: points, intervals, configuration."""

from dataclasses import dataclass

import polars as pl

from kpi.frames import INSTANT, READINGS
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.intervals import Intervals
from schemas.errors import RequestError
from schemas.quality import Quality

BAD, UNCERTAIN, GOOD = 0, 1, 2
"""Severity of a status, the worse the smaller."""

RESOLUTION = 1_000
"""[us] The standard's time resolution: the effective end of an interval lies 1 ms before its end,
and known data ends 1 ms after the last reading (3.1.3, 5.4.2.4)."""

CODES = {BAD: Quality.BAD, UNCERTAIN: Quality.UNCERTAIN, GOOD: Quality.GOOD}


@dataclass(frozen=True, slots=True)
class History:
    """A request for one aggregate of many tags.

    ``points``: ``tag_id, t`` [us since 1970], ``value`` (null where bad), ``status``, one row each
    reading by tag and time. ``grid``: ``tag_id, slot, lower, upper`` [us], ``inside, closed, span``
    [us], one row each answer. An interval is inside if known data reaches into it, closed if a
    reading stands at or behind its end; ``span`` is its length up to the end of known data.
    """

    points: pl.LazyFrame
    grid: pl.LazyFrame
    intervals: Intervals
    configuration: AggregateConfiguration

    def usable(self) -> pl.Expr:
        """Points that are not bad, an uncertain one being what the configuration says."""
        least = GOOD if self.configuration.treat_uncertain_as_bad else UNCERTAIN
        return pl.col("status") >= least

    def raw(self) -> pl.LazyFrame:
        """The points inside the intervals, each with its ``slot``."""
        t = pl.col("t")
        return self.points.filter(
            t.is_between(self.intervals.start, self.intervals.end, closed="left")
        ).with_columns(slot=self.intervals.slot(self.intervals.index(t)))

    def inside(self) -> pl.LazyFrame:
        """The rows of the grid that known data reaches into."""
        return self.grid.filter("inside")


def read(
    readings: pl.DataFrame, intervals: Intervals, configuration: AggregateConfiguration
) -> History:
    """The history of a request.

    A reading without a finite value is bad. Bad readings without a value before a tag's first other
    reading say that there is no data yet (the annex's Bad_NoData at 12:00:00): they are no points.
    Of two readings of a tag at one instant the later row wins.

    Raises
    ------
    RequestError
        A column of ``READINGS`` is missing.
    """
    if missing := READINGS.keys() - set(readings.columns):
        raise RequestError("readings", readings.columns, f"lacks {', '.join(sorted(missing))}")
    ordered = _ordered(readings.select(pl.col(name).cast(kind) for name, kind in READINGS.items()))
    points = _points(ordered)
    grid = _grid(ordered.select("tag_id").unique(), points, intervals)
    return History(points.lazy(), grid.lazy(), intervals, configuration)


def _ordered(readings: pl.DataFrame) -> pl.DataFrame:
    tag, ts = pl.col("tag_id"), pl.col("ts")
    ascends = (tag > tag.shift(1)) | ((tag == tag.shift(1)) & (ts > ts.shift(1)))
    if readings.select(ascends.all()).item():
        return readings
    is_last = (tag != tag.shift(-1)) | (ts != ts.shift(-1))
    by_time = readings.sort("tag_id", "ts", maintain_order=True)
    return by_time.filter(is_last.fill_null(value=True))


def _points(readings: pl.DataFrame) -> pl.DataFrame:
    quality = pl.col("quality")
    severity = (
        pl.when(~pl.col("value").is_finite().fill_null(value=False))
        .then(BAD)
        .when(quality.is_between(Quality.GOOD, 255))
        .then(GOOD)
        .when(quality.is_between(Quality.UNCERTAIN, 127))
        .then(UNCERTAIN)
        .otherwise(BAD)
        .cast(pl.Int8)
    )
    points = readings.select(
        "tag_id",
        pl.col("ts").to_physical().alias("t"),
        pl.when(severity > BAD).then(pl.col("value")).alias("value"),
        severity.alias("status"),
        no_data=(severity == BAD) & ~pl.col("value").is_finite().fill_null(value=False),
    )
    if points.get_column("no_data").any():
        begun = (~pl.col("no_data")).cum_max().over("tag_id")
        points = points.filter(begun)
    return points.drop("no_data")


def _grid(tags: pl.DataFrame, points: pl.DataFrame, intervals: Intervals) -> pl.DataFrame:
    spans = points.group_by("tag_id").agg(first=pl.col("t").min(), last=pl.col("t").max())
    index = pl.DataFrame({"index": pl.int_range(intervals.count, dtype=pl.Int64, eager=True)})
    k = pl.col("index")
    inside = (pl.col("upper") > pl.col("first")) & (pl.col("lower") <= pl.col("last"))
    known_end = pl.min_horizontal("upper", pl.col("last") + RESOLUTION)
    return (
        tags.join(spans, on="tag_id", how="left")
        .sort("tag_id")
        .join(index, how="cross")
        .with_columns(slot=intervals.slot(k), lower=intervals.edge(k), upper=intervals.edge(k + 1))
        .select(
            "tag_id",
            "slot",
            "lower",
            "upper",
            inside.fill_null(value=False).alias("inside"),
            (pl.col("upper") <= pl.col("last")).fill_null(value=False).alias("closed"),
            (known_end - pl.col("lower")).alias("span"),
        )
    )


def instant(us: pl.Expr) -> pl.Expr:
    """Microseconds since 1970 as the instants of the frames."""
    return us.cast(INSTANT)
