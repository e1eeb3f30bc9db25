"""Aggregates of the raw readings in an interval (OPC 10000-13, 5.4.3.5, 21, 24 to 27, 35 to 40)."""

from collections.abc import Callable
from dataclasses import replace

import polars as pl

from kpi.part13 import bounding
from kpi.part13.history import BAD, CODES, GOOD, History, instant
from kpi.part13.status import by_share, code, flawless, of_severity
from schemas.quality import Quality

_VALUE, _STATUS = pl.col("value"), pl.col("status")
_IS_GOOD = _STATUS == GOOD
_GOOD_VALUES = _VALUE.filter(_IS_GOOD)


def average(history: History) -> pl.LazyFrame:
    """Average: mean of the good values, each of the same weight."""
    return _counted(history, mean=_GOOD_VALUES.mean()).select("slot", "quality", value="mean")


def count(history: History) -> pl.LazyFrame:
    """Count of the good values; good and 0 where readings surround an empty interval."""
    return _of_all(history, _counted(history), "good")


def number_of_transitions(history: History) -> pl.LazyFrame:
    """NumberOfTransitions between zero and non-zero, against the last usable value before.

    The very first usable value counts as a transition (5.4.3.24).
    """
    active = _VALUE != 0
    same_tag = pl.col("tag_id") == pl.col("tag_id").shift(1)
    usable = history.points.filter(history.usable())
    changes = usable.filter(~(same_tag & (active == active.shift(1))).fill_null(value=False))
    found = replace(history, points=changes).raw().group_by("slot").agg(changes=pl.len())
    counted = _counted(history).join(found, on="slot", how="left")
    return _of_all(history, counted.with_columns(pl.col("changes").fill_null(0)), "changes")


def first(history: History) -> pl.LazyFrame:
    """Start: the earliest reading as it is, with its quality and its ``actual_time``."""
    return _reading(history, pl.Expr.first)


def last(history: History) -> pl.LazyFrame:
    """End: the latest reading as it is, with its quality and its ``actual_time``."""
    return _reading(history, pl.Expr.last)


def delta(history: History) -> pl.LazyFrame:
    """Delta: latest - earliest good value; uncertain if others stand before or behind them."""
    per_slot = (
        history.raw()
        .group_by("slot")
        .agg(
            delta=_GOOD_VALUES.last() - _GOOD_VALUES.first(),
            whole=(_STATUS.first() == GOOD) & (_STATUS.last() == GOOD),
        )
    )
    answers = per_slot.filter(pl.col("delta").is_not_null())
    return answers.select("slot", flawless(pl.col("whole")), value="delta")


def worst_quality(history: History) -> pl.LazyFrame:
    """WorstQuality: the worst quality code among the readings, whatever uncertain counts as."""
    return _worst(history.raw().select("slot", "status"))


def worst_quality_2(history: History) -> pl.LazyFrame:
    """WorstQuality2: likewise with the simple bound at the start, bad where there is none."""
    plain = replace(history.configuration, treat_uncertain_as_bad=False)
    bound = bounding.starts(replace(history, configuration=plain)).select("slot", "status")
    start = history.inside().select("slot").join(bound, on="slot", how="left")
    return _worst(pl.concat([history.raw().select("slot", "status"), start.fill_null(BAD)]))


def deviation(ddof: int, *, squared: bool) -> Callable[[History], pl.LazyFrame]:
    """Standard deviation or variance of the good values, 0 of one value.

    ``ddof`` 1 is of a sample (divisor n - 1), 0 of the population. Any other reading in the
    interval makes it uncertain.
    """

    def compute(history: History) -> pl.LazyFrame:
        spread = _GOOD_VALUES.var(ddof) if squared else _GOOD_VALUES.std(ddof)
        of_one = pl.when(_IS_GOOD.sum() == 1).then(0.0).otherwise(spread)
        per_slot = history.raw().group_by("slot").agg(spread=of_one, whole=_IS_GOOD.all())
        answers = per_slot.filter(pl.col("spread").is_not_null())
        return answers.select("slot", flawless(pl.col("whole")), value="spread")

    return compute


def _counted(history: History, **of_good: pl.Expr) -> pl.LazyFrame:
    """Per interval with readings: the asked for, ``good`` readings, ``quality`` by share."""
    per_slot = (
        history.raw()
        .group_by("slot")
        .agg(**of_good, good=_IS_GOOD.sum(), bad=(~history.usable()).sum(), all=pl.len())
    )
    good, bad, total = (pl.col(name).cast(pl.Int64) for name in ("good", "bad", "all"))
    return per_slot.with_columns(by_share(good, bad, total, history.configuration))


def _of_all(history: History, counted: pl.LazyFrame, column: str) -> pl.LazyFrame:
    answers = history.inside().select("slot").join(counted, on="slot", how="left")
    return answers.select(
        "slot",
        pl.col("quality").fill_null(Quality.GOOD),
        value=pl.col(column).fill_null(0).cast(pl.Float64),
    )


def _reading(history: History, pick: Callable[[pl.Expr], pl.Expr]) -> pl.LazyFrame:
    picked = history.raw().group_by("slot").agg(pick(pl.col("t", "value", "status")))
    return picked.select("slot", of_severity(_STATUS), "value", actual_time=instant(pl.col("t")))


def _worst(statuses: pl.LazyFrame) -> pl.LazyFrame:
    worst = statuses.group_by("slot").agg(pl.col("status").min())
    value = _STATUS.replace_strict(CODES, return_dtype=pl.Float64)
    return worst.select("slot", code(pl.lit(Quality.GOOD)), value=value)
