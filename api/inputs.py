"""The inputs of KPIs over any span: sums that were prepared, tags where there are none.

The rollup worker keeps the inputs of assets that have others below them by hour, and by minute in
the open hour (`schemas.db.tables.input_1h`, ``input_1m``). Such a sum is used where it stands and
no dirty mark of its tags reaches it; all else is summed here from `api.summaries`. The answer is
the same either way, to the rounding of sums of floats, and so does not depend on the worker; what
differs is the time that it takes.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import sqlalchemy as sa

from api.grid import BLOCK_ROWS
from api.series import widest
from api.span import Span
from api.summaries import HOUR, MINUTE, Standing, known_tags, tiled
from api.tiles import at, clean, inside, outer, whole, without
from kpi.merge import merge
from kpi.sums import SUMS, add_up
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader, literal
from schemas.db.tables import input_1h, input_1m
from schemas.instant import EPOCH

_WIDTHS: Final = ((input_1h, HOUR), (input_1m, MINUTE))


def sums(
    frames: FrameReader,
    catalogue: Catalogue,
    terms: pl.DataFrame,
    edges: Sequence[datetime],
    *,
    reopened: bool = False,
) -> pl.DataFrame:
    """The inputs of *terms* (`kpi.sums.TERMS`) between the first and the last of *edges*.

    *frames* should be a snapshot. *reopened* is what would be if the signed periods were opened
    again.

    Returns
    -------
    polars.DataFrame
        `kpi.sums.SUMS`, no row across an inner edge.
    """
    span, width = Span(edges[0], edges[-1]), widest(edges)
    ids = terms.select(pl.col("input_id").unique(maintain_order=True))
    pieces = ids.with_columns(start=at(span.start), end=at(span.end))
    found = [pl.DataFrame(schema=dict(SUMS))]
    standing = None
    if width % MINUTE == timedelta(0) and ids.height:
        tags = known_tags(catalogue, terms["tag_id"].unique().sort())
        standing = Standing.of(frames, catalogue, tags, span, reopened=reopened)
        if not reopened:
            prepared, pieces = _prepared(frames, terms, pieces, standing, width)
            found += prepared
    for part in _alike(pieces):
        of_part = terms.join(part.select("input_id").unique(), on="input_id", how="semi")
        found += _from_tags(frames, catalogue, of_part, part, width, standing=standing)
    return pl.concat(found)


def _prepared(
    frames: FrameReader,
    terms: pl.DataFrame,
    pieces: pl.DataFrame,
    standing: Standing,
    width: timedelta,
) -> tuple[list[pl.DataFrame], pl.DataFrame]:
    """The prepared sums that hold, none twice, and what they leave of *pieces*."""
    unclean = (
        terms.select("input_id", "tag_id")
        .join(standing.unclean, on="tag_id")
        .select("input_id", "start", "end")
        .unique()
        .sort("input_id", "start")
    )
    found = []
    for table, each in _WIDTHS:
        inner = whole(pieces, each)
        if width % each == timedelta(0) and inner.height:
            rows = clean(_stored(frames, table, inner, each), unclean, each)
            pieces = without(pieces, rows, each)
            found.append(rows)
    return found, pieces


def _stored(
    frames: FrameReader, table: sa.Table, pieces: pl.DataFrame, width: timedelta
) -> pl.DataFrame:
    span = outer(pieces)
    rows = frames.fetch(
        sa.select(*(table.c[name] for name in SUMS)).where(
            table.c.input_id == sa.any_(literal(pieces["input_id"].unique(), "int8")),
            table.c.bucket >= span.start,
            table.c.bucket < span.end,
        )
    )
    return inside(
        rows.select(pl.col(name).cast(dtype) for name, dtype in SUMS.items()), pieces, width
    )


def _alike(pieces: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """*pieces* in parts, all inputs of a part having theirs at the same times."""
    times = pieces.group_by("input_id", maintain_order=True).agg("start", "end")
    for _, part in times.group_by("start", "end", maintain_order=True):
        yield part.explode("start", "end")


def _from_tags(
    frames: FrameReader,
    catalogue: Catalogue,
    terms: pl.DataFrame,
    pieces: pl.DataFrame,
    width: timedelta,
    *,
    standing: Standing | None,
) -> Iterator[pl.DataFrame]:
    """The inputs of *terms* in *pieces*, which are at the same times for all, block by block."""
    tags = terms.select(pl.col("tag_id").unique().sort())
    times = pieces.select("start", "end").unique().sort("start")
    every = width if width in {HOUR, MINUTE} else timedelta(seconds=1)
    # Whole hours, so that the rollups by hour are not cut.
    step = max(BLOCK_ROWS // tags.height * every // HOUR, 1) * HOUR
    span = outer(pieces)
    start = EPOCH + (span.start - EPOCH) // HOUR * HOUR
    while start < span.end:
        block = times.with_columns(
            start=pl.max_horizontal("start", at(start)),
            end=pl.min_horizontal("end", at(start + step)),
        ).filter(pl.col("start") < pl.col("end"))
        if block.height:
            of_tags = tags.join(block, how="cross")
            rows = tiled(frames, catalogue, of_tags, width, standing=standing)
            yield add_up(terms, _by_hour(rows, span.start) if width == HOUR else rows)
        start += step


def _by_hour(rows: pl.DataFrame, start: datetime) -> pl.DataFrame:
    """*rows* of whole hours, as a prepared sum is made of: so it comes out the same to the bit.

    Where they begin at *start* within an hour, they are labelled by that.
    """
    hours = merge(rows, every=HOUR)
    return hours.with_columns(bucket=pl.max_horizontal("bucket", at(start)))
