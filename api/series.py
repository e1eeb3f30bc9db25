"""Summaries bucket by bucket: every tag in every bucket, also where nothing is known."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from math import gcd
from typing import Final

import polars as pl

from api.grid import BLOCK_ROWS, Grid
from api.span import Span
from api.summaries import HOUR, MINUTE, summaries
from kpi.frames import INSTANT
from kpi.merge import merge
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader
from schemas.instant import EPOCH

#: The columns of a series, after ``tag``.
COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "start": INSTANT,
    "end": INSTANT,
    "coverage": pl.Float64(),
    "good": pl.Float64(),
    "count": pl.Int32(),
    "mean": pl.Float64(),
    "min": pl.Float64(),
    "max": pl.Float64(),
    "first": pl.Float64(),
    "first_ts": INSTANT,
    "last": pl.Float64(),
    "last_ts": INSTANT,
    "integral": pl.Float64(),
    "increase": pl.Float64(),
    "refused": pl.Int32(),
    "active_s": pl.Float64(),
    "activations": pl.Int32(),
    "total": pl.Float64(),
}

_ONE: Final = timedelta(microseconds=1)


def rows(
    frames: FrameReader, catalogue: Catalogue, grid: Grid, first: int, stop: int
) -> Iterator[pl.DataFrame]:
    """The rows of *grid* from *first* to just before *stop*: ``tag_id`` and `COLUMNS`."""
    for tags, edges in grid.blocks(first, stop):
        yield _block(frames, catalogue, tags, edges)


def bucketed(
    frames: FrameReader, catalogue: Catalogue, tag_ids: Sequence[int], edges: Sequence[datetime]
) -> pl.DataFrame:
    """`kpi.frames.SUMMARY` of each tag in each bucket, labelled by the start of the bucket.

    A bucket in which nothing is covered has no row.
    """
    starts = pl.Series("start", list(edges[:-1]), dtype=INSTANT)
    width = widest(edges)
    every = width if width in (HOUR, MINUTE) else timedelta(seconds=1)
    step = max(1, BLOCK_ROWS // max(1, len(tag_ids))) * every
    start, found = edges[0], []
    while start < edges[-1]:
        # Whole hours, so that the rollups by hour are not cut.
        end = min(EPOCH + (start + max(step, HOUR) - EPOCH) // HOUR * HOUR, edges[-1])
        rows = summaries(frames, catalogue, tag_ids, Span(start, end), width)
        found.append(merge(_labelled(rows, starts), every=_ONE))
        start = end
    return found[0] if len(found) == 1 else merge(*found, every=_ONE)


def widest(edges: Sequence[datetime]) -> timedelta:
    """The width of summaries, counted from 1970, of which none crosses an inner edge."""
    divisor = gcd(*((edge - EPOCH) // _ONE for edge in edges[1:-1]))
    for width in (HOUR, MINUTE):
        if divisor % (width // _ONE) == 0:
            return width
    return divisor * _ONE


def _block(
    frames: FrameReader, catalogue: Catalogue, tag_ids: Sequence[int], edges: Sequence[datetime]
) -> pl.DataFrame:
    """``tag_id`` and `COLUMNS` for every tag and bucket, in that order."""
    starts = pl.Series("start", list(edges[:-1]), dtype=INSTANT)
    ends = pl.Series("end", list(edges[1:]), dtype=INSTANT)
    buckets = pl.DataFrame([starts, ends])
    tags = pl.DataFrame({"tag_id": pl.Series(list(tag_ids), dtype=pl.Int32)})
    found = bucketed(frames, catalogue, tag_ids, edges)
    seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() / 1e6
    return (
        tags.join(buckets, how="cross", maintain_order="left_right")
        .join(
            found,
            left_on=["tag_id", "start"],
            right_on=["tag_id", "bucket"],
            how="left",
            maintain_order="left",
        )
        .with_columns(
            pl.col("count", "covered_s", "good_s").fill_null(0),
            mean=pl.when(pl.col("covered_s") > 0).then(pl.col("integral") / pl.col("covered_s")),
        )
        .with_columns(coverage=pl.col("covered_s") / seconds, good=pl.col("good_s") / seconds)
        .select("tag_id", *(pl.col(name).cast(dtype) for name, dtype in COLUMNS.items()))
    )


def _labelled(found: pl.DataFrame, starts: pl.Series) -> pl.DataFrame:
    """*found* with the start of the bucket that each row lies in as its bucket."""
    return (
        found.sort("bucket")
        .join_asof(starts.to_frame(), left_on="bucket", right_on="start", strategy="backward")
        .with_columns(bucket="start")
        .drop("start")
    )
