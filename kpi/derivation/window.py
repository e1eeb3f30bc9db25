"""Rules that look at a window of time: the unrest and the slope of a level.

Time is cut into slots of ``slot_s``, counted from 1970, and ``slots`` of them are a window. The
value of a slot is the time-weighted mean of the operand in it; the statistic of a window is taken
over its slots. The derived tag has the statistic as reading at the end of the window, so that it
says how the last full window was, and a bad reading where the operand was not known all the time.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import polars as pl

from kpi.derivation.rule import Constants, Operands, Reach, Rule
from kpi.frames import INSTANT
from schemas.quality import Quality

_SECOND: Final = 1_000_000
_CONSTANTS: Final = {"slot_s": "s", "slots": "1"}
_KEY: Final = ("tag_id", "window")


def _deviation(means: pl.Expr, _slot_s: float) -> pl.Expr:
    """Standard deviation over the slots (population)."""
    return means.list.std(ddof=0)


def _swing(means: pl.Expr, _slot_s: float) -> pl.Expr:
    """The largest less the smallest."""
    return means.list.max() - means.list.min()


def _slope(means: pl.Expr, slot_s: float) -> pl.Expr:
    """The slope [1/min] of the straight line of least squares."""
    count = means.list.len()
    centred = pl.int_ranges(count).list.eval(pl.element() - (pl.element().count() - 1) / 2)
    squares = count * (count * count - 1) / 12
    return (centred * means).list.sum() / squares / (pl.col("one") * slot_s) * 60.0


def _rule(
    name: str, description: str, unit: str, statistic: Callable[[pl.Expr, float], pl.Expr]
) -> Rule:
    return Rule(
        name=name,
        description=description,
        operands={"level": None},
        constants=_CONSTANTS,
        unit=unit.format,
        compute=partial(_compute, statistic),
        reach=_reach,
    )


def _reach(constants: Constants, _operand_s: float, _own_s: float) -> Reach:
    """The value of a window holds until the next one ends."""
    return Reach(behind_s=2 * constants["slot_s"] * constants["slots"])


def _compute(statistic: Callable[[pl.Expr, float], pl.Expr], given: Operands) -> pl.LazyFrame:
    slot_s, slots = given.constants["slot_s"], round(given.constants["slots"])
    slot = round(slot_s * _SECOND)
    windows = (
        _slot_means(given.side(0), slot)
        .with_columns(window=pl.col("slot") // slots)
        .sort("tag_id", "slot")
        .group_by(_KEY, maintain_order=True)
        .agg("mean", pl.col("quality").min(), whole=pl.col("whole").all() & (pl.len() == slots))
        .with_columns(one=1.0)
    )
    closing = windows.select("tag_id", window=pl.col("window") + 1).join(
        windows, on=_KEY, how="anti"
    )
    ends = ((pl.col("window") + 1) * slots * slot).cast(INSTANT)
    return pl.concat(
        [
            windows.select(
                "tag_id",
                ts=ends,
                value=pl.when("whole").then(statistic(pl.col("mean"), slot_s)),
                quality=pl.when("whole").then("quality").otherwise(pl.lit(int(Quality.BAD))),
            ),
            closing.select(
                "tag_id",
                ts=ends,
                value=pl.lit(None, pl.Float64),
                quality=pl.lit(int(Quality.BAD)),
            ),
        ]
    )


def _slot_means(states: pl.LazyFrame, slot: int) -> pl.LazyFrame:
    """``tag_id, slot, mean, quality, whole`` of each slot in which the operand is known at all."""
    start, end = pl.col("ts"), pl.col("until")
    piece = pl.min_horizontal(end, (pl.col("slot") + 1) * slot) - pl.max_horizontal(
        start, pl.col("slot") * slot
    )
    return (
        states.sort("tag_id", "ts")
        .with_columns(pl.col("ts").dt.epoch("us"))
        .with_columns(until=pl.col("ts").shift(-1).over("tag_id"))
        .filter(pl.col("quality") > Quality.BAD, end > start)
        .with_columns(slot=pl.int_ranges(start // slot, (end - 1) // slot + 1))
        .explode("slot")
        .with_columns(length=piece)
        .group_by("tag_id", "slot", maintain_order=True)
        # As lists, for the reason given in kpi.summary.
        .agg(
            pl.col("quality").min(),
            pl.col("length").sum(),
            amount=pl.col("value") * pl.col("length"),
        )
        .select(
            "tag_id",
            "slot",
            "quality",
            mean=pl.col("amount").list.sum() / pl.col("length"),
            whole=pl.col("length") == slot,
        )
    )


DEVIATION: Final = _rule(
    "deviation",
    "Standard deviation of the slots of each window.",
    "{}",
    _deviation,
)
SWING: Final = _rule(
    "swing",
    "Largest less smallest slot of each window.",
    "{}",
    _swing,
)
SLOPE: Final = _rule(
    "slope",
    "Slope of the straight line of least squares through the slots of each window.",
    "({}) / min",
    _slope,
)
