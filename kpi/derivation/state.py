"""What is known of a tag from each instant on, silence included."""

import polars as pl

from schemas.quality import Quality

_QUALITY = pl.col("quality")


def states(readings: pl.LazyFrame, tags: pl.DataFrame) -> pl.LazyFrame:
    """The states of tags that hold their values in steps.

    A value holds until the tag's next reading, at most for its ``stale_after_s``, as summaries have
    it (`kpi.summary`). A linear tag is held in steps too.

    Parameters
    ----------
    readings
        `kpi.frames.READINGS` in any order.
    tags
        `kpi.frames.TAGS`; readings of other tags are left out.

    Returns
    -------
    polars.LazyFrame
        ``operand, ts, value, quality, read``. Quality is 0, 64 or 192; where it is 0, the value is
        null. ``read`` tells a reading from the instant at which silence begins.
    """
    known = pl.col("value").is_finite().fill_null(value=False)
    held = (
        readings.join(
            tags.lazy().select(
                "tag_id",
                silence=pl.duration(microseconds=(pl.col("stale_after_s") * 1e6).round()),
            ),
            on="tag_id",
        )
        .sort("tag_id", "ts")
        .select(
            "ts",
            operand="tag_id",
            value="value",
            quality=pl.when(known & _QUALITY.is_between(Quality.GOOD, 255))
            .then(pl.lit(int(Quality.GOOD)))
            .when(known & _QUALITY.is_between(Quality.UNCERTAIN, 127))
            .then(pl.lit(int(Quality.UNCERTAIN)))
            .otherwise(pl.lit(int(Quality.BAD))),
            end=pl.col("ts") + pl.col("silence"),
            until=pl.col("ts").shift(-1).over("tag_id"),
            read=True,
        )
        .with_columns(value=pl.when(_QUALITY > Quality.BAD).then("value"))
    )
    silent = held.filter((pl.col("end") < pl.col("until")).fill_null(value=True)).select(
        "operand",
        ts="end",
        value=pl.lit(None, pl.Float64),
        quality=pl.lit(int(Quality.BAD)),
        read=False,
    )
    columns = ("operand", "ts", "value", "quality", "read")
    return pl.concat([held.select(columns), silent.select(columns)])


def judged(value: pl.Expr, quality: pl.Expr) -> tuple[pl.Expr, pl.Expr]:
    """``value`` and ``quality`` of a computed reading: bad and null where there is no number."""
    usable = (value.is_finite() & (quality > Quality.BAD)).fill_null(value=False)
    return (
        pl.when(usable).then(value).alias("value"),
        pl.when(usable).then(quality).otherwise(pl.lit(int(Quality.BAD))).alias("quality"),
    )
