"""Anode effects found in the voltage of a pot.

A stretch of time with the voltage above ``threshold`` [V] is an anode effect if it lasts for
``start_s`` at least. Two such stretches are one anode effect if less than ``end_s`` lies between
them, and the time between them counts too. An anode effect therefore lasts from the first time that
the voltage goes above the threshold to the last time that it falls below.

The rule is stated because controllers differ in it, and with it the number of anode effects; 8 V is
what is common (Wong et al. 2019), 3 s and 60 s are the usual settings of pot controllers. It looks
``start_s + end_s`` back and ahead, so that what a spike was is told when it has passed.
"""

from typing import Final

import polars as pl

from kpi.derivation.rule import Constants, Operands, Reach, Rule
from schemas.quality import Quality

_RUN: Final = ("tag_id", "run")


def _compute(given: Operands) -> pl.LazyFrame:
    high = (pl.col("value") > given.constants["threshold"]).fill_null(value=False)
    rows = (
        given.side(0)
        .sort("tag_id", "ts")
        .select("tag_id", "ts", "quality", high=high)
        .with_columns(
            until=pl.col("ts").shift(-1).over("tag_id"),
            run=(pl.col("high") != pl.col("high").shift()).fill_null(value=True).cum_sum(),
        )
    )
    return rows.join(_effects(rows, given.constants), on=_RUN, maintain_order="left").select(
        "tag_id",
        "ts",
        value=pl.when(pl.col("quality") > Quality.BAD).then(pl.col("effect").cast(pl.Float64)),
        quality="quality",
    )


def _effects(rows: pl.LazyFrame, constants: Constants) -> pl.LazyFrame:
    """``tag_id, run, effect``: which stretches of one side of the threshold are anode effects."""
    start, end = (
        pl.duration(microseconds=round(constants[name] * 1e6)) for name in ("start_s", "end_s")
    )
    lasting = pl.col("high") & (pl.col("to") - pl.col("since") >= start)
    ended = pl.when("lasting").then("to").forward_fill().over("tag_id")
    begins = pl.when("lasting").then("since").backward_fill().over("tag_id")
    bridged = (begins - ended < end).fill_null(value=False)
    return (
        rows.group_by(_RUN, maintain_order=True)
        .agg(pl.col("high").first(), since=pl.col("ts").first(), to=pl.col("until").last())
        .with_columns(lasting=lasting.fill_null(value=False))
        .select(*_RUN, effect=pl.col("lasting") | bridged)
    )


def _reach(constants: Constants, _operand_s: float, _own_s: float) -> Reach:
    seconds = constants["start_s"] + constants["end_s"]
    return Reach(seconds, seconds)


ANODE_EFFECT: Final = Rule(
    name="anode_effect",
    description="1 during an anode effect: voltage above threshold for start_s at least, "
    "interruptions shorter than end_s included.",
    operands={"voltage": "V"},
    constants={"threshold": "V", "start_s": "s", "end_s": "s"},
    unit=lambda _: "1",
    compute=_compute,
    reach=_reach,
)
