"""Mode ``interpolated``: the value of each tag at given instants.

A value holds, or a line leads from it to the next, exactly as summaries have it: up to the tag's
``stale_after``, and never across a bad reading. Where nothing holds the value is null.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from api.grid import Grid
from api.question import Question, Rows, Scale
from api.span import Span, cut
from api.stream import Frames
from api.summaries import parts, readings_of
from kpi.frames import INSTANT
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader, tag_frame
from schemas.db.tables import Instant, reading, tag
from schemas.errors import RequestError
from schemas.quality import Quality
from schemas.reading import Interpolation

COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "ts": INSTANT,
    "value": pl.Float64(),
    "quality": pl.Int16(),
}
_SCALES: Final = {"value": Scale.POINT}
_ONE: Final = timedelta(microseconds=1)
#: Beyond so many seconds between two instants, finding the neighbours of each in the index takes
#: less time than reading all that lies between at 1 Hz.
_FAR_S: Final = 120.0
#: Rows that are made at one time: some 0.5 s of looking up.
_AT_ONCE: Final = 20_000
_READING: Final = ("ts", "value", "quality")


def values(frames: FrameReader, question: Question) -> Rows:
    """A row for every tag at every instant."""
    table = grid(question)
    first, stop, following = table.page(question.first, question.asked.limit)
    return Rows(COLUMNS, _SCALES, following, _rows(frames, question, table, first, stop))


def grid(question: Question) -> Grid:
    """The instants that are asked for: ``at``, or the starts of ``every`` in the span.

    Raises
    ------
    RequestError
        Neither is given.
    """
    if question.at:
        return Grid(question.tag_ids, [*question.at, question.span.end])
    if question.asked.every is None:
        raise RequestError("every", None, "give a step such as every=1m, or instants by at=")
    return Grid(question.tag_ids, cut(question.span, question.asked.every, question.calendar))


def _rows(frames: FrameReader, question: Question, table: Grid, first: int, stop: int) -> Frames:
    with frames.snapshot() as one:
        for tag_ids, edges in table.blocks(first, stop, _AT_ONCE):
            tags = tag_frame(question.catalogue, tag_ids)
            asked = pl.Series("at", list(edges[:-1]), dtype=INSTANT)
            wanted = tags.select("tag_id").join(asked.to_frame(), how="cross")
            found = _around(one, question.catalogue, tags, wanted)
            known = found.join(tags, on="tag_id", how="left", maintain_order="left")
            yield known.select("tag_id", pl.col("at").alias("ts"), *_held())


def _around(
    frames: FrameReader, catalogue: Catalogue, tags: pl.DataFrame, wanted: pl.DataFrame
) -> pl.DataFrame:
    """*wanted* (``tag_id, at``) with the last reading at or before it and the next one after."""
    asked = wanted["at"].unique().sort().to_list()
    far = (asked[-1] - asked[0]).total_seconds() >= _FAR_S * (len(asked) - 1)
    if far and not any(catalogue.tags[tag_id].derivation for tag_id in tags["tag_id"]):
        found = frames.fetch(_neighbours(tags["tag_id"].to_list(), asked)).cast({"at": INSTANT})
        return wanted.join(found, on=["tag_id", "at"], how="left").sort("tag_id", "at")
    whole = Span(asked[0], asked[-1] + _ONE)
    spans = [Span(at, at + _ONE) for at in asked] if far else parts(tags, whole, _ONE)
    return pl.concat(
        _beside(wanted, readings_of(frames, catalogue, tags, span), span) for span in spans
    ).sort("tag_id", "at")


def _beside(wanted: pl.DataFrame, readings: pl.DataFrame, span: Span) -> pl.DataFrame:
    """The rows of *wanted* in *span* with their neighbours among *readings*."""
    at, by_time = pl.col("at"), readings.sort("ts")
    following = by_time.select("tag_id", pl.col(_READING).name.prefix("next_"))
    inside = wanted.filter(at >= span.start, at < span.end).sort("at")
    # Sorted above; Polars cannot check it within groups.
    before = inside.join_asof(
        by_time, left_on="at", right_on="ts", by="tag_id", coalesce=False, check_sortedness=False
    )
    return before.join_asof(
        following,
        left_on="at",
        right_on="next_ts",
        by="tag_id",
        strategy="forward",
        allow_exact_matches=False,
        coalesce=False,
        check_sortedness=False,
    )


def _neighbours(tag_ids: Sequence[int], asked: Sequence[datetime]) -> sa.Select[Any]:
    """Selects what `_beside` finds, by two index descents for each tag and instant."""
    instants = sa.func.unnest(sa.cast(list(asked), ARRAY(Instant)))
    wanted = instants.table_valued(sa.column("at", Instant)).render_derived(name="wanted")
    at = wanted.c.at
    stale = sa.func.make_interval(0, 0, 0, 0, 0, 0, tag.c.stale_after_s)
    columns = [reading.c[name] for name in _READING]
    own = sa.select(*columns).where(reading.c.tag_id == tag.c.id).limit(1)
    ts = reading.c.ts
    before = own.where(ts <= at, ts >= at - stale).order_by(ts.desc()).lateral("before")
    after = own.where(ts > at, ts <= at + stale).order_by(ts).lateral("after")
    return (
        sa.select(
            tag.c.id.label("tag_id"),
            at.label("at"),
            *(before.c[name] for name in _READING),
            *(after.c[name].label(f"next_{name}") for name in _READING),
        )
        .select_from(
            tag.join(wanted, sa.true()).outerjoin(before, sa.true()).outerjoin(after, sa.true())
        )
        .where(tag.c.id.in_(tag_ids))
    )


def _held() -> tuple[pl.Expr, pl.Expr]:
    """Value and quality at ``at`` between a reading and the ``next_`` one."""
    ts, following, value = pl.col("ts"), pl.col("next_ts"), pl.col("value")
    reach = ts + pl.duration(microseconds=pl.col("stale_after_s") * 1e6)
    usable, next_usable = _usable(""), _usable("next_")
    linear = pl.col("interpolation") == Interpolation.LINEAR
    line = (linear & usable & next_usable & (following <= reach)).fill_null(value=False)
    holds = (usable & (pl.col("at") < reach)).fill_null(value=False)
    slope = (pl.col("next_value") - value) / (following - ts).dt.total_microseconds()
    climb = slope * (pl.col("at") - ts).dt.total_microseconds()
    both_good = (pl.col("quality") >= Quality.GOOD) & (pl.col("next_quality") >= Quality.GOOD)
    quality = (
        pl.when(line & (pl.col("at") > ts) & ~both_good)
        .then(int(Quality.UNCERTAIN))
        .when(holds)
        .then("quality")
        .when(usable | ts.is_null())
        .then(int(Quality.STALE))
        .otherwise(int(Quality.BAD))
    )
    shown = pl.when(line).then(value + climb).when(holds).then(value)
    return shown.alias("value"), quality.cast(pl.Int16).alias("quality")


def _usable(prefix: str) -> pl.Expr:
    quality = pl.col(f"{prefix}quality")
    in_range = quality.is_between(Quality.UNCERTAIN, 127) | quality.is_between(Quality.GOOD, 255)
    return (in_range & pl.col(f"{prefix}value").is_finite()).fill_null(value=False)
