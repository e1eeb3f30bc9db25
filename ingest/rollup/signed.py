"""Signed periods: their summaries stay as they were signed; what readings say now is noted.

Readings that arrive late are stored wherever they belong. Where they belong into a signed period
(`ingest.periods`), the summaries there are made again for comparison alone, and the hours that
differ are written to ``late``, so that somebody can decide to open the period again.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import polars as pl
import psycopg

from ingest.rollup.marks import outer
from kpi.frames import SUMMARY

_OF: str = """
    SELECT id, extract(epoch FROM start_at)::int8 / 60, extract(epoch FROM end_at)::int8 / 60
    FROM period WHERE reopened_at IS NULL AND start_at < %s AND end_at > %s ORDER BY start_at"""
_NOTE = """
    INSERT INTO late (period_id, tag_id, bucket, found_at) VALUES (%s, %s, %s, now())
    ON CONFLICT (period_id, tag_id, bucket) DO UPDATE SET found_at = excluded.found_at"""


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed period, from the minute ``start`` to just before ``end``."""

    id: int
    start: int
    end: int


def signed_around(connection: psycopg.Connection, spans: pl.DataFrame) -> Sequence[Signed]:
    """The signed periods that lie between the first and the last of *spans*, in order."""
    if spans.is_empty():
        return []
    low, high = outer(spans)
    return [Signed(*row) for row in connection.execute(_OF, (high, low)).fetchall()]


def unsigned(spans: pl.DataFrame, periods: Sequence[Signed]) -> pl.DataFrame:
    """What of *spans* lies in none of *periods*."""
    if not periods:
        return spans
    edges = [None, *(edge for period in periods for edge in (period.start, period.end)), None]
    gaps = list(pairwise(edges))[::2]
    return pl.concat([_clipped(spans, low, high) for low, high in gaps])


def signed(spans: pl.DataFrame, periods: Sequence[Signed]) -> Iterator[tuple[Signed, pl.DataFrame]]:
    """What of *spans* lies in each of *periods*."""
    for period in periods:
        inside = _clipped(spans, period.start, period.end)
        if not inside.is_empty():
            yield period, inside


def note(
    connection: psycopg.Connection, period: Signed, kept: pl.DataFrame, made: pl.DataFrame
) -> int:
    """Note the hours of tags of which the summaries *made* differ from those *kept*; how many."""
    differing = (
        pl.concat([frame.select(list(SUMMARY)) for frame in (kept, made)])
        .unique(keep="none")
        .select("tag_id", pl.col("bucket").dt.truncate("1h"))
        .unique()
        .sort("tag_id", "bucket")
    )
    with connection.cursor() as cursor:
        cursor.executemany(_NOTE, [(period.id, *row) for row in differing.iter_rows()])
    return differing.height


def _clipped(spans: pl.DataFrame, low: int | None, high: int | None) -> pl.DataFrame:
    return spans.with_columns(
        pl.col("start").clip(lower_bound=low), pl.col("end").clip(upper_bound=high)
    ).filter(pl.col("start") < pl.col("end"))
