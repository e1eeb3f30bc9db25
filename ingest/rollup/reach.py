"""How far a changed reading reaches beyond its own minute.

- A value holds until the next reading or for ``stale_after_s`` (`kpi.summary`), so the minutes up
  to there change; whether that reaches beyond the last closed minute is told apart.
- A straight line leads to a reading from the one before it, so the minutes back to there change.
- The next usable reading of a counter or state is compared with the changed one, however late.
- A derived tag changes where an operand does, and as far beyond as its rule looks (`kpi.derive`).
"""

from typing import Final

import polars as pl

_MINUTE_US: Final = 60_000_000


def reached(neighbours: pl.DataFrame, closed: int) -> pl.DataFrame:
    """The spans that changes in some spans reach, those spans included.

    Parameters
    ----------
    neighbours
        `ingest.rollup.neighbours.NEIGHBOURS`.
    closed
        The first minute that is still open; nothing reaches beyond it.

    Returns
    -------
    polars.DataFrame
        ``tag_id, start, end`` in minutes; spans may overlap.
    """
    held = neighbours.select(
        "tag_id",
        start=pl.min_horizontal("start", _minute("before_ts")),
        end=pl.max_horizontal("end", (_reach_us() - 1) // _MINUTE_US + 1),
    )
    compared = neighbours.drop_nulls("compared_ts").select(
        "tag_id", start=_minute("compared_ts"), end=_minute("compared_ts") + 1
    )
    return (
        pl.concat([held, compared])
        .with_columns(pl.col("end").clip(upper_bound=closed))
        .filter(pl.col("start") < pl.col("end"))
    )


def holding(neighbours: pl.DataFrame, closed: int) -> pl.DataFrame:
    """``tag_id, next, holds`` of each tag after its last span.

    ``next``: the first open minute has a reading of the tag, and so a mark of its own. ``holds``:
    the tag's value still holds when that minute begins.
    """
    edge = pl.lit(closed * _MINUTE_US)
    return (
        neighbours.sort("tag_id", "end")
        .group_by("tag_id", maintain_order=True)
        .last()
        .select(
            "tag_id",
            next=(_minute("next_ts") == closed).fill_null(value=False),
            holds=(_reach_us() > edge).fill_null(value=False),
        )
    )


def with_derived(spans: pl.DataFrame, reaches: pl.DataFrame, closed: int) -> pl.DataFrame:
    """*spans* of measured tags and those of what is derived from them, before *closed*.

    Parameters
    ----------
    spans
        ``tag_id, start, end`` in minutes.
    reaches
        `ingest.rollup.points.REACHES`.
    """
    derived = (
        spans.rename({"tag_id": "operand_id"})
        .join(reaches, on="operand_id")
        .select(
            "tag_id",
            start=pl.col("start") - pl.col("ahead"),
            end=(pl.col("end") + pl.col("behind")).clip(upper_bound=closed),
        )
    )
    return pl.concat([spans, derived])


def with_operands(spans: pl.DataFrame, reaches: pl.DataFrame) -> pl.DataFrame:
    """The spans of measured tags whose readings *spans* are made of."""
    of_derived = spans.join(reaches, on="tag_id").select(
        tag_id="operand_id",
        start=pl.col("start") - pl.col("behind"),
        end=pl.col("end") + pl.col("ahead"),
    )
    measured = spans.join(reaches, on="tag_id", how="anti")
    return pl.concat([measured.select("tag_id", "start", "end"), of_derived])


def _minute(column: str) -> pl.Expr:
    return pl.col(column).dt.epoch("us") // _MINUTE_US


def _reach_us() -> pl.Expr:
    """Until when [us] the last reading before a span's end holds; null if there is none."""
    until = pl.col("last_ts").dt.epoch("us") + (pl.col("silence") * 1e6).cast(pl.Int64)
    return (
        pl.when(pl.col("last_ts").is_not_null())
        .then(pl.min_horizontal(until, pl.col("next_ts").dt.epoch("us")))
        .otherwise(None)
    )
