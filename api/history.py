"""``/api/v1/history``: what was, as much of it as the caller has room for."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

import polars as pl
from fastapi import APIRouter, Header, Query, Request, Response

from api import buckets, interpolated, plot, raw
from api.conversion import conversions, converted
from api.cursor import Cursor, fingerprint
from api.formats import ROWS_HELD_MAX, Format, choose_format
from api.openapi import answers
from api.parameters import begin, check_budget
from api.question import AskedHistory, Mode, Question, Rows, check_modes
from api.span import Span, iso, parse_instant
from api.store import Database, Store
from api.stream import Answer, Frames, answered
from api.tags import select_tags
from schemas.db.frames import FrameReader
from schemas.errors import RequestError, TooLargeError
from schemas.plant.model import Tag

router = APIRouter(prefix="/api/v1", tags=["readings"])

_MODES: Final[Mapping[Mode, Callable[[FrameReader, Question], Rows]]] = {
    Mode.RAW: raw.numbers,
    Mode.TEXT: raw.texts,
    Mode.INTERPOLATED: interpolated.values,
    Mode.SUMMARY: buckets.summaries,
    Mode.PLOT: plot.pixels,
}
_STORED: Final = frozenset({Mode.RAW, Mode.TEXT})


@dataclass(frozen=True, slots=True)
class ReadingRow:
    """A reading, or in mode ``interpolated`` the value that holds at ``ts``.

    ``quality`` is OPC's: 0 bad, 64 uncertain, 192 good; 500 is stale: nothing holds at ``ts``.
    ``value`` is a text in mode ``text``.
    """

    tag: str
    ts: datetime
    value: float | str | None
    quality: int


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A tag in the bucket from ``start`` to just before ``end``.

    ``coverage`` is the share of the bucket backed by usable values, ``good`` that of good ones;
    ``mean`` is weighted by time. ``count`` readings stood in the bucket, the first and the last of
    them at their times; none where a value holds from before. ``integral`` [unit s] and ``mean``
    are of gauges, ``increase`` of counters, ``active_s`` and ``activations`` of states, ``total``
    of events; null for other kinds. ``refused`` counts the steps of a counter that its
    ``max_rate`` makes impossible and that are in no increase; null where the tag has none. With
    ``aggregate=`` start, end, coverage and the columns asked for are there; an aggregate of the
    standard has ``<name>_quality`` beside it, and ``<name>_ts`` where the standard gives its time.
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
    refused: int | None
    active_s: float | None
    activations: int | None
    total: float | None


@dataclass(frozen=True, slots=True)
class PlotRow:
    """A tag in the pixel from ``start`` to just before ``end``.

    The times of ``min`` and ``max`` are null where only a rollup knows them.
    """

    tag: str
    start: datetime
    end: datetime
    coverage: float
    count: int
    first: float | None
    first_ts: datetime | None
    min: float | None
    min_ts: datetime | None
    max: float | None
    max_ts: datetime | None
    last: float | None
    last_ts: datetime | None


@dataclass(frozen=True, slots=True)
class History:
    """A page of history. ``cursor`` leads to the next page while there is one.

    ``start`` and ``end`` are the span as instants, also where it was asked for relative to now.
    ``unit`` is that of the values where one was asked for, else each tag's own. With
    ``format=columns``, ``columns`` stands in the place of ``rows``: an object of lists.
    """

    mode: Mode
    start: datetime
    end: datetime
    unit: str | None
    truncated: bool
    cursor: str | None
    rows: list[ReadingRow] | list[SummaryRow] | list[PlotRow] | list[dict[str, Any]]


_Accept = Annotated[str | None, Header(include_in_schema=False)]


@router.get(
    "/history",
    summary="Readings, values, summaries or charts of any tags over any span",
    responses=answers(History, table=True),
)
async def history(
    request: Request,
    store: Database,
    asked: Annotated[AskedHistory, Query()],
    accept: _Accept = None,
) -> Response:
    """Rows in the order of the catalogue's tags, then of time, streamed as they are read.

    Nothing is cut silently: an answer with more rows than ``limit`` says ``truncated`` and carries
    the ``cursor`` of the next page; the headers ``Ertis-Truncated``, ``Ertis-Cursor`` and ``Link``
    say so beside every format. Summaries and charts are made of rollups where these stand: the
    answer is that of the raw readings, sums and means to a relative 1e-9.
    """
    return await _history(request, store, asked, accept)


@router.post(
    "/history",
    summary="The same, for more tags than a URL holds",
    responses=answers(History, table=True),
)
async def post_history(
    request: Request, store: Database, asked: AskedHistory, accept: _Accept = None
) -> Response:
    """The parameters of GET as one JSON object; lists are lists."""
    return await _history(request, store, asked, accept)


async def _history(
    request: Request, store: Database, asked: AskedHistory, accept: str | None
) -> Response:
    form = choose_format(asked.form, accept)
    if form is Format.COLUMNS and asked.limit > ROWS_HELD_MAX:
        right = f"columns are held until the last row: ask for at most {ROWS_HELD_MAX:,}"
        raise TooLargeError("limit", asked.limit, right)
    return await answered(request, form, store.frames, lambda frames: _answer(store, frames, asked))


def _answer(store: Store, frames: FrameReader, asked: AskedHistory) -> Answer:
    check_budget(asked, store.settings.rows_max)
    question, request = ask(store, asked)
    rows = _MODES[asked.mode](frames, question)
    cursor = rows.following and Cursor(request, rows.following, question.span.us).encode()
    facts: dict[str, object] = {
        "mode": asked.mode,
        "start": question.span.start,
        "end": question.span.end,
        "unit": asked.unit,
        "truncated": cursor is not None,
        "cursor": cursor,
    }
    paths = {tag_id: tag.path for tag_id, tag in question.tags.items()}
    schema = pl.Schema({"tag": pl.Enum(list(paths.values())), **rows.columns})
    return facts, schema, _shown(question, rows, paths, schema)


def ask(store: Store, asked: AskedHistory) -> tuple[Question, str]:
    """What *asked* means now, and its fingerprint.

    Raises
    ------
    RequestError
        A parameter cannot be used, or not in this mode.
    """
    check_modes(asked)
    catalogue = store.catalogue()
    tags = select_tags(catalogue, asked.tag)
    if asked.mode in _STORED:
        tags = raw.measured(tags, asked.tag)
    by_id: dict[int, Tag] = {catalogue.tag_ids[tag.path]: tag for tag in tags}
    now = store.now()
    calendar = asked.calendar(catalogue.plant)
    at = sorted({parse_instant("at", text, now, calendar) for text in asked.at})
    given = asked.model_dump(exclude={"tag", "start", "end", "limit", "cursor", "form"})
    request = fingerprint(sorted(by_id), at, *given.items())
    span, first = begin(asked, request, now, calendar)
    if at:
        if at[-1] > now:
            raise RequestError("at", iso(at[-1]), f"use instants up to now, {iso(now)}")
        span = Span(at[0], at[-1] + timedelta(microseconds=1))
    elif asked.mode not in _STORED:
        span = span.until(now)
    return Question(asked, catalogue, by_id, calendar, span, first, at), request


def _shown(question: Question, rows: Rows, paths: Mapping[int, str], schema: pl.Schema) -> Frames:
    """The rows with the path of each tag in place of its id, in the unit that was asked for."""
    unit = question.asked.unit
    ways = {} if unit is None else conversions(question.tags, unit)
    path = pl.col("tag_id").replace_strict(paths, return_dtype=schema["tag"])
    if len(paths) == 1:
        path = pl.lit(next(iter(paths.values())), dtype=schema["tag"])
    with closing(rows.frames):
        for frame in rows.frames:
            table = converted(frame, rows.scales, ways) if ways else frame
            yield table.select(path.alias("tag"), *list(schema)[1:]).cast(schema)
