"""Summaries of any tags over any span: rollups where they stand, raw readings where they do not.

A rollup is used for whole hours or minutes that are clean. What is open (the last minutes), dirty
(a late reading came and the rollup worker has not been there yet) or simply has no rollup is
summarised from raw readings by the same function that the worker uses. The answer is the same
either way, to the rounding of sums of floats; what differs is the time that it takes.

In a signed period (`api.signed`) the rollups alone are looked at, minute by minute at least:
neither marks nor readings that came after the signature change an answer.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

import polars as pl
import sqlalchemy as sa

from api import signed
from api.same import Same
from api.span import Span
from api.tiles import at, clean, inside, outer, whole, without
from kpi.derive import Derived, derive, derived_tags
from kpi.frames import INSTANT, SUMMARY
from kpi.summary import summarise
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader, tag_frame
from schemas.db.tables import dirty, rollup_1h, rollup_1m
from schemas.instant import EPOCH
from schemas.reading import Interpolation, Kind

HOUR: Final = timedelta(hours=1)
MINUTE: Final = timedelta(minutes=1)
_TIERS: Final = ((rollup_1h, HOUR), (rollup_1m, MINUTE))
#: Readings that are held at one time: some 100 MB of frames.
_READINGS: Final = 3_000_000
#: Readings that cost as much time as a query of their own: 10 ms at 2 million/s (2026-11-21).
_ROUND_TRIP: Final = 20_000


def summaries(
    frames: FrameReader,
    catalogue: Catalogue,
    tag_ids: Sequence[int],
    span: Span,
    widest: timedelta,
    *,
    reopened: bool = False,
) -> pl.DataFrame:
    """Rows of `kpi.frames.SUMMARY` that tile *span*, none across a multiple of *widest*.

    *frames* should be a snapshot, so that marks, rollups and readings are of one moment. A bucket
    in which nothing is covered has no row. *reopened* is what would be if the signed periods were
    opened again.
    """
    ids = pl.DataFrame({"tag_id": pl.Series(sorted(set(tag_ids)), dtype=pl.Int32)})
    pieces = ids.with_columns(start=at(span.start), end=at(span.end))
    return tiled(frames, catalogue, pieces, widest, reopened=reopened)


def tiled(
    frames: FrameReader,
    catalogue: Catalogue,
    pieces: pl.DataFrame,
    widest: timedelta,
    *,
    reopened: bool = False,
    standing: "Standing | None" = None,
) -> pl.DataFrame:
    """As `summaries`, rows that tile *pieces* of tags (`api.tiles`), which are some minutes.

    *standing* is that of these tags and of as much time at least; it is looked up if None.
    """
    tags = known_tags(catalogue, pieces["tag_id"].unique().sort())
    span = outer(pieces)
    if widest % MINUTE:
        found = [_from_raw(frames, catalogue, tags, pieces, widest)]
    else:
        found = []
        stands = standing or Standing.of(frames, catalogue, tags, span, reopened=reopened)
        for rollup, width in _TIERS:
            if widest % width == timedelta(0):
                inner = whole(pieces, width)
                rows = clean(_rolled_up(frames, rollup, tags, inner, width), stands.unclean, width)
                pieces = without(pieces, rows, width)
                found.append(rows)
        rest = signed.without(pieces, stands.frozen)
        found.append(_from_raw(frames, catalogue, tags, rest, MINUTE))
    # A first bucket that the span cuts is labelled by where it is cut.
    return pl.concat(found).with_columns(bucket=pl.max_horizontal("bucket", at(span.start)))


@dataclass(frozen=True, slots=True)
class Standing:
    """How far rollups stand for readings.

    ``frozen`` are the minutes in signed periods, in order, where rollups alone are looked at;
    ``unclean`` is where rollups do not say what readings say: ``tag_id, start, end``, in order.
    """

    frozen: Sequence[Span]
    unclean: pl.DataFrame

    @classmethod
    def of(
        cls,
        frames: FrameReader,
        catalogue: Catalogue,
        tags: pl.DataFrame,
        span: Span,
        *,
        reopened: bool = False,
    ) -> "Standing":
        """That of *tags* in *span*; *reopened*: if the signed periods were opened again."""
        unclean = _unclean(frames, catalogue, tags, span)
        if reopened:
            return cls([], _with_late(unclean, signed.late_hours(frames, span), tags))
        frozen = signed.frozen(frames, span)
        return cls(frozen, signed.without(unclean, frozen))


def _with_late(unclean: pl.DataFrame, late: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    of_tags = late.join(tags.select("tag_id"), on="tag_id", how="semi")
    columns = ["tag_id", "start", "end"]
    return pl.concat([unclean.select(columns), of_tags.select(columns)]).sort("tag_id", "start")


def _unclean(
    frames: FrameReader, catalogue: Catalogue, tags: pl.DataFrame, span: Span
) -> pl.DataFrame:
    """``tag_id, start, end`` of what the pending dirty marks reach.

    A new reading changes what comes after it for as long as it holds, and what comes before it
    where a straight line leads to it or a rule looks ahead to it. The next reading of a counter or
    state, however late, is compared with it.
    """
    # Marks are few and soon consumed: those that reach nothing here are sorted out below.
    marks = frames.fetch(sa.select(dirty.c.bucket, dirty.c.tag_ids))
    linear = pl.col("interpolation") == Interpolation.LINEAR
    compared = pl.col("kind").is_in([Kind.COUNTER.value, Kind.STATE.value])
    reach_us, ahead_us = (
        pl.duration(microseconds=pl.col(f"{name}_s") * 1e6) for name in ("reach", "ahead")
    )
    return (
        marks.lazy()
        .select(pl.col("bucket").cast(INSTANT), operand=pl.col("tag_ids").cast(pl.List(pl.Int32)))
        .explode("operand")
        .join(_operands(catalogue, tags).lazy(), on="operand")
        .join(tags.lazy(), on="tag_id")
        .select(
            "tag_id",
            start=pl.when(linear)
            .then(pl.col("bucket") - reach_us)
            .otherwise(pl.col("bucket") - ahead_us),
            end=pl.when(compared)
            .then(at(span.end))
            .otherwise(pl.col("bucket") + MINUTE + reach_us),
        )
        .filter(pl.col("start") < span.end, pl.col("end") > span.start)
        .sort("tag_id", "start")
        .collect()
    )


def known_tags(catalogue: Catalogue, tag_ids: Iterable[int]) -> pl.DataFrame:
    """`schemas.db.frames.TAGS` of *tag_ids*, kept: 8 ms for those of a site (2026-11-22)."""
    return _known_tags(Same(catalogue), tuple(tag_ids))


@lru_cache(maxsize=256)
def _known_tags(known: Same[Catalogue], tag_ids: tuple[int, ...]) -> pl.DataFrame:
    return tag_frame(known.one, tag_ids)


def measured(catalogue: Catalogue, tag_ids: Sequence[int]) -> list[int]:
    """The measured tags that *tag_ids* are made of, in order."""
    return _operands_of(Same(catalogue), tuple(tag_ids))["operand"].unique().sort().to_list()


def _operands(catalogue: Catalogue, tags: pl.DataFrame) -> pl.DataFrame:
    return _operands_of(Same(catalogue), tuple(tags["tag_id"]))


# The tags of an asset are asked about again and again: 15 ms for 240 derived ones (2026-11-22).
@lru_cache(maxsize=256)
def _operands_of(known: Same[Catalogue], tag_ids: tuple[int, ...]) -> pl.DataFrame:
    """``tag_id, operand, reach_s, behind_s, ahead_s``: whose readings tags are made of.

    ``reach_s`` is how long after its time a reading matters; the others are those of
    `kpi.derive.reach`.
    """
    catalogue, derived = known.one, _derived_of(known, tag_ids)
    rows = []
    for tag_id in tag_ids:
        own_s = catalogue.tags[tag_id].stale_after_s
        if tag_id not in derived:
            rows.append((tag_id, tag_id, own_s, 0.0, 0.0))
            continue
        for operand, looks in derived[tag_id].reaches.items():
            reach_s = own_s + catalogue.tags[operand].stale_after_s + looks.behind_s
            rows.append((tag_id, operand, reach_s, looks.behind_s, looks.ahead_s))
    seconds = dict.fromkeys(("reach_s", "behind_s", "ahead_s"), pl.Float64)
    return pl.DataFrame(
        rows, schema={"tag_id": pl.Int32, "operand": pl.Int32, **seconds}, orient="row"
    )


def _derived(catalogue: Catalogue, tags: pl.DataFrame) -> Mapping[int, Derived]:
    return _derived_of(Same(catalogue), tuple(tags["tag_id"]))


@lru_cache(maxsize=256)
def _derived_of(known: Same[Catalogue], tag_ids: tuple[int, ...]) -> Mapping[int, Derived]:
    paths = [known.one.tags[tag_id].path for tag_id in tag_ids]
    return derived_tags(known.one.plant, known.one.tag_ids, paths)


def _rolled_up(
    frames: FrameReader,
    rollup: sa.Table,
    tags: pl.DataFrame,
    pieces: pl.DataFrame,
    width: timedelta,
) -> pl.DataFrame:
    """The rollups that lie in *pieces*."""
    found = [pl.DataFrame(schema=SUMMARY)]
    for group, start, end in _groups(pieces, tags):
        query = sa.select(*(rollup.c[name] for name in SUMMARY)).where(
            rollup.c.tag_id.in_(group), rollup.c.bucket >= start, rollup.c.bucket < end
        )
        found.append(frames.fetch(query).select(pl.col(n).cast(t) for n, t in SUMMARY.items()))
    return inside(pl.concat(found), pieces, width)


def _from_raw(
    frames: FrameReader,
    catalogue: Catalogue,
    tags: pl.DataFrame,
    pieces: pl.DataFrame,
    width: timedelta,
) -> pl.DataFrame:
    """Summaries of the raw readings in *pieces*."""
    found = [pl.DataFrame(schema=SUMMARY)]
    for group, start, end in _groups(pieces, tags):
        wanted = tags.filter(pl.col("tag_id").is_in(group))
        for part in parts(wanted, Span(start, end), width):
            readings = readings_of(frames, catalogue, wanted, part)
            found.append(summarise(readings, wanted, part.start, part.end, width))
    return inside(pl.concat(found), pieces, width)


def readings_of(
    frames: FrameReader, catalogue: Catalogue, tags: pl.DataFrame, span: Span
) -> pl.DataFrame:
    """The readings of *tags* in *span* with their bounds, those of computed tags computed."""
    made_of = _operands(catalogue, tags)
    operands = made_of["operand"].unique().sort().to_list()
    behind_s, ahead_s = made_of.select(pl.col("behind_s", "ahead_s").max()).row(0)
    start, end = span.start - timedelta(seconds=behind_s), span.end + timedelta(seconds=ahead_s)
    derived = _derived(catalogue, tags)
    around = {
        operand: max(looks.behind_s, looks.ahead_s)
        for tag_id, one in derived.items()
        if catalogue.tags[tag_id].kind is Kind.STATE
        for operand, looks in one.reaches.items()
    }
    readings = frames.readings(operands, start, end, bounds=True, around=around)
    if not derived:
        return readings
    known = tag_frame(catalogue, sorted({*operands, *derived}))
    wanted = [tag_id for tag_id in tags["tag_id"] if tag_id in derived]
    return pl.concat([readings, derive(readings, wanted, derived, known)])


def parts(tags: pl.DataFrame, span: Span, width: timedelta) -> Iterator[Span]:
    """*span* in parts of as many readings as memory should hold; cut at multiples of *width*."""
    part = timedelta(seconds=_READINGS / tags.select(_per_second().sum()).item())
    step = max(part // width, 1) * width
    start = span.start
    while start < span.end:
        end = min(EPOCH + ((start - EPOCH) // width) * width + step, span.end)
        yield Span(start, end)
        start = end


def _per_second() -> pl.Expr:
    """Readings of a tag [1/s], at most: seldom more than sixty come while its value holds."""
    return 1.0 / (pl.col("stale_after_s") / 60.0).clip(1.0)


def _groups(
    pieces: pl.DataFrame, tags: pl.DataFrame
) -> Iterator[tuple[list[int], datetime, datetime]]:
    """*pieces* as few spans with the tags that have a piece there.

    Tags of one ``stale_after_s`` have their holes at much the same places; mixed with others, an
    event tag that holds for a day would have a day of every pot voltage read. Holes are read over
    where that takes less time than another query.
    """
    stale, start, end = pl.col("stale_after_s"), pl.col("start"), pl.col("end")
    slack = pl.duration(
        microseconds=1e6 * _ROUND_TRIP / (_per_second() * pl.col("tag_id").n_unique().over(stale))
    )
    grouped = (
        pieces.join(tags.select("tag_id", "stale_after_s"), on="tag_id")
        .sort("stale_after_s", "start")
        .with_columns(apart=start > end.cum_max().shift().over(stale) + slack)
        .with_columns(part=pl.col("apart").fill_null(value=False).cum_sum().over(stale))
        .group_by(stale, "part", maintain_order=True)
        .agg(pl.col("tag_id").unique(maintain_order=True), start.min(), end.max())
    )
    for row in grouped.iter_rows(named=True):
        yield sorted(row["tag_id"]), row["start"], row["end"]
