"""Spans that are tiled by rows: which rows fit, which are clean, what is left to fill.

*Pieces* are disjoint spans of time of each key, ``tag_id`` or ``input_id``: the key is their first
column, then ``start, end``. *Rows* have the key and a ``bucket`` of one width.
"""

from datetime import datetime, timedelta

import polars as pl

from api.span import Span
from kpi.frames import INSTANT


def at(instant: datetime) -> pl.Expr:
    """*instant* as an expression."""
    return pl.lit(instant, dtype=INSTANT)


def outer(pieces: pl.DataFrame) -> Span:
    """From the start of the first to the end of the last of *pieces*."""
    return Span(*pieces.select(pl.col("start").min(), pl.col("end").max()).row(0))


def whole(pieces: pl.DataFrame, width: timedelta) -> pl.DataFrame:
    """Of each piece what is whole multiples of *width*."""
    rounded_up = (pl.col("start") + width - timedelta(microseconds=1)).dt.truncate(width)
    return pieces.with_columns(start=rounded_up, end=pl.col("end").dt.truncate(width)).filter(
        pl.col("start") < pl.col("end")
    )


def _one_span(pieces: pl.DataFrame) -> bool:
    """Whether every key has one piece, and all at the same time."""
    edges = pieces.select(pl.col("start").n_unique(), pl.col("end").n_unique())
    return edges.row(0) == (1, 1)


def inside(rows: pl.DataFrame, pieces: pl.DataFrame, width: timedelta) -> pl.DataFrame:
    """The *rows* in any of *pieces*, which are disjoint; no row may cross their edges."""
    key = pieces.columns[0]
    if _one_span(pieces):
        # The usual case, and the only one with rows by the hundred thousand.
        span = outer(pieces)
        bounded = rows.filter(pl.col("bucket") + width > span.start, pl.col("bucket") < span.end)
        return bounded.join(pieces.select(key), on=key, how="semi")
    return (
        rows.with_columns(row_end=pl.col("bucket") + width - timedelta(microseconds=1))
        .sort("row_end")
        .join_asof(
            pieces.select(key, piece_start="start", piece_end="end").sort("piece_start"),
            left_on="row_end",
            right_on="piece_start",
            by=key,
            strategy="backward",
            check_sortedness=False,  # sorted above; Polars cannot check it within groups
        )
        .filter(pl.col("piece_end") > pl.col("bucket"))
        .select(rows.columns)
    )


def clean(rows: pl.DataFrame, unclean: pl.DataFrame, width: timedelta) -> pl.DataFrame:
    """The *rows* that no span of *unclean*, in order, touches."""
    if unclean.is_empty() or rows.is_empty():
        return rows
    key = unclean.columns[0]
    # Late readings are few: nearly all rows end before the first of them.
    before = pl.col("bucket") + width <= unclean["start"].min()
    rows, early = rows.filter(~before), rows.filter(before)
    return pl.concat([early, _unreached(rows, unclean, key, width)])


def _unreached(
    rows: pl.DataFrame, unclean: pl.DataFrame, key: str, width: timedelta
) -> pl.DataFrame:
    reached = unclean.select(key, dirty_start="start", dirty_end=pl.col("end").cum_max().over(key))
    return (
        rows.with_columns(row_end=pl.col("bucket") + width - timedelta(microseconds=1))
        .sort("row_end")
        .join_asof(
            reached.sort("dirty_start"),
            left_on="row_end",
            right_on="dirty_start",
            by=key,
            strategy="backward",
            check_sortedness=False,  # sorted above; Polars cannot check it within groups
        )
        .filter((pl.col("dirty_end") <= pl.col("bucket")).fill_null(value=True))
        .select(rows.columns)
    )


def without(pieces: pl.DataFrame, rows: pl.DataFrame, width: timedelta) -> pl.DataFrame:
    """*pieces* without the time of *rows*, which lie inside them.

    The holes are the steps from the end of one to the start of the next, where each piece adds its
    own two ends; the step from the end of a piece to the next piece is none.
    """
    key = pieces.columns[0]
    edges = pl.concat(
        [
            pieces.select(key, start="start", end="start", closes=False),
            pieces.select(key, start="end", end="end", closes=True),
            rows.select(key, start="bucket", end=pl.col("bucket") + width, closes=False),
        ]
    )
    return (
        edges.sort(key, "start", "end", "closes", descending=[False, False, False, True])
        .with_columns(following=pl.col("start").shift(-1).over(key))
        .filter(~pl.col("closes"), pl.col("following") > pl.col("end"))
        .select(key, start="end", end="following")
    )
