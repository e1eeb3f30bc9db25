"""One door to the aggregates of OPC 10000-13 (IEC 62541-13), release 1.05."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final

import polars as pl

from kpi.part13 import bounding, extremes, raw, timed
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.history import History, instant, read
from kpi.part13.intervals import Intervals
from kpi.part13.names import Aggregate
from schemas.quality import Quality

COMPUTE: Final[Mapping[Aggregate, Callable[[History], pl.LazyFrame]]] = MappingProxyType(
    {
        Aggregate.INTERPOLATIVE: bounding.interpolative,
        Aggregate.AVERAGE: raw.average,
        Aggregate.TIME_AVERAGE: timed.time_average,
        Aggregate.TIME_AVERAGE_2: timed.time_average_2,
        Aggregate.TOTAL: timed.total,
        Aggregate.TOTAL_2: timed.total_2,
        Aggregate.MINIMUM: extremes.minimum(extremes.of_readings),
        Aggregate.MAXIMUM: extremes.maximum(extremes.of_readings),
        Aggregate.MINIMUM_ACTUAL_TIME: extremes.minimum(extremes.of_readings),
        Aggregate.MAXIMUM_ACTUAL_TIME: extremes.maximum(extremes.of_readings),
        Aggregate.RANGE: extremes.extent(extremes.of_readings),
        Aggregate.MINIMUM_2: extremes.minimum(extremes.with_bounds),
        Aggregate.MAXIMUM_2: extremes.maximum(extremes.with_bounds),
        Aggregate.MINIMUM_ACTUAL_TIME_2: extremes.minimum(extremes.with_bounds),
        Aggregate.MAXIMUM_ACTUAL_TIME_2: extremes.maximum(extremes.with_bounds),
        Aggregate.RANGE_2: extremes.extent(extremes.with_bounds),
        Aggregate.COUNT: raw.count,
        Aggregate.DURATION_IN_STATE_ZERO: timed.duration_in_state(zero=True),
        Aggregate.DURATION_IN_STATE_NON_ZERO: timed.duration_in_state(zero=False),
        Aggregate.NUMBER_OF_TRANSITIONS: raw.number_of_transitions,
        Aggregate.START: raw.first,
        Aggregate.END: raw.last,
        Aggregate.DELTA: raw.delta,
        Aggregate.START_BOUND: bounding.start_bound,
        Aggregate.END_BOUND: bounding.end_bound,
        Aggregate.DELTA_BOUNDS: bounding.delta_bounds,
        Aggregate.DURATION_GOOD: timed.duration_good,
        Aggregate.DURATION_BAD: timed.duration_bad,
        Aggregate.PERCENT_GOOD: timed.percent_good,
        Aggregate.PERCENT_BAD: timed.percent_bad,
        Aggregate.WORST_QUALITY: raw.worst_quality,
        Aggregate.WORST_QUALITY_2: raw.worst_quality_2,
        Aggregate.STANDARD_DEVIATION_SAMPLE: raw.deviation(1, squared=False),
        Aggregate.VARIANCE_SAMPLE: raw.deviation(1, squared=True),
        Aggregate.STANDARD_DEVIATION_POPULATION: raw.deviation(0, squared=False),
        Aggregate.VARIANCE_POPULATION: raw.deviation(0, squared=True),
    }
)
"""What computes an aggregate: a frame ``slot, value, quality`` of the intervals that it answers."""

AT_ACTUAL_TIME: Final = frozenset(
    {
        Aggregate.MINIMUM_ACTUAL_TIME,
        Aggregate.MAXIMUM_ACTUAL_TIME,
        Aggregate.MINIMUM_ACTUAL_TIME_2,
        Aggregate.MAXIMUM_ACTUAL_TIME_2,
        Aggregate.START,
        Aggregate.END,
    }
)
"""The aggregates whose answers the standard stamps with the time of the value."""

_DEFAULTS: Final = AggregateConfiguration()


def aggregate(  # noqa: PLR0917  the signature is agreed
    readings: pl.DataFrame,
    aggregate: Aggregate | str,
    start: datetime,
    end: datetime,
    every: timedelta,
    config: AggregateConfiguration = _DEFAULTS,
) -> pl.DataFrame:
    """An aggregate of the standard over intervals, for all tags of a frame at once.

    Parameters
    ----------
    readings
        Columns ``tag_id, ts, value, quality`` (`kpi.frames.READINGS`) in any order of rows. Quality
        is any OPC DA code, of which the top two bits are looked at; stale (500) is bad. Readings
        outside [start, end) are the source of bounding values: give at least one each side.
    aggregate
        The standard's name. Values are in the unit of the tag, totals in unit * s, durations in ms,
        shares in %, worst qualities as OPC codes 0, 64, 192.
    start, end, every
        Intervals [start, start + every), ...; the last ends at ``end``. ``every`` = 0 is one
        interval.
    config
        How doubtful data is treated, and whether the signals are stepped.

    Returns
    -------
    polars.DataFrame
        ``tag_id, start, value, quality`` by tag and start, a row for every tag of ``readings`` and
        every interval. Quality is 192 good, 64 uncertain (Uncertain_DataSubNormal), 0 bad
        (Bad_NoData where there is nothing to say, above all before the first and behind the last
        reading); the value of a bad answer is null. The ActualTime aggregates, Start and End have a
        fifth column ``actual_time``, the instant of the value. The standard's information bits are
        not kept. Its Partial bit would be set where an interval begins before the first reading of
        the tag or ends behind its last.

    Raises
    ------
    RequestError
        An unknown aggregate, instants that span nothing, or a frame that lacks a column.
    """
    asked = Aggregate.named(aggregate)
    history = read(readings, Intervals.between(start, end, every), config)
    answers = history.grid.join(
        COMPUTE[asked](history), on="slot", how="left", maintain_order="left"
    )
    # Only Interpolative speaks of intervals that known data does not reach into.
    known = pl.col("inside") | (asked is Aggregate.INTERPOLATIVE)
    said = known & (pl.col("quality") > Quality.BAD) & pl.col("value").is_not_null()
    extra = ["actual_time"] if asked in AT_ACTUAL_TIME else []
    return answers.select(
        "tag_id",
        instant(pl.col("lower")).alias("start"),
        pl.when(said).then(pl.col("value").cast(pl.Float64)).alias("value"),
        pl.when(said).then("quality").otherwise(Quality.BAD).cast(pl.Int16).alias("quality"),
        *extra,
    ).collect()
