"""``/api/v1/history``: what was, raw or summarised, as much of it as the caller has room for."""

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated

import polars as pl
from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.cursor import Cursor, Key, fingerprint
from api.formats import choose_format
from api.openapi import answers
from api.parameters import AskedTable, TagPaths, begin, check_budget
from api.raw import RAW_COLUMNS, Page, measured
from api.series import COLUMNS, Series
from api.span import cut
from api.store import Database, Store
from api.stream import Answer, Frames, streamed
from api.tags import select_tags
from schemas.db.catalogue import Catalogue
from schemas.errors import RequestError

router = APIRouter(prefix="/api/v1", tags=["readings"])

#: Key of the row after the last, columns, and rows.
_Rows = tuple[Key | None, Mapping[str, pl.DataType], Frames]


class Mode(StrEnum):
    """What a row is: a reading, or a bucket of a tag."""

    RAW = "raw"
    SUMMARY = "summary"


@dataclass(frozen=True, slots=True)
class RawRow:
    """A reading. ``quality`` is OPC's: 0 bad, 64 uncertain, 192 good, 500 stale."""

    tag: str
    ts: datetime
    value: float | None
    quality: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A tag in the bucket from ``start`` to just before ``end``.

    ``coverage`` is the share of the bucket backed by usable values, ``good`` that of good ones;
    ``mean`` is weighted by time. ``count`` readings stood in the bucket, the first and the last of
    them at their times; none where a value holds from before. ``integral`` [unit s] and ``mean``
    are of gauges, ``increase`` of counters, ``active_s`` and ``activations`` of states, ``total``
    of events; null for other kinds.
    """

    tag: str
    start: datetime
    end: datetime
    coverage: float
    good: float
    count: int
    mean: float | None
    min: float | None
    max: float | None
    first: float | None
    first_ts: datetime | None
    last: float | None
    last_ts: datetime | None
    integral: float | None
    increase: float | None
    active_s: float | None
    activations: int | None
    total: float | None


@dataclass(frozen=True, slots=True)
class History:
    """A page of history. ``cursor`` leads to the next page while there is one.

    ``start`` and ``end`` are the span as instants, also where it was asked for relative to now.
    """

    mode: Mode
    start: datetime
    end: datetime
    truncated: bool
    cursor: str | None
    rows: list[RawRow] | list[SummaryRow]


class AskedHistory(AskedTable):
    """Which history."""

    tag: TagPaths = Field(min_length=1)
    mode: Mode = Mode.RAW


@router.get(
    "/history",
    summary="Readings or summaries of any tags over any span",
    responses=answers(History, table=True),
)
async def history(
    request: Request,
    store: Database,
    asked: Annotated[AskedHistory, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """Rows in the order of the catalogue's tags, then of time, streamed as they are read.

    Nothing is cut silently: an answer with more rows than ``limit`` says ``truncated`` and carries
    the ``cursor`` of the next page; beside CSV and Arrow the headers ``Ertis-Truncated`` and
    ``Link`` say so.
    """
    form = choose_format(asked.form, accept)
    return await streamed(request, form, await run_in_threadpool(_answer, store, asked))


def _answer(store: Store, asked: AskedHistory) -> Answer:
    check_budget(asked, store.settings.rows_max)
    catalogue = store.catalogue()
    tags = select_tags(catalogue, asked.tag)
    if asked.mode is Mode.RAW:
        tags = measured(tags, asked.tag)
    paths = {catalogue.tag_ids[tag.path]: tag.path for tag in tags}
    request = fingerprint(asked.mode, sorted(paths), asked.every, asked.zone)
    now = store.now()
    span, key = begin(asked, request, now, asked.calendar(catalogue.plant))
    if asked.mode is Mode.SUMMARY:
        span = span.until(now)
    rows = _raw if asked.mode is Mode.RAW else _summaries
    following, columns, frames = rows(store, catalogue, asked, Page(list(paths), span, key))
    cursor = following and Cursor(request, following, span.us).encode()
    facts: dict[str, object] = {
        "mode": asked.mode,
        "start": span.start,
        "end": span.end,
        "truncated": cursor is not None,
        "cursor": cursor,
    }
    schema = pl.Schema({"tag": pl.Enum(list(paths.values())), **columns})
    return facts, schema, _named(frames, paths, schema)


def _raw(store: Store, _: Catalogue, asked: AskedHistory, page: Page) -> _Rows:
    if asked.every is not None:
        raise RequestError("every", asked.every, "raw readings have no buckets: mode=summary has")
    page = page.cut(store.frames, asked.limit)
    return page.following, RAW_COLUMNS, page.frames(store.frames)


def _summaries(store: Store, catalogue: Catalogue, asked: AskedHistory, page: Page) -> _Rows:
    edges = cut(page.span, asked.every, asked.calendar(catalogue.plant))
    series = Series(catalogue, page.tag_ids, edges)
    first = series.place(page.first) if page.first else 0
    stop = min(first + asked.limit, len(series))
    following = series.key(stop) if stop < len(series) else None
    return following, COLUMNS, _rows_of(store, series, first, stop)


def _rows_of(store: Store, series: Series, first: int, stop: int) -> Frames:
    with store.frames.snapshot() as frames:
        yield from series.rows(frames, first, stop)


def _named(frames: Frames, paths: Mapping[int, str], schema: pl.Schema) -> Frames:
    """*frames* with the path of each tag in place of its id."""
    with closing(frames):
        for frame in frames:
            path = pl.col("tag_id").replace_strict(paths, return_dtype=schema["tag"])
            yield frame.select(path.alias("tag"), *list(schema)[1:]).cast(schema)
