"""Signed periods as the API answers from them: rollups as they were signed, whatever came since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl
import sqlalchemy as sa

from api.span import Span
from api.store import array
from kpi.frames import INSTANT
from schemas.db.frames import FrameReader
from schemas.db.tables import late, period
from schemas.instant import EPOCH

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_FROZEN: Final = period.c.reopened_at.is_(None)


@dataclass(frozen=True, slots=True)
class Signature:
    """A signed period that an answer touches.

    ``late`` hours of the tags that the answer is made of changed after it was signed; the answer
    is without these changes.
    """

    name: str
    start: datetime
    end: datetime
    by: str
    at: datetime
    reason: str
    late: int


def signatures(connection: sa.Connection, span: Span, tag_ids: Sequence[int]) -> list[Signature]:
    """The signed periods that *span* touches, with what is late there of these tags."""
    changed = (
        sa.select(sa.func.count())
        .where(
            late.c.period_id == period.c.id,
            late.c.tag_id == sa.any_(array(tag_ids)),
            late.c.bucket > span.start - _HOUR,
            late.c.bucket < span.end,
        )
        .scalar_subquery()
    )
    found = connection.execute(
        sa.select(
            period.c.name,
            period.c.start_at,
            period.c.end_at,
            period.c.signed_by,
            period.c.signed_at,
            period.c.reason,
            changed,
        )
        .where(_FROZEN, period.c.start_at < span.end, period.c.end_at > span.start)
        .order_by(period.c.start_at)
    )
    return [Signature(*row) for row in found]


def frozen(frames: FrameReader, span: Span) -> Sequence[Span]:
    """The whole minutes of *span* that lie in signed periods, in order."""
    found = frames.fetch(
        sa.select(period.c.start_at, period.c.end_at)
        .where(_FROZEN, period.c.start_at < span.end, period.c.end_at > span.start)
        .order_by(period.c.start_at)
    )
    first = EPOCH - (EPOCH - span.start) // _MINUTE * _MINUTE
    last = EPOCH + (span.end - EPOCH) // _MINUTE * _MINUTE
    whole = (Span(max(start, first), min(end, last)) for start, end in found.iter_rows())
    return [one for one in whole if one.start < one.end]


def late_hours(frames: FrameReader, span: Span) -> pl.DataFrame:
    """``tag_id, start, end`` of the hours in *span* that signed periods keep as they were."""
    found = frames.fetch(
        sa.select(late.c.tag_id, late.c.bucket)
        .join(period, late.c.period_id == period.c.id)
        .where(_FROZEN, late.c.bucket > span.start - _HOUR, late.c.bucket < span.end)
    )
    hour = pl.col("bucket").cast(INSTANT)
    return found.select(pl.col("tag_id").cast(pl.Int32), start=hour, end=hour + _HOUR)


def without(pieces: pl.DataFrame, spans: Sequence[Span]) -> pl.DataFrame:
    """*pieces* (``tag_id, start, end``) by tag and start, without the time of *spans*, in order."""
    if not spans:
        return pieces
    edges = [None, *(edge for span in spans for edge in (span.start, span.end)), None]
    rest = [_clipped(pieces, low, high) for low, high in list(pairwise(edges))[::2]]
    return pl.concat(rest).sort("tag_id", "start")


def _clipped(pieces: pl.DataFrame, low: datetime | None, high: datetime | None) -> pl.DataFrame:
    return pieces.with_columns(
        start=pl.max_horizontal("start", pl.lit(low, dtype=INSTANT)),
        end=pl.min_horizontal("end", pl.lit(high, dtype=INSTANT)),
    ).filter(pl.col("start") < pl.col("end"))
