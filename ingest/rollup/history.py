"""Inputs of KPIs that are new: their past, summed up hour by hour from the newest on.

A slice at a time, each in a transaction of its own, so that live minutes wait for one slice at most
and whoever is killed goes on where it was. Until it is there the past is answered from the
summaries of the tags.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import psycopg
import sqlalchemy as sa

from ingest.rollup.inputs import CHUNK, Inputs
from ingest.rollup.marks import minute_of
from ingest.rollup.replacement import replace
from kpi.frames import SUMMARY
from kpi.sums import add_up
from schemas.db.frames import FrameReader
from schemas.db.tables import rollup_1h

_HOUR: Final = timedelta(hours=1)
_NEWEST: Final = """
    SELECT array_agg(id), built_from FROM kpi_input WHERE built_from > '-infinity'
    GROUP BY built_from ORDER BY built_from DESC LIMIT 1"""
#: One index descent a tag and partition.
_OLDEST: Final = """
    SELECT min(oldest.bucket) FROM unnest(%s::int4[]) AS given (id) CROSS JOIN LATERAL
        (SELECT bucket FROM rollup_1h WHERE tag_id = given.id ORDER BY bucket LIMIT 1) AS oldest"""


@dataclass(frozen=True, slots=True)
class Slice:
    """A slice of the past that was summed up for ``inputs`` inputs; ``oldest``: where it begins."""

    inputs: int
    start: datetime
    end: datetime
    oldest: datetime | None

    @property
    def hours_left(self) -> int:
        """How many hours before the slice have summaries."""
        return 0 if self.oldest is None else max(0, (self.start - self.oldest) // _HOUR)


def build(connection: psycopg.Connection, frames: FrameReader, inputs: Inputs) -> Slice | None:
    """Sum up one more slice, in the caller's transaction; None if nothing is left to do."""
    row = connection.execute(_NEWEST).fetchone()
    if row is None:
        return None
    ids, end = row
    terms = inputs.terms.filter(pl.col("input_id").is_in(ids))
    tags = terms["tag_id"].unique().sort().to_list()
    found = connection.execute(_OLDEST, (tags,)).fetchone()
    oldest = found[0] if found else None
    start = max(end - max(1, CHUNK // max(1, len(tags))) * _HOUR, min(oldest or end, end))
    if start < end:
        spans = pl.DataFrame(
            {"input_id": ids, "start": minute_of(start), "end": minute_of(end)},
            schema_overrides={"input_id": pl.Int64},
        )
        replace(connection, "input_1h", spans, add_up(terms, _hours(frames, tags, start, end)))
    done = oldest is None or start <= oldest
    connection.execute(
        "UPDATE kpi_input SET built_from = %s::timestamptz WHERE id = ANY(%s::int8[])",
        ("-infinity" if done else start, ids),
    )
    return Slice(len(ids), start, end, oldest)


def _hours(
    frames: FrameReader, tags: Sequence[int], start: datetime, end: datetime
) -> pl.DataFrame:
    rows = frames.fetch(
        sa.select(*(rollup_1h.c[name] for name in SUMMARY)).where(
            rollup_1h.c.tag_id.in_(tags), rollup_1h.c.bucket >= start, rollup_1h.c.bucket < end
        )
    )
    return rows.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())
