"""Averages, totals and durations (OPC 10000-13, 5.4.3.6 to 9, 22, 23 and 31 to 34)."""

from collections.abc import Callable

import polars as pl

from kpi.part13 import regions
from kpi.part13.history import GOOD, History
from kpi.part13.status import by_share, code, flawless
from schemas.quality import Quality

_DURATION = pl.col("upper") - pl.col("lower")
_MIDDLE = pl.col("value") + pl.col("slope") * _DURATION / 2
_SECOND = 1e6
_MILLISECOND = 1e3

#: Result columns of the sums below, [value * s] and [us].
_TOTAL = pl.col("total")
_AVERAGE = _TOTAL / (pl.col("used") / _SECOND)


def time_average(history: History) -> pl.LazyFrame:
    """TimeAverage: interpolated bounds, always sloped; uncertain unless all of it is good."""
    return _interpolated(history, _AVERAGE, stepped=False)


def total(history: History) -> pl.LazyFrame:
    """Total [value * s]: interpolated bounds, stepped as the signal is."""
    return _interpolated(history, _TOTAL, stepped=history.configuration.stepped)


def time_average_2(history: History) -> pl.LazyFrame:
    """TimeAverage2: simple bounds; time without a usable value is left out of the mean."""
    return _simple(history, _AVERAGE)


def total_2(history: History) -> pl.LazyFrame:
    """Total2 [value * s]: simple bounds; time without a usable value adds nothing."""
    return _simple(history, _TOTAL)


def duration_in_state(*, zero: bool) -> Callable[[History], pl.LazyFrame]:
    """DurationInStateZero or NonZero [ms]: good time whose region starts with (non-)zero."""

    def compute(history: History) -> pl.LazyFrame:
        is_good = pl.col("status") == GOOD
        in_state = is_good & ((pl.col("value") == 0) == zero)
        sums = _sums(history, state=_time(in_state), good=_time(is_good), used=_used())
        quality = by_share(
            pl.col("good"), pl.col("span") - pl.col("used"), pl.col("span"), history.configuration
        )
        return sums.select("slot", quality, value=pl.col("state") / _MILLISECOND)

    return compute


def duration_good(history: History) -> pl.LazyFrame:
    """DurationGood [ms]: time behind good points and good bounds; always of good quality."""
    return _durations(history, pl.col("good") / _MILLISECOND)


def duration_bad(history: History) -> pl.LazyFrame:
    """DurationBad [ms]: time without a usable value, before the first reading too."""
    return _durations(history, (pl.col("span") - pl.col("used")) / _MILLISECOND)


def percent_good(history: History) -> pl.LazyFrame:
    """PercentGood [%]: DurationGood over the interval, which ends where known data ends."""
    return _durations(history, pl.col("good") / pl.col("span") * 100)


def percent_bad(history: History) -> pl.LazyFrame:
    """PercentBad [%]: DurationBad over the interval, which ends where known data ends."""
    return _durations(history, (pl.col("span") - pl.col("used")) / pl.col("span") * 100)


def _interpolated(history: History, value: pl.Expr, *, stepped: bool) -> pl.LazyFrame:
    sums = _weighted(regions.interpolated(history, stepped=stepped))
    whole = pl.col("good") == pl.col("upper") - pl.col("lower")
    answers = history.inside().join(sums, on="slot").filter(pl.col("used") > 0)
    return answers.select("slot", flawless(whole), value=value)


def _simple(history: History, value: pl.Expr) -> pl.LazyFrame:
    span = pl.col("span")
    sums = _weighted(regions.simple(history))
    quality = by_share(pl.col("good"), span - pl.col("used"), span, history.configuration)
    answers = history.inside().join(sums, on="slot").filter(pl.col("used") > 0)
    return answers.select("slot", quality, value=value)


def _weighted(pieces: pl.LazyFrame) -> pl.LazyFrame:
    return pieces.group_by("slot").agg(
        total=(_MIDDLE * _DURATION).sum() / _SECOND, used=_used(), good=_time(pl.col("good"))
    )


def _durations(history: History, value: pl.Expr) -> pl.LazyFrame:
    sums = _sums(history, good=_time(pl.col("status") == GOOD), used=_used())
    return sums.select("slot", code(pl.lit(Quality.GOOD)), value=value)


def _sums(history: History, **durations: pl.Expr) -> pl.LazyFrame:
    sums = regions.simple(history).group_by("slot").agg(**durations)
    return (
        history.inside()
        .join(sums, on="slot", how="left")
        .with_columns(pl.col(list(durations)).fill_null(0))
    )


def _used() -> pl.Expr:
    return _time(pl.col("value").is_not_null())


def _time(condition: pl.Expr) -> pl.Expr:
    return _DURATION.filter(condition).sum()
