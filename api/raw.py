"""Raw readings, page by page, in the order of tag and time.

Pages are cut by keys and not by counts, so that a late reading that arrives between two requests
shifts nothing: no row is given twice and none is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import polars as pl
import sqlalchemy as sa

from api.cursor import Key
from api.span import Span, from_us, to_us
from api.stream import Frames
from kpi.frames import INSTANT
from schemas.db.frames import FrameReader
from schemas.db.tables import reading
from schemas.errors import RequestError
from schemas.plant.model import Tag

#: The columns of raw readings, after ``tag``.
RAW_COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "ts": INSTANT,
    "value": pl.Float64(),
    "quality": pl.Int16(),
}


@dataclass(frozen=True, slots=True)
class Page:
    """The readings of some tags in a span from the key ``first`` to just before ``following``.

    A key is tag id and time [us since 1970]; None is the beginning and the end of all.
    """

    tag_ids: Sequence[int]
    span: Span
    first: Key | None = None
    following: Key | None = None

    def cut(self, frames: FrameReader, limit: int) -> "Page":
        """The same page with at most *limit* rows."""
        beyond = frames.fetch(self._keys().offset(limit).limit(1))
        if beyond.is_empty():
            return self
        tag_id, ts = beyond.row(0)
        return replace(self, following=(tag_id, to_us(ts)))

    def frames(self, frames: FrameReader) -> Frames:
        """Its rows as ``tag_id, ts, value, quality``."""
        return frames.batches(self._keys().add_columns(reading.c.value, reading.c.quality))

    def _keys(self) -> sa.Select[tuple[int, ...]]:
        key = sa.tuple_(reading.c.tag_id, reading.c.ts)
        query = (
            sa.select(reading.c.tag_id, reading.c.ts)
            .where(reading.c.tag_id.in_(self.tag_ids))
            .where(reading.c.ts >= self.span.start, reading.c.ts < self.span.end)
            .order_by(reading.c.tag_id, reading.c.ts)
        )
        if self.first is not None:
            query = query.where(key >= _literal(self.first))
        if self.following is not None:
            query = query.where(key < _literal(self.following))
        return query


def _literal(key: Key) -> sa.Tuple:
    tag_id, us = key
    return sa.tuple_(sa.literal(tag_id), sa.literal(from_us(us)))


def measured(tags: Sequence[Tag], asked: Sequence[str]) -> list[Tag]:
    """Those of *tags* that have raw readings of their own.

    A pattern stands for these alone.

    Raises
    ------
    RequestError
        A computed tag was *asked* for by its path.
    """
    for tag in tags:
        if tag.derivation is not None and tag.path in asked:
            operands = " and ".join(tag.derivation.operands)
            right = f"it is computed from {operands}: use mode=summary, or read those"
            raise RequestError("tag", tag.path, right)
    return [tag for tag in tags if tag.derivation is None]
