"""The inputs of KPIs over any span: sums that were prepared, tags where there are none.

The rollup worker keeps the sums over many tags by hour, and by minute in the open hour
(`schemas.db.tables.input_1h`, ``input_1m``). Such a sum is used where it stands and no dirty mark
of its tags reaches it; all else is summed here from `api.summaries`. The answer is the same either
way, to the rounding of sums of floats, and so does not depend on the worker; what differs is the
time that it takes.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import sqlalchemy as sa

from api.grid import BLOCK_ROWS
from api.series import widest
from api.span import Span
from api.summaries import HOUR, MINUTE, known_tags, tiled, unsettled
from api.tiles import at, clean, inside, outer, whole, without
from kpi.sums import SUMS, add_up
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader
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
    if width % MINUTE == timedelta(0) and not reopened:
        found += _prepared(frames, catalogue, terms, span, width)
        for rows, (_, each) in zip(found[1:], _WIDTHS, strict=True):
            pieces = without(pieces, rows, each)
    for part in _alike(pieces):
        of_part = terms.join(part.select("input_id").unique(), on="input_id", how="semi")
        found += _from_tags(frames, catalogue, of_part, part, width, reopened=reopened)
    return pl.concat(found)


def _prepared(
    frames: FrameReader, catalogue: Catalogue, terms: pl.DataFrame, span: Span, width: timedelta
) -> list[pl.DataFrame]:
    """The prepared sums of each of `_WIDTHS` that hold, none twice."""
    several = terms.filter(pl.len().over("input_id") > 1)
    pieces = several.select(pl.col("input_id").unique(maintain_order=True))
    pieces = pieces.with_columns(start=at(span.start), end=at(span.end))
    if pieces.is_empty():
        return [pl.DataFrame(schema=dict(SUMS))] * len(_WIDTHS)
    tags = known_tags(catalogue, several["tag_id"].unique().sort())
    unclean = (
        several.select("input_id", "tag_id")
        .join(unsettled(frames, catalogue, tags, span), on="tag_id")
        .select("input_id", "start", "end")
        .unique()
        .sort("input_id", "start")
    )
    found = []
    for table, each in _WIDTHS:
        rows = pl.DataFrame(schema=dict(SUMS))
        inner = whole(pieces, each)
        if width % each == timedelta(0) and inner.height:
            rows = clean(_stored(frames, table, inner, each), unclean, each)
            pieces = without(pieces, rows, each)
        found.append(rows)
    return found


def _stored(
    frames: FrameReader, table: sa.Table, pieces: pl.DataFrame, width: timedelta
) -> pl.DataFrame:
    span = outer(pieces)
    rows = frames.fetch(
        sa.select(*(table.c[name] for name in SUMS)).where(
            table.c.input_id.in_(pieces["input_id"].unique().to_list()),
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
    reopened: bool,
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
            rows = tiled(frames, catalogue, tags.join(block, how="cross"), width, reopened=reopened)
            yield add_up(terms, rows)
        start += step
