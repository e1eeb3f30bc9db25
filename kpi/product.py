"""Readings of computed tags: the product of two measured ones, such as V I of a pot.

Each operand holds its value in steps until its next reading, at most for its own
``stale_after_s``, as summaries have it (`kpi.summary`). The product has a reading at every instant
at which either operand has one, and a bad one where an operand goes stale, so that it is covered
exactly where both are. A linear operand is held in steps too: the product of two lines is no line.
"""

import polars as pl

from kpi.frames import READINGS
from schemas.quality import Quality


def multiply(readings: pl.DataFrame, products: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The readings of computed tags.

    Parameters
    ----------
    readings
        `kpi.frames.READINGS` of the operands in any order, with the last reading of each before the
        span that matters.
    products
        `kpi.frames.PRODUCTS`.
    tags
        `kpi.frames.TAGS` with at least the operands.

    Returns
    -------
    polars.DataFrame
        `kpi.frames.READINGS` of the computed tags, sorted by tag and time. Quality is the worse of
        the operands' (0, 64 or 192); value is null where it is bad.
    """
    operands = pl.concat([products["left_id"], products["right_id"]]).unique()
    states = _states(readings.filter(pl.col("tag_id").is_in(operands.implode())), tags)
    sides = [
        products.lazy()
        .select("tag_id", operand=f"{side}_id")
        .join(states, on="operand")
        .select("tag_id", "ts", pl.col("value", "quality").name.prefix(f"{side}_"))
        for side in ("left", "right")
    ]
    quality = pl.min_horizontal(pl.col("left_quality", "right_quality").fill_null(Quality.BAD))
    known = pl.all().exclude("tag_id", "ts")
    last_of_instant = pl.struct("tag_id", "ts") != pl.struct("tag_id", "ts").shift(-1)
    return (
        pl.concat(sides, how="diagonal")
        .sort("tag_id", "ts")
        .with_columns(known.forward_fill().over("tag_id"))
        .filter(last_of_instant.fill_null(value=True))
        .with_columns(quality=quality)
        .select(
            "tag_id",
            "ts",
            value=pl.when(quality > Quality.BAD).then(pl.col("left_value") * pl.col("right_value")),
            quality=quality,
        )
        .select(pl.col(name).cast(dtype) for name, dtype in READINGS.items())
        .collect()
    )


def _states(readings: pl.DataFrame, tags: pl.DataFrame) -> pl.LazyFrame:
    """``operand, ts, value, quality``: what is known from each instant on, silence included."""
    quality, value, end = pl.col("quality"), pl.col("value"), pl.col("end")
    known = value.is_finite().fill_null(value=False)
    held = (
        readings.lazy()
        .join(
            tags.lazy().select(
                "tag_id",
                silence=pl.duration(microseconds=(pl.col("stale_after_s") * 1e6).round()),
            ),
            on="tag_id",
        )
        .sort("tag_id", "ts")
        .select(
            "ts",
            "value",
            operand="tag_id",
            quality=pl.when(known & quality.is_between(Quality.GOOD, 255))
            .then(pl.lit(int(Quality.GOOD)))
            .when(known & quality.is_between(Quality.UNCERTAIN, 127))
            .then(pl.lit(int(Quality.UNCERTAIN)))
            .otherwise(pl.lit(int(Quality.BAD))),
            end=pl.col("ts") + pl.col("silence"),
            until=pl.col("ts").shift(-1).over("tag_id"),
        )
    )
    silent = held.filter((end < pl.col("until")).fill_null(value=True)).select(
        "operand", ts=end, value=pl.lit(None, pl.Float64), quality=pl.lit(int(Quality.BAD))
    )
    return pl.concat([held.select("operand", "ts", "value", "quality"), silent])
