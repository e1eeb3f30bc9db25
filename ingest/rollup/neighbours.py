"""What the rollup worker reads: the rows in spans of minutes, and the readings nearest to them.

Spans are ``tag_id, start, end``, half-open in minutes since 1970 (`ingest.rollup.marks`), with the
tag's ``silence`` [s] (``stale_after_s``) and whether it is ``line`` (a linear gauge) or
``compared`` (a counter or state, each usable reading of which is compared with the one before
it). A measured tag that derived states are made of has ``context`` [min]: how far their rules look
around a reading.
"""

from collections.abc import Callable
from operator import attrgetter
from typing import Any, Final

import polars as pl
import sqlalchemy as sa

from ingest.rollup.marks import outer, rows_in
from kpi.frames import INSTANT, READINGS, SUMMARY, Schema
from schemas.db.frames import FrameReader, literal
from schemas.db.tables import reading, rollup_1m

_SPAN: Final = {
    "tag_id": "int4",
    "start": "int4",
    "end": "int4",
    "silence": "float8",
    "line": "bool",
    "compared": "bool",
}
NEIGHBOURS: Final[Schema] = {
    "tag_id": pl.Int32,
    "start": pl.Int64,
    "end": pl.Int64,
    "silence": pl.Float64,
    "last_ts": INSTANT,
    "next_ts": INSTANT,
    "before_ts": INSTANT,
    "compared_ts": INSTANT,
}
_TS: Final = reading.c.ts
#: As `kpi.summary` has it; what is not finite never gets past `ingest.screen`.
_USABLE: Final = sa.and_(
    reading.c.value.is_not(None),
    reading.c.quality.between(64, 127) | reading.c.quality.between(192, 255),
)


class _Spans:
    """Spans as a table expression of literal arrays."""

    def __init__(self, spans: pl.DataFrame) -> None:
        arrays = [literal(spans[name], of) for name, of in _SPAN.items()]
        self.table = sa.func.unnest(*arrays).table_valued(*_SPAN).render_derived(name="span")
        columns = self.table.c
        self.key = (columns.tag_id, columns.start, columns.end, columns.silence)
        self.low = sa.func.to_timestamp(columns.start * 60)
        self.high = sa.func.to_timestamp(columns.end * 60)
        silence = sa.func.make_interval(0, 0, 0, 0, 0, 0, columns.silence)
        since, until = self.low - silence, self.high + silence
        self.last = self._nearest(_TS.desc(), self.high > _TS, since <= _TS)
        self.next = self._nearest(_TS.asc(), self.high <= _TS, until >= _TS)
        self.before = self._nearest(_TS.desc(), self.low > _TS, since <= _TS)
        self.usable_before = self._nearest(_TS.desc(), self.low > _TS, _USABLE, columns.compared)
        self.usable_after = self._nearest(_TS.asc(), self.high <= _TS, _USABLE, columns.compared)

    def _nearest(
        self, order: sa.UnaryExpression[Any], *conditions: sa.ColumnElement[bool]
    ) -> sa.Select[Any]:
        """The first reading in *order* of the span's tag that meets *conditions*."""
        of_tag = reading.c.tag_id == self.table.c.tag_id
        return sa.select(reading).where(of_tag, *conditions).order_by(order).limit(1)


def readings_around(frames: FrameReader, spans: pl.DataFrame) -> pl.DataFrame:
    """The readings in *spans* and the bounds that `kpi.summary.summarise` wants, in any order."""
    inside = _readings_in(frames, spans)
    before = _bounds(frames, spans, attrgetter("before"))
    after_line = _bounds(frames, spans.filter("line"), attrgetter("next")).drop("start")
    usable = _usable_before(frames, spans, before)
    found = [before.drop("start"), after_line, usable, _around(frames, spans, usable)]
    # Bounds are few: the same one may come twice, or be in another span of its tag.
    bounds = pl.concat(found).unique(["tag_id", "ts"])
    outside = rows_in(bounds, spans, "ts", inside=False)
    return pl.concat([outside, inside])


