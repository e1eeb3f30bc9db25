"""The tags as the rollup worker sees them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from ingest.rollup.inputs import Inputs, inputs_of
from kpi.derive import Derived, derived_tags, reach
from kpi.frames import Schema
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import make_engine
from schemas.db.frames import tag_frame
from schemas.reading import Interpolation, Kind

REACHES: Final[Schema] = {
    "tag_id": pl.Int32,
    "operand_id": pl.Int32,
    "behind": pl.Int64,
    "ahead": pl.Int64,
}
"""How far derived tags look, in whole minutes (`kpi.derive.reach`)."""

_COMPARED: Final = (Kind.COUNTER.value, Kind.STATE.value)


@dataclass(frozen=True, slots=True)
class Points:
    """All tags, as of the plant loaded at ``loaded_at``.

    ``tags`` has the columns of `kpi.frames.TAGS`, ``derived`` are the tags that are computed and
    ``reaches`` is what they are computed from, as `REACHES`. ``held`` tells how each tag holds its
    values: ``tag_id, silence`` [s]``, line, compared, context`` [min], as
    `ingest.rollup.neighbours` wants it.

    What a measured tag changes in derived ones goes on after its own silence, so its ``silence`` is
    longer by as much; that of a derived tag is how old a reading may be that it is made of. A
    measured tag is ``compared`` too where a derived one is that is made of it.

    ``inputs`` are the inputs of KPIs that are summed beforehand.
    """

    loaded_at: datetime
    tags: pl.DataFrame
    derived: Mapping[int, Derived]
    reaches: pl.DataFrame
    held: pl.DataFrame
    inputs: Inputs

    def holding(self, spans: pl.DataFrame) -> pl.DataFrame:
        """*spans* with the columns of ``held``; spans of unknown tags are left out."""
        return spans.join(self.held, on="tag_id")

    def of(self, spans: pl.DataFrame) -> tuple[pl.DataFrame, list[int]]:
        """The rows of ``tags`` that *spans* are of, and those of them that are derived."""
        rows = self.tags.join(spans.select("tag_id").unique(), on="tag_id", how="semi")
        return rows, [tag_id for tag_id in rows["tag_id"] if tag_id in self.derived]


def load_points(dsn: str, loaded_at: datetime) -> Points:
    """Read the tags."""
    engine = make_engine(dsn, pool_size=1)
    try:
        with engine.connect() as connection:
            return points_of(load_catalogue(connection), loaded_at)
    finally:
        engine.dispose()


def points_of(catalogue: Catalogue, loaded_at: datetime) -> Points:
    """The tags of *catalogue*."""
    tags = tag_frame(catalogue, sorted(catalogue.tags))
    derived = derived_tags(catalogue.plant, catalogue.tag_ids)
    seconds = reach(derived, derived)
    held = _held(tags, seconds)
    return Points(loaded_at, tags, derived, _in_minutes(seconds), held, inputs_of(catalogue))


def _in_minutes(seconds: pl.DataFrame) -> pl.DataFrame:
    minutes = [
        (pl.col(f"{side}_s") / 60).ceil().cast(pl.Int64).alias(side) for side in ("behind", "ahead")
    ]
    return seconds.select("tag_id", "operand_id", *minutes)


def _held(tags: pl.DataFrame, reaches: pl.DataFrame) -> pl.DataFrame:
    stale, kind = pl.col("stale_after_s"), pl.col("kind")
    compared = kind.is_in(_COMPARED)
    linear = (kind == Kind.GAUGE) & (pl.col("interpolation") == Interpolation.LINEAR)
    from_operands = (
        reaches.join(tags.select(operand_id="tag_id", stale_after_s=stale), on="operand_id")
        .group_by("tag_id")
        .agg(made_of_s=(stale + pl.col("behind_s")).max())
    )
    to_derived = (
        reaches.join(tags.select("tag_id", feeds_compared=compared), on="tag_id")
        .group_by(tag_id="operand_id")
        .agg(
            pl.col("behind_s").max(),
            pl.col("feeds_compared").any(),
            looks_s=pl.max_horizontal("behind_s", "ahead_s").filter("feeds_compared").max(),
        )
    )
    return (
        tags.join(from_operands, on="tag_id", how="left")
        .join(to_derived, on="tag_id", how="left")
        .select(
            "tag_id",
            silence=pl.coalesce("made_of_s", stale + pl.col("behind_s"), stale),
            line=linear & pl.col("made_of_s").is_null(),
            compared=compared | pl.col("feeds_compared").fill_null(value=False),
            context=(pl.col("looks_s").fill_null(0.0) / 60).ceil().cast(pl.Int32),
        )
    )
