"""The tags as the rollup worker sees them."""

from dataclasses import dataclass
from datetime import datetime

import polars as pl
import sqlalchemy as sa

from kpi.frames import PRODUCTS, TAGS, Schema
from schemas.db.frames import FrameReader
from schemas.db.tables import tag
from schemas.reading import Interpolation, Kind


@dataclass(frozen=True, slots=True)
class Points:
    """All tags, as of the plant loaded at ``loaded_at``.

    ``tags`` has the columns of `kpi.frames.TAGS`, ``products`` those of `kpi.frames.PRODUCTS`;
    ``held`` tells how each tag holds its values: ``tag_id, silence`` [s]``, line, compared``, as
    `ingest.neighbours` wants it.
    """

    loaded_at: datetime
    tags: pl.DataFrame
    products: pl.DataFrame
    held: pl.DataFrame

    def holding(self, spans: pl.DataFrame) -> pl.DataFrame:
        """*spans* with the columns of ``held``; spans of unknown tags are left out."""
        return spans.join(self.held, on="tag_id")

    def of(self, spans: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows of ``tags`` and ``products`` that *spans* are of."""
        wanted = spans.select("tag_id").unique()
        return (
            self.tags.join(wanted, on="tag_id", how="semi"),
            self.products.join(wanted, on="tag_id", how="semi"),
        )


def load_points(frames: FrameReader, loaded_at: datetime) -> Points:
    """Read the tags."""
    rows = frames.fetch(
        sa.select(
            tag.c.id.label("tag_id"),
            tag.c.kind,
            tag.c.interpolation,
            tag.c.stale_after_s,
            tag.c.modulus,
            tag.c.product[1].label("left_id"),
            tag.c.product[2].label("right_id"),
        )
    )
    return Points(
        loaded_at,
        _typed(rows, TAGS),
        _typed(rows.filter(pl.col("left_id").is_not_null()), PRODUCTS),
        rows.select(
            pl.col("tag_id").cast(pl.Int32),
            silence="stale_after_s",
            line=(pl.col("kind") == Kind.GAUGE)
            & (pl.col("interpolation") == Interpolation.LINEAR)
            & pl.col("left_id").is_null(),
            compared=pl.col("kind").is_in([Kind.COUNTER.value, Kind.STATE.value]),
        ),
    )


def _typed(frame: pl.DataFrame, schema: Schema) -> pl.DataFrame:
    return frame.select(pl.col(name).cast(dtype) for name, dtype in schema.items())
