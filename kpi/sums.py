"""Summaries of tags to sums over tags: the additive inputs of KPIs, bucket by bucket."""

from typing import Final

import polars as pl

from kpi.frames import INSTANT, Schema
from kpi.kpi import Amount

TERMS: Final[Schema] = {
    "input_id": pl.Int64,
    "tag_id": pl.Int32,
    "column": pl.Enum(Amount),
    "weight": pl.Float64,
}
"""What inputs are the sum of: ``weight`` times the amount ``column`` of each tag's summaries."""

SUMS: Final[Schema] = {
    "input_id": pl.Int64,
    "bucket": INSTANT,
    "value": pl.Float64,
    "covered_s": pl.Float64,
    "good_s": pl.Float64,
    "readings": pl.Int64,
}
"""Inputs by bucket, each column summed over the tags of the input: those of ``input_1h``."""


def add_up(terms: pl.DataFrame, summaries: pl.DataFrame) -> pl.DataFrame:
    """The inputs of *terms* in each bucket.

    Parameters
    ----------
    terms
        `TERMS`.
    summaries
        `kpi.frames.SUMMARY`, in any order, buckets of one width or of several. Rows of tags that no
        term names do not matter.

    Returns
    -------
    polars.DataFrame
        `SUMS`, sorted by input_id and bucket; a bucket in which no tag has a summary has no row.
        The same bits whatever else is in the frames.
    """
    sums = pl.col("value", "covered_s", "good_s")
    amount = pl.coalesce(
        pl.lit(None, pl.Float64),
        *(
            pl.when(pl.col("column") == column).then(pl.col(column).cast(pl.Float64))
            for column in terms["column"].unique().sort()
        ),
    )
    return (
        summaries.join(terms, on="tag_id")
        # Floats are added in one fixed order, whatever order the rows came in.
        .sort("input_id", "bucket", "tag_id", "column")
        .with_columns(value=amount.fill_null(0.0) * pl.col("weight"))
        .group_by("input_id", "bucket", maintain_order=True)
        .agg(sums, readings=pl.col("count").cast(pl.Int64).sum())
        # As lists, for the reason given in kpi.summary.
        .with_columns(sums.list.sum())
        .select(pl.col(name).cast(dtype) for name, dtype in SUMS.items())
    )
