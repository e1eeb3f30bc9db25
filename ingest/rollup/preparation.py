"""Inputs of KPIs prepared in the transaction that replaces the summaries they are made of."""

import polars as pl
import psycopg

from ingest.rollup import marks
from ingest.rollup.inputs import HOURS, MINUTES, Width, others, parts, summed, touched
from ingest.rollup.neighbours import summaries_in
from ingest.rollup.points import Points
from ingest.rollup.replacement import replace
from kpi.frames import SUMMARY
from schemas.db.frames import FrameReader


class Preparation:
    """The summaries that one step replaces, and then the inputs that they are part of.

    ``hour`` is the minute in which the hour began that is open, as the minute *closed* is.
    """

    def __init__(self, frames: FrameReader, points: Points, closed: int) -> None:
        self._frames = frames
        self._points = points
        self.hour = closed // 60 * 60
        self._replaced: list[tuple[Width, pl.DataFrame, pl.DataFrame]] = []

    def minutes(self, spans: pl.DataFrame, rows: pl.DataFrame) -> None:
        """All that ``rollup_1m`` holds in *spans* of tags is *rows* now."""
        start = pl.max_horizontal("start", pl.lit(self.hour, pl.Int64))
        open_ = spans.with_columns(start=start).filter(pl.col("start") < pl.col("end"))
        if open_.height:
            inside = marks.rows_in(rows, open_, "bucket", inside=True)
            self._replaced.append((MINUTES, open_, inside))

    def hours(self, spans: pl.DataFrame, rows: pl.DataFrame) -> None:
        """All that ``rollup_1h`` holds in *spans* of tags, whole hours, is *rows* now."""
        self._replaced.append((HOURS, spans, rows))

    def finish(self, connection: psycopg.Connection) -> int:
        """Sum up the inputs in the buckets that were touched; how many those are."""
        connection.execute("DELETE FROM input_1m WHERE bucket < %s", (marks.instant_of(self.hour),))
        return sum(self._sum_up(connection, width) for width in (MINUTES, HOURS))

    def _sum_up(self, connection: psycopg.Connection, width: Width) -> int:
        replaced = [each[1:] for each in self._replaced if each[0] is width]
        if not replaced:
            return 0
        spans = pl.concat(each[0].select("tag_id", "start", "end") for each in replaced)
        rows = pl.concat(each[1] for each in replaced)
        inputs, buckets = self._points.inputs, 0
        for part in parts(inputs, touched(inputs, spans, width)):
            known = pl.concat([rows, self._standing(others(inputs, part, spans), width)])
            replace(connection, width.table, part, summed(inputs, part, known))
            buckets += part.height
        return buckets

    def _standing(self, spans: pl.DataFrame, width: Width) -> pl.DataFrame:
        """The summaries in *spans*, which this step leaves as they are."""
        if spans.is_empty():
            return pl.DataFrame(schema=dict(SUMMARY))
        held = self._points.holding(marks.union(spans))
        return summaries_in(self._frames, held, width.rollup)
