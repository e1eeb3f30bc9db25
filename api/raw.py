"""Readings as they are stored, numbers or text, page by page in the order of tag and time.

Pages are cut by keys and not by counts, so that a late reading that arrives between two requests
shifts nothing: no row is given twice and none is left out.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from api.ahead import in_order
from api.cursor import Key
from api.question import Question, Rows, Scale
from api.span import Span, from_us, to_us
from kpi.frames import INSTANT
from schemas.db.frames import FrameReader
from schemas.db.tables import reading, reading_text
from schemas.errors import RequestError
from schemas.plant.model import Tag

COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "ts": INSTANT,
    "value": pl.Float64(),
    "quality": pl.Int16(),
}
TEXT_COLUMNS: Final[Mapping[str, pl.DataType]] = {**COLUMNS, "value": pl.String()}
_SCALES: Final = {"value": Scale.POINT}
#: Rows of a block: some 10 to 20 ms of the server's time, and 2 MB.
_NUMBERS: Final = 65_536
_TEXTS: Final = 4_096


def numbers(frames: FrameReader, question: Question) -> Rows:
    """Mode ``raw``: numeric readings."""
    page = Page(question.tag_ids, question.span, question.first)
    blocks = page.blocks(frames, question.asked.limit)
    rows = in_order(frames, blocks, lambda block: block.numbers(frames))
    return Rows(COLUMNS, _SCALES, blocks[-1].following, rows)


def texts(frames: FrameReader, question: Question) -> Rows:
    """Mode ``text``: readings that are text, such as a recipe or a serial number."""
    page = Page(question.tag_ids, question.span, question.first, table=reading_text)
    blocks = page.blocks(frames, question.asked.limit, _TEXTS)
    rows = in_order(frames, blocks, lambda block: block.texts(frames))
    return Rows(TEXT_COLUMNS, {}, blocks[-1].following, rows)


@dataclass(frozen=True, slots=True)
class Page:
    """The readings of some tags in a span from the key ``first`` to just before ``following``.

    A key is tag id and time [us since 1970]; None is the beginning and the end of all.
    """

    tag_ids: Sequence[int]
    span: Span
    first: Key | None = None
    following: Key | None = None
    table: sa.Table = reading

    def blocks(self, frames: FrameReader, limit: int, rows: int = _NUMBERS) -> list["Page"]:
        """Its first *limit* rows as pages of *rows* each, the last of what is left.

        Each is read by a statement of its own, so that a slow caller holds none open.
        """
        blocks = [self.cut(frames, min(rows, limit))]
        while (following := blocks[-1].following) is not None and (limit := limit - rows) > 0:
            blocks.append(replace(self, first=following).cut(frames, min(rows, limit)))
        return blocks

    def cut(self, frames: FrameReader, limit: int) -> "Page":
        """The same page with at most *limit* rows."""
        keys = self.keys().order_by(self.table.c.tag_id, self.table.c.ts)
        beyond = frames.fetch(keys.offset(limit).limit(1))
        if beyond.is_empty():
            return self
        tag_id, ts = beyond.row(0)
        return replace(self, following=(tag_id, to_us(ts)))

    def numbers(self, frames: FrameReader) -> pl.DataFrame:
        """Its rows as ``tag_id, ts, value, quality``."""
        column = self.table.c
        query = self.keys().add_columns(column.value, column.quality)
        return frames.packed(query, [column.tag_id, column.ts])

    def texts(self, frames: FrameReader) -> pl.DataFrame:
        """Likewise, where the values are text."""
        column = self.table.c
        query = self.keys().add_columns(column.value, column.quality)
        return frames.fetch(query.order_by(column.tag_id, column.ts))

    def keys(self) -> sa.Select[tuple[int, ...]]:
        """What selects its keys."""
        column = self.table.c
        low = 0 if self.first is None else self.first[0]
        high = sys.maxsize if self.following is None else self.following[0]
        tag_ids = [tag_id for tag_id in self.tag_ids if low <= tag_id <= high]
        query = (
            sa.select(column.tag_id, column.ts)
            .where(column.tag_id.in_(tag_ids))
            .where(column.ts >= self.span.start, column.ts < self.span.end)
        )
        # The time alone rules partitions out; a tuple does not.
        alone = len(tag_ids) == 1
        key = column.ts if alone else sa.tuple_(column.tag_id, column.ts)
        if self.first is not None:
            query = query.where(key >= _literal(self.first, alone=alone))
        if self.following is not None:
            query = query.where(key < _literal(self.following, alone=alone))
        return query


def _literal(key: Key, *, alone: bool) -> sa.ColumnElement[Any]:
    tag_id, us = key
    ts = sa.literal(from_us(us))
    return ts if alone else sa.tuple_(sa.literal(tag_id), ts)


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
            right = f"computed from {operands}: use mode=summary or interpolated"
            raise RequestError("tag", tag.path, right)
    return [tag for tag in tags if tag.derivation is None]
