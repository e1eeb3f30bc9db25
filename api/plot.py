"""Mode ``plot``: first, min, max and last of every pixel of a chart.

A chart of a year costs what a chart of an hour costs: a pixel that is longer than a minute or an
hour is made of rollups. For that its edges are moved to whole minutes or hours, by half of one at
most and never by more than half a pixel; each row names its own edges, and between them its values
are those of the raw readings.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

import polars as pl

from api.grid import Grid
from api.question import Question, Rows, Scale
from api.series import rows
from api.span import Span
from api.stream import Frames
from api.summaries import HOUR, MINUTE, readings_of
from kpi.frames import INSTANT
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader, tag_frame
from schemas.instant import EPOCH
from schemas.quality import Quality

COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "start": INSTANT,
    "end": INSTANT,
    "coverage": pl.Float64(),
    "count": pl.Int32(),
    "first": pl.Float64(),
    "first_ts": INSTANT,
    "min": pl.Float64(),
    "min_ts": INSTANT,
    "max": pl.Float64(),
    "max_ts": INSTANT,
    "last": pl.Float64(),
    "last_ts": INSTANT,
}
_SCALES: Final = dict.fromkeys(("first", "min", "max", "last"), Scale.POINT)
_GRAINS: Final = (HOUR, MINUTE, timedelta(seconds=1), timedelta(milliseconds=1))
#: Rows that are made at one time where they are made of readings, of up to a minute each.
_AT_ONCE: Final = 50_000
_READING: Final = ("ts", "value")


def grid(question: Question) -> Grid:
    """The pixels that are asked for."""
    return Grid(question.tag_ids, edges(question.span, question.asked.pixels))


def pixels(frames: FrameReader, question: Question) -> Rows:
    """A row for every pixel of every tag, also where nothing is known."""
    table = grid(question)
    first, stop, following = table.page(question.first, question.asked.limit)
    return Rows(COLUMNS, _SCALES, following, _rows(frames, question, table, first, stop))


def edges(span: Span, count: int) -> Sequence[datetime]:
    """The edges of *count* pixels, or of fewer where these would be shorter than 1 ms."""
    width = (span.end - span.start) / count
    grain = next((grain for grain in _GRAINS if width >= grain), _GRAINS[-1])
    inner = {
        EPOCH + round((span.start + place * width - EPOCH) / grain) * grain
        for place in range(1, count)
    }
    return [span.start, *sorted(edge for edge in inner if span.start < edge < span.end), span.end]


def _rows(frames: FrameReader, question: Question, table: Grid, first: int, stop: int) -> Frames:
    of_readings = max(b - a for a, b in pairwise(table.edges[:3])) < MINUTE
    with frames.snapshot() as one:
        for tag_ids, between in table.blocks(first, stop, _AT_ONCE):
            part = Grid(tag_ids, between)
            for found in rows(one, question.catalogue, part, 0, len(part)):
                if of_readings:
                    extremes = _extremes(one, question.catalogue, tag_ids, between)
                    on = ["tag_id", "start"]
                    timed = found.join(extremes, on=on, how="left", maintain_order="left")
                else:
                    timed = found.with_columns(min_ts=_known_ts("min"), max_ts=_known_ts("max"))
                yield timed.select("tag_id", *(pl.col(n).cast(t) for n, t in COLUMNS.items()))


def _known_ts(name: str) -> pl.Expr:
    """When the extreme was, where that is known of a rollup: it was its first or last value."""
    value = pl.col(name)
    at_first = pl.when(value == pl.col("first")).then("first_ts")
    return at_first.when(value == pl.col("last")).then("last_ts")


def _extremes(
    frames: FrameReader, catalogue: Catalogue, tag_ids: Sequence[int], edges: Sequence[datetime]
) -> pl.DataFrame:
    """``tag_id, start, min_ts, max_ts``: the first instants of the extremes of the readings."""
    tags = tag_frame(catalogue, tag_ids)
    starts = pl.DataFrame({"start": pl.Series(list(edges[:-1]), dtype=INSTANT)})
    quality, value = pl.col("quality"), pl.col("value")
    usable = quality.is_between(Quality.UNCERTAIN, 127) | quality.is_between(Quality.GOOD, 255)
    return (
        readings_of(frames, catalogue, tags, Span(edges[0], edges[-1]))
        .filter(
            usable & value.is_finite(), pl.col("ts").is_between(edges[0], edges[-1], closed="left")
        )
        .sort("ts")
        .join_asof(starts, left_on="ts", right_on="start", coalesce=False)
        .group_by("tag_id", "start")
        .agg(
            min_ts=pl.col("ts").get(value.arg_min()),
            max_ts=pl.col("ts").get(value.arg_max()),
        )
    )
