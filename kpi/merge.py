"""Summaries of short buckets to summaries of longer ones."""

from datetime import timedelta
from typing import Final

import polars as pl

from kpi.frames import SUMMARY

_SECONDS: Final = ("good_s", "covered_s")
#: Null for the kinds of tag that do not have them.
_OF_KIND: Final = ("integral", "increase", "active_s", "total")


def merge(*summaries: pl.DataFrame, every: timedelta) -> pl.DataFrame:
    """Summaries by tag and bucket of *every*: rows that fall into one bucket become one row.

    The rows must stand for disjoint spans of time. Merging is associative and commutative in
    counts, times, extremes, first and last; sums of floats are taken in a fixed order, so they
    are the same bits whenever the same rows are merged at once, and differ by rounding alone when
    rows are merged by stages.

    Parameters
    ----------
    summaries
        `kpi.frames.SUMMARY` each, in any order.
    every
        Width of the merged buckets, counted from 1970; a multiple of the width of the given ones.

    Returns
    -------
    polars.DataFrame
        `kpi.frames.SUMMARY`, sorted by tag_id and bucket.
    """
    sums = pl.col(*_SECONDS, *_OF_KIND)
    return (
        pl.concat(summaries)
        .with_columns(
            sums.fill_null(0.0),
            pl.col("bucket").dt.truncate(every),
            given="bucket",
            has=pl.concat_list(pl.col(*_OF_KIND, "activations").is_not_null()),
        )
        .sort("tag_id", "bucket", "first_ts", "given")
        .group_by("tag_id", "bucket", maintain_order=True)
        .agg(
            pl.col("count", "activations").sum(),
            pl.col("first", "first_ts").drop_nulls().first(),
            pl.col("last", "last_ts").drop_nulls().last(),
            # Null for a counter that is not checked; one may be from some day on.
            pl.when(pl.col("refused").count() > 0).then(pl.col("refused").sum()),
            pl.col("min").min(),
            pl.col("max").max(),
            sums,
            pl.col("has").first(),
        )
        # As lists, for the reason given in kpi.summary.
        .with_columns(sums.list.sum())
        .with_columns(
            pl.when(pl.col("has").list.get(place)).then(name).alias(name)
            for place, name in enumerate((*_OF_KIND, "activations"))
        )
        .select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())
    )