def _bounds(
    frames: FrameReader, spans: pl.DataFrame, bound: Callable[[_Spans], sa.Select[Any]]
) -> pl.DataFrame:
    """The reading that *bound* finds for each span, if any, with the span's ``start``."""
    schema = {"start": pl.Int64, **READINGS}
    if spans.is_empty():
        return pl.DataFrame(schema=schema)
    given = _Spans(spans)
    each = bound(given).lateral()
    start = given.table.c.start
    rows = frames.fetch(sa.select(start, each).select_from(given.table).join(each, sa.true()))
    return _typed(rows, schema)


def _usable_before(frames: FrameReader, spans: pl.DataFrame, before: pl.DataFrame) -> pl.DataFrame:
    """The last usable reading before each span that is compared: mostly the last one at all."""
    quality = pl.col("quality")
    settled = before.filter(
        pl.col("value").is_not_null(), quality.is_between(64, 127) | quality.is_between(192, 255)
    )
    left = spans.filter("compared").join(settled, on=["tag_id", "start"], how="anti")
    looked_up = _bounds(frames, left, attrgetter("usable_before"))
    return pl.concat([settled, looked_up]).drop("start")


def _around(frames: FrameReader, spans: pl.DataFrame, usable: pl.DataFrame) -> pl.DataFrame:
    """The readings around the last *usable* ones before a long silence.

    A derived state is compared with the one before the silence, and what that was, the readings
    next to it tell as well.
    """
    minute = pl.col("ts").dt.epoch("us") // 60_000_000
    silent = minute * 60 < pl.col("start") * 60 - pl.col("silence")
    wanted = (
        usable.join(spans.filter(pl.col("context") > 0), on="tag_id")
        .filter(silent)
        .with_columns(start=minute - pl.col("context"), end=minute + pl.col("context") + 1)
        .select(spans.columns)
        .unique()
    )
    if wanted.is_empty():
        return pl.DataFrame(schema=READINGS)
    return _readings_in(frames, wanted)


def summaries_in(
    frames: FrameReader, spans: pl.DataFrame, table: sa.Table = rollup_1m
) -> pl.DataFrame:
    """The rows of the rollup *table* in *spans*, as `kpi.frames.SUMMARY`."""
    return _typed(frames.fetch(_rows_in(spans, table, table.c.bucket)), SUMMARY)


def neighbours(frames: FrameReader, spans: pl.DataFrame) -> pl.DataFrame:
    """*spans* with the times of the readings that bound what a change in them reaches.

    Returns
    -------
    polars.DataFrame
        `NEIGHBOURS`. ``last_ts`` is that of the last reading before the span's end, ``next_ts`` of
        the first one after it and ``before_ts`` of the last one before its start (lines alone),
        each within the silence; ``compared_ts`` of the first usable one after it, however late
        (counters and states alone).
    """
    given = _Spans(spans)
    nearest = {
        "last_ts": given.last,
        "next_ts": given.next,
        "before_ts": given.before.where(given.table.c.line),
        "compared_ts": given.usable_after,
    }
    times = [
        one.with_only_columns(_TS).scalar_subquery().label(name) for name, one in nearest.items()
    ]
    return _typed(frames.fetch(sa.select(*given.key, *times)), NEIGHBOURS)


def _readings_in(frames: FrameReader, spans: pl.DataFrame) -> pl.DataFrame:
    return _typed(frames.packed(_rows_in(spans, reading, _TS)), READINGS)


def _rows_in(spans: pl.DataFrame, table: sa.Table, column: sa.Column[Any]) -> sa.Select[Any]:
    given = _Spans(spans)
    # The planner leaves out partitions by constants alone.
    low, high = outer(spans)
    # OFFSET keeps it at one index scan a span. It thinks that these find few rows, and else reads
    # whole partitions and sorts them: 1.2 million rows took the server 1.6 s in place of 0.9 s out
    # of 2.4 million, and more the more there were (2026-11-22).
    each = (
        sa.select(table)
        .where(table.c.tag_id == given.table.c.tag_id)
        .where(column >= given.low, column < given.high)
        .where(column >= low, column < high)
        .offset(0)
        .lateral()
    )
    return sa.select(each).select_from(given.table).join(each, sa.true())


def _typed(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
