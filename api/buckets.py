"""Mode ``summary``: columns of summaries, and aggregates of OPC UA Part 13, bucket by bucket.

Summaries come from rollups where these stand (`api.summaries`). The standard's aggregates are not
made of summaries: they are computed from raw readings, some tags and buckets at a time.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import groupby, pairwise
from typing import Final

import polars as pl

from api.conversion import check_totals, conversions
from api.grid import BLOCK_ROWS, Grid
from api.question import Question, Rows, Scale
from api.series import COLUMNS, rows
from api.span import Span, cut
from api.stream import Frames
from api.summaries import readings_of
from kpi.frames import INSTANT
from kpi.part13.aggregate import AT_ACTUAL_TIME, aggregate
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.names import Aggregate
from schemas.db.frames import FrameReader, tag_frame
from schemas.errors import RequestError, TooLargeError, nearest
from schemas.reading import Interpolation

_KEYS: Final = ("start", "end", "coverage")
_SCALES: Final[Mapping[str, Scale]] = {
    **dict.fromkeys(("mean", "min", "max", "first", "last"), Scale.POINT),
    **dict.fromkeys(("increase", "total"), Scale.DIFFERENCE),
    "integral": Scale.INTEGRAL,
}
#: Aggregates that are no values of the tag; all others are points of its scale.
_OTHER_SCALES: Final[Mapping[Aggregate, Scale | None]] = {
    **dict.fromkeys((Aggregate.TOTAL, Aggregate.TOTAL_2), Scale.INTEGRAL),
    **dict.fromkeys(
        (
            Aggregate.RANGE,
            Aggregate.RANGE_2,
            Aggregate.DELTA,
            Aggregate.DELTA_BOUNDS,
            Aggregate.STANDARD_DEVIATION_SAMPLE,
            Aggregate.STANDARD_DEVIATION_POPULATION,
        ),
        Scale.DIFFERENCE,
    ),
    **dict.fromkeys((Aggregate.VARIANCE_SAMPLE, Aggregate.VARIANCE_POPULATION), Scale.SQUARE),
    **dict.fromkeys(
        (
            Aggregate.COUNT,
            Aggregate.DURATION_IN_STATE_ZERO,
            Aggregate.DURATION_IN_STATE_NON_ZERO,
            Aggregate.NUMBER_OF_TRANSITIONS,
            Aggregate.DURATION_GOOD,
            Aggregate.DURATION_BAD,
            Aggregate.PERCENT_GOOD,
            Aggregate.PERCENT_BAD,
            Aggregate.WORST_QUALITY,
            Aggregate.WORST_QUALITY_2,
        )
    ),
}
#: Readings that one bucket of one tag may hold: the standard's aggregates need them all at once.
_READINGS_MAX: Final = 20_000_000
#: Readings that are held at one time where buckets are smaller.
_READINGS: Final = 3_000_000


def grid(question: Question) -> Grid:
    """The buckets that are asked for; `RequestError` if their width is none."""
    return Grid(question.tag_ids, cut(question.span, question.asked.every, question.calendar))


def summaries(frames: FrameReader, question: Question) -> Rows:
    """A row for every tag in every bucket, also where nothing is known.

    Raises
    ------
    RequestError
        An aggregate or the width of the buckets is none; a bucket holds too much.
    """
    own, standard = _named(question.asked.aggregate)
    table = grid(question)
    first, stop, following = table.page(question.first, question.asked.limit)
    shown = COLUMNS if not question.asked.aggregate else {n: COLUMNS[n] for n in (*_KEYS, *own)}
    columns = dict(shown)
    scales = {name: scale for name, scale in _SCALES.items() if name in columns}
    for one in standard:
        columns |= _columns(one)
        if scale := _OTHER_SCALES.get(one, Scale.POINT):
            scales[one] = scale
    if standard and question.asked.unit is not None:
        totals = [one for one in standard if scales.get(one) is Scale.INTEGRAL]
        check_totals(conversions(question.tags, question.asked.unit), totals)
    most = _rows_at_once(question, table) if standard else BLOCK_ROWS
    blocks = table.blocks(first, stop, most)
    return Rows(columns, scales, following, _rows(frames, question, blocks, standard))


def _named(names: Sequence[str]) -> tuple[list[str], list[Aggregate]]:
    """*names* as columns of summaries and as aggregates of the standard."""
    own = [name for name in COLUMNS if name in names and name not in _KEYS]
    known = [member.value for member in Aggregate]
    for name in names:
        if name not in COLUMNS and name not in known:
            raise RequestError("aggregate", name, nearest(name, [*COLUMNS, *known]))
    return own, [member for member in Aggregate if member in names]


def _columns(one: Aggregate) -> dict[str, pl.DataType]:
    """The columns of an aggregate: its value, the quality of that, and when it was so."""
    columns: dict[str, pl.DataType] = {one: pl.Float64(), f"{one}_quality": pl.Int16()}
    return {**columns, f"{one}_ts": INSTANT} if one in AT_ACTUAL_TIME else columns


def _rows(
    frames: FrameReader,
    question: Question,
    blocks: Iterator[tuple[Sequence[int], Sequence[datetime]]],
    standard: Sequence[Aggregate],
) -> Frames:
    with frames.snapshot() as one:
        for tag_ids, edges in blocks:
            part = Grid(tag_ids, edges)
            (table,) = rows(one, question.catalogue, part, 0, len(part))
            yield _with_standard(one, question, part, table, standard) if standard else table


def _with_standard(
    frames: FrameReader,
    question: Question,
    part: Grid,
    table: pl.DataFrame,
    standard: Sequence[Aggregate],
) -> pl.DataFrame:
    """*table* with the aggregates of the standard beside its summaries."""
    tags = tag_frame(question.catalogue, part.tag_ids)
    span = Span(part.edges[0], part.edges[-1])
    readings = readings_of(frames, question.catalogue, tags, span)
    for name in standard:
        found = pl.concat(_aggregated(readings, tags, name, part.edges))
        table = table.join(
            found, on=["tag_id", "start"], how="left", maintain_order="left"
        ).with_columns(pl.col(f"{name}_quality").fill_null(0))
    return table


def _rows_at_once(question: Question, grid: Grid) -> int:
    """Buckets of a tag that are read at one time."""
    widest_s = max((b - a).total_seconds() for a, b in pairwise(_some(grid.edges)))
    # Seldom do more than sixty readings come while a value holds.
    per_second = max(60.0 / max(tag.stale_after_s, 60.0) for tag in question.tags.values())
    readings = widest_s * per_second
    if readings > _READINGS_MAX:
        right = f"some {readings:,.0f} readings of a tag stand in one bucket: narrow the buckets"
        raise TooLargeError("every", question.asked.every, right)
    return int(min(BLOCK_ROWS, max(1.0, _READINGS / max(readings, 1.0))))


def _some(edges: Sequence[datetime]) -> Sequence[datetime]:
    """Enough of *edges* to see how wide buckets are: the first thousand."""
    return edges[: min(len(edges), 1_000)]


def _aggregated(
    readings: pl.DataFrame, tags: pl.DataFrame, name: Aggregate, edges: Sequence[datetime]
) -> Iterator[pl.DataFrame]:
    """``tag_id, start`` and the columns of the aggregate; stepped and sloped tags apart."""
    for interpolation in Interpolation:
        of_kind = tags.filter(pl.col("interpolation") == interpolation.value)["tag_id"].implode()
        chosen = readings.filter(pl.col("tag_id").is_in(of_kind))
        config = AggregateConfiguration(stepped=interpolation is Interpolation.STEP)
        for start, end, every in _runs(edges):
            found = aggregate(chosen, name, start, end, every, config)
            renamed = {"value": name, "quality": f"{name}_quality", "actual_time": f"{name}_ts"}
            found = found.rename(renamed, strict=False)
            yield found.select(
                "tag_id", "start", *(pl.col(n).cast(t) for n, t in _columns(name).items())
            )


def _runs(edges: Sequence[datetime]) -> Iterator[tuple[datetime, datetime, timedelta]]:
    """Spans of buckets of one width: a year of a zone has days of 23, 24 and 25 hours."""
    for width, buckets in groupby(pairwise(edges), key=lambda bucket: bucket[1] - bucket[0]):
        run = list(buckets)
        yield run[0][0], run[-1][1], width
