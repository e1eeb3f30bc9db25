"""Dirty marks: which minutes of which tags have to be summarised again.

A minute is a whole number of minutes since 1970; minutes of tags are pairs ``tag_id, minute``, and
spans are ``tag_id, start, end``, half-open in minutes.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import psycopg

from kpi.frames import Schema
from schemas.instant import EPOCH

_MINUTE: Final = timedelta(minutes=1)
_PAIRS: Final[Schema] = {"minute": pl.Int64, "tag_ids": pl.List(pl.Int32)}

#: Newest buckets first, each whole, as long as those before it hold less than the budget.
_TAKE: Final = """
    WITH load AS (
        SELECT bucket, sum(cardinality(tag_ids)) AS pairs
        FROM dirty WHERE bucket < %(closed)s GROUP BY bucket
    ), newest AS (
        SELECT bucket, sum(pairs) OVER (ORDER BY bucket DESC) - pairs AS before FROM load
    )
    DELETE FROM dirty USING newest
    WHERE dirty.bucket = newest.bucket AND newest.before < %(budget)s
    RETURNING extract(epoch FROM dirty.bucket)::int8 / 60, dirty.tag_ids"""


def minute_of(instant: datetime) -> int:
    """The minute that *instant* lies in."""
    return (instant - EPOCH) // _MINUTE


def instant_of(minute: int) -> datetime:
    """The start of *minute*."""
    return EPOCH + minute * _MINUTE


def take(connection: psycopg.Connection, closed: int, budget: int) -> pl.DataFrame:
    """Remove marks before the minute *closed* and return their pairs, each once.

    The newest minutes are taken first and at most about *budget* pairs, so that live minutes do not
    wait behind a backlog.
    """
    rows = connection.execute(
        _TAKE, {"closed": instant_of(closed), "budget": budget}, binary=True
    ).fetchall()
    return (
        pl.DataFrame(rows, schema=dict(_PAIRS), orient="row")
        .explode("tag_ids")
        .select(tag_id="tag_ids", minute="minute")
        .drop_nulls()
        .unique()
    )


def due(connection: psycopg.Connection, closed: int) -> int:
    """How many pairs before the minute *closed* are marked, counted as often as marked."""
    row = connection.execute(
        "SELECT coalesce(sum(cardinality(tag_ids)), 0) FROM dirty WHERE bucket < %s",
        (instant_of(closed),),
    ).fetchone()
    return int(row[0]) if row else 0


def leave(connection: psycopg.Connection, marks: Mapping[int, list[int]]) -> None:
    """Mark the minutes, each for its tags."""
    for minute, tag_ids in marks.items():
        if tag_ids:
            connection.execute(
                "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s::int4[])",
                (instant_of(minute), tag_ids),
            )


def spans(pairs: pl.DataFrame) -> pl.DataFrame:
    """*pairs* as the fewest spans, in order."""
    return union(pairs.select("tag_id", start="minute", end=pl.col("minute") + 1))


def union(spans: pl.DataFrame) -> pl.DataFrame:
    """The minutes in any of *spans* as the fewest spans, in order."""
    tag_id, start, end = pl.col("tag_id"), pl.col("start"), pl.col("end")
    apart = start > end.cum_max().shift().over("tag_id")
    return (
        spans.sort("tag_id", "start", "end")
        .with_columns(part=apart.fill_null(value=True).cum_sum())
        .group_by("part", maintain_order=True)
        .agg(tag_id.first(), start.first(), end.max())
        .drop("part")
    )


def minutes_in(spans: pl.DataFrame) -> int:
    """How many minutes of tags are in disjoint *spans*."""
    return int(spans.select((pl.col("end") - pl.col("start")).sum()).item())


def parts(spans: pl.DataFrame, minutes: int) -> Iterator[pl.DataFrame]:
    """*spans* in parts of some *minutes*; all spans of a tag are in one part."""
    length = pl.col("end") - pl.col("start")
    # Counted before the window: inside it a running sum would begin again with each tag.
    counted = spans.with_columns(upto=length.cum_sum())
    before = (pl.col("upto").max() - length.sum()).over("tag_id")
    for _, part in counted.group_by(before // minutes, maintain_order=True):
        yield part.drop("upto")


def outer(spans: pl.DataFrame) -> tuple[datetime, datetime]:
    """The start of the first and the end of the last of *spans*."""
    low, high = spans.select(pl.col("start").min(), pl.col("end").max()).row(0)
    return instant_of(low), instant_of(high)


def rows_in(rows: pl.DataFrame, spans: pl.DataFrame, time: str, *, inside: bool) -> pl.DataFrame:
    """The *rows* of tags whose column *time* is in one of disjoint *spans*, or else in none."""
    place = pl.col("tag_id").cast(pl.Int64) * 2**32
    ends = spans.select(place=place + pl.col("start"), until=place + pl.col("end")).sort("place")
    found = (pl.col("place") < pl.col("until")).fill_null(value=False)
    return (
        rows.with_columns(place=place + pl.col(time).dt.epoch("us") // 60_000_000)
        .sort("place")
        .join_asof(ends, on="place", strategy="backward")
        .filter(found if inside else ~found)
        .select(rows.columns)
    )
