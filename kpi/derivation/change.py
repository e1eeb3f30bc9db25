"""The change of a level from one reading to the next, as an amount.

Amounts add up: the sum of the changes over any time is what the level gained in it. Each usable
reading gives its difference from the usable one before it, or a bad reading if that is older than
its ``stale_after_s``: what happened in between is then not known.
"""

from typing import Final

import polars as pl

from kpi.derivation.rule import Constants, Operands, Reach, Rule
from kpi.derivation.state import judged
from schemas.quality import Quality


def _compute(given: Operands) -> pl.LazyFrame:
    before = pl.col("value", "quality", "ts").shift().over("tag_id").name.suffix("_before")
    held = pl.col("ts") - pl.col("ts_before") <= pl.duration(microseconds=pl.col("reach_us"))
    return (
        given.side(0)
        .filter(pl.col("read"), pl.col("quality") > Quality.BAD)
        .sort("tag_id", "ts")
        .with_columns(before)
        .select(
            "tag_id",
            "ts",
            *judged(
                pl.when(held).then(pl.col("value") - pl.col("value_before")),
                pl.min_horizontal("quality", "quality_before"),
            ),
        )
    )


def _reach(_constants: Constants, operand_s: float, own_s: float) -> Reach:
    return Reach(behind_s=operand_s + own_s)


CHANGE: Final = Rule(
    name="change",
    description="Difference of each reading from the one before it.",
    operands={"level": None},
    constants={},
    unit="{}".format,
    compute=_compute,
    reach=_reach,
)
