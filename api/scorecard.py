"""``/api/v1/scorecard``: every KPI that an asset has, over one span."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.completeness import complete_as_of
from api.formats import JSON
from api.formulas import bound_at
from api.inputs import sums
from api.openapi import answers
from api.parameters import Asked
from api.signed import Signature, signatures
from api.span import parse_span
from api.store import Database
from api.summaries import MINUTE, measured
from kpi.binding import Binding
from kpi.calendar import Calendar
from kpi.evaluate import evaluate_together
from schemas.instant import EPOCH

router = APIRouter(prefix="/api/v1", tags=["KPIs"])

#: When the readings of a minute are in its summaries, beginning with its end.
_SETTLED: Final = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Score:
    """One KPI. ``value`` is null where ``coverage`` is too small; ``reason`` says so."""

    kpi: str
    title: str
    unit: str
    value: float | None
    coverage: float
    reason: str | None
    parameter_set: str


@dataclass(frozen=True, slots=True)
class Scorecard:
    """All KPIs of an asset from ``start`` to just before ``end``.

    ``complete_as_of`` and ``signed`` are as in a series.
    """

    asset: str
    start: datetime
    end: datetime
    complete_as_of: datetime | None
    signed: list[Signature]
    kpis: list[Score]


class AskedScorecard(Asked):
    """Whose KPIs, and when."""

    asset: str = Field(description="path of an asset", examples=["smelter/potline-1"])
    start: str = Field(
        default="today", alias="from", description="as in a series", examples=["shift"]
    )
    end: str = Field(
        default="now",
        alias="to",
        description="likewise; at most to the last closed minute",
    )


@router.get("/scorecard", summary="All KPIs of an asset over a span", responses=answers(Scorecard))
def scorecard(store: Database, asked: Annotated[AskedScorecard, Query()]) -> Response:
    """Every KPI that the asset has, each over the whole span and with its first parameter set.

    The open minute is left out, so that the answer is made of summaries whatever the raw rate is.
    """
    catalogue, now = store.catalogue(), store.now()
    bound = bound_at(catalogue, asked.asset)
    span = parse_span(asked.start, asked.end, now, Calendar.of(catalogue.plant, None))
    span = span.until(EPOCH + (now - _SETTLED - EPOCH) // MINUTE * MINUTE)
    edges = (span.start, span.end)
    scores = []
    if bound.bindings:
        with store.frames.snapshot() as frames:
            found = sums(frames, catalogue, bound.terms, edges)
        rows = evaluate_together(bound.bindings, found, edges)
        scores = [_score(binding, row) for binding, row in zip(bound.bindings, rows, strict=True)]
    with store.connection() as connection:
        signed = signatures(connection, span, bound.tag_ids)
        complete = complete_as_of(connection, measured(catalogue, bound.tag_ids), now)
    return JSON(Scorecard(asked.asset, *edges, complete, signed, scores))


def _score(binding: Binding, found: pl.DataFrame) -> Score:
    kpi = binding.kpi
    value, coverage, reason = found.row(0)[2:5]
    return Score(kpi.id, kpi.title, kpi.unit, value, coverage, reason, kpi.parameters().name)
