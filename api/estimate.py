"""``/api/v1/history/estimate``: what a request would come to, before a large export is begun."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from starlette.concurrency import run_in_threadpool

from api import buckets, interpolated, plot, raw
from api.formats import JSON, Format
from api.grid import Grid
from api.history import ask
from api.openapi import answers
from api.question import AskedHistory, Mode, Question
from api.raw import Page
from api.series import COLUMNS
from api.store import Database, Store
from schemas.db.frames import FrameReader
from schemas.db.tables import reading, reading_text

router = APIRouter(prefix="/api/v1", tags=["readings"])

_GRIDS: Final[Mapping[Mode, Callable[[Question], Grid]]] = {
    Mode.INTERPOLATED: interpolated.grid,
    Mode.SUMMARY: buckets.grid,
    Mode.PLOT: plot.grid,
}
_TABLES: Final = {Mode.RAW: reading, Mode.TEXT: reading_text}
#: Readings that are counted one by one: 0.1 to 0.2 s in the index (2026-11-21).
COUNTED_MAX: Final = 1_000_000
#: Bytes of a value, of readings and of summaries alike to a third (2026-11-21).
_BYTES: Final[Mapping[Format, float]] = {
    Format.JSON: 26.0,
    Format.COLUMNS: 18.0,
    Format.NDJSON: 26.0,
    Format.CSV: 17.0,
    Format.ARROW: 6.0,
    Format.PARQUET: 5.0,
}


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a request comes to in all its pages.

    ``rows`` is what it is if ``exact``; otherwise it is what the first million readings let expect
    of the rest. ``bytes`` are those of the format asked for.
    """

    mode: Mode
    start: datetime
    end: datetime
    tags: int
    rows: int
    exact: bool
    pages: int
    bytes: int


@router.get(
    "/history/estimate",
    summary="How many rows, pages and bytes a history request comes to",
    responses=answers(Estimate),
)
async def estimate(store: Database, asked: Annotated[AskedHistory, Query()]) -> Response:
    """Takes the parameters of ``/history`` and reads no more than a million keys."""
    return JSON(await run_in_threadpool(_estimate, store, asked))


@router.post(
    "/history/estimate",
    summary="The same, for more tags than a URL holds",
    responses=answers(Estimate),
)
async def post_estimate(store: Database, asked: AskedHistory) -> Response:
    """The parameters of GET as one JSON object."""
    return JSON(await run_in_threadpool(_estimate, store, asked))


def _estimate(store: Store, asked: AskedHistory) -> Estimate:
    question, _ = ask(store, asked)
    if asked.mode in _GRIDS:
        rows, exact, columns = len(_GRIDS[asked.mode](question)), True, _columns(asked)
    else:
        rows, exact = _count(store.frames, question)
        columns = 1 + len(raw.COLUMNS)
    return Estimate(
        asked.mode,
        question.span.start,
        question.span.end,
        len(question.tags),
        rows,
        exact,
        pages=-(-rows // asked.limit),
        bytes=round(rows * columns * _BYTES[asked.form or Format.JSON]),
    )


def _columns(asked: AskedHistory) -> int:
    match asked.mode:
        case Mode.INTERPOLATED:
            return 1 + len(interpolated.COLUMNS)
        case Mode.PLOT:
            return 1 + len(plot.COLUMNS)
        case _:
            return 1 + (len(asked.aggregate) + 3 if asked.aggregate else len(COLUMNS))


def _count(frames: FrameReader, question: Question) -> tuple[int, bool]:
    """Readings from the first to the last page, and whether these are counted or expected."""
    page = Page(question.tag_ids, question.span, table=_TABLES[question.asked.mode])
    cut = page.cut(frames, COUNTED_MAX)
    if cut.following is None:
        keys = page.keys().order_by(None).subquery()
        return int(frames.fetch(sa.select(sa.func.count()).select_from(keys)).item()), True
    tag_id, us = cut.following
    start, end = question.span.us
    share = (question.tag_ids.index(tag_id) + (us - start) / (end - start)) / len(question.tags)
    return round(COUNTED_MAX / max(share, 1e-6)), False
