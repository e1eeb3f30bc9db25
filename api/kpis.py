"""``/api/v1/kpis/{id}``: the series of a KPI at any asset over any span."""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Final

import polars as pl
from fastapi import APIRouter, Header, Path, Query, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool

from api.completeness import complete_as_of
from api.cursor import Cursor, fingerprint
from api.formats import Format, choose_format
from api.formulas import find_binding, find_kpi
from api.inputs import sums
from api.openapi import answers
from api.parameters import AskedTable, begin, check_budget
from api.signed import Signature, signatures
from api.span import cut, from_us, to_us
from api.store import Database, Store
from api.stream import Answer, Frames, streamed
from api.summaries import measured
from kpi.binding import Binding
from kpi.evaluate import evaluate_sums, lineage_of_sums
from kpi.frames import INSTANT
from kpi.kpi import Kpi
from schemas.db.catalogue import Catalogue
from schemas.errors import NotFoundError, RequestError, nearest

router = APIRouter(prefix="/api/v1", tags=["KPIs"])

COLUMNS: Final[Mapping[str, pl.DataType]] = {
    "start": INSTANT,
    "end": INSTANT,
    "value": pl.Float64(),
    "coverage": pl.Float64(),
    "reason": pl.String(),
}
#: Buckets that are computed at one time.
_BLOCK: Final = 10_000
_LINEAGE: Final = {
    "input": pl.String(),
    "unit": pl.String(),
    "value": pl.Float64(),
    "coverage": pl.Float64(),
    "good": pl.Float64(),
    "tags": pl.Int64(),
    "readings": pl.Int64(),
}


@dataclass(frozen=True, slots=True)
class InputValue:
    """What an input came to in one bucket. ``tags`` tags had ``readings`` usable readings."""

    input: str
    unit: str
    value: float
    coverage: float
    good: float
    tags: int
    readings: int


@dataclass(frozen=True, slots=True)
class KpiRow:
    """The KPI in the bucket from ``start`` to just before ``end``.

    ``value`` is null where ``coverage`` is too small or the formula undefined; ``reason`` says so,
    and warns of a value outside the valid range. ``inputs`` are there with lineage.
    """

    start: datetime
    end: datetime
    value: float | None
    coverage: float
    reason: str | None
    inputs: list[InputValue] | None = None


@dataclass(frozen=True, slots=True)
class KpiSeries:
    """A KPI at an asset over a span; ``tags`` names those of each input, with lineage.

    ``signed`` are the periods in the span that are signed: there the value is as it was signed,
    without what came ``late``. ``code_version`` is that of the code that computed the answer.
    Nothing dated before ``complete_as_of`` can still arrive and change a value that is not signed;
    null: nobody knows.
    """

    kpi: str
    title: str
    unit: str
    asset: str
    formula: str
    source: str
    parameter_set: str
    code_version: str
    start: datetime
    end: datetime
    complete_as_of: datetime | None
    signed: list[Signature]
    truncated: bool
    cursor: str | None
    rows: list[KpiRow]
    tags: dict[str, list[str]] | None = None


class AskedKpi(AskedTable):
    """Which series."""

    asset: str = Field(description="path of an asset", examples=["smelter/potline-1"])
    parameters: str | None = Field(default=None, description="name of a parameter set")
    lineage: bool = Field(default=False, description="also what each value was computed from")


@router.get(
    "/kpis/{id}",
    summary="A KPI at an asset over a span",
    responses=answers(KpiSeries, table=True),
)
async def series(
    request: Request,
    store: Database,
    kpi: Annotated[str, Path(alias="id", examples=["dc_specific_energy"])],
    asked: Annotated[AskedKpi, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """The KPI bucket by bucket, up to now: the last bucket is open and moves with each reading."""
    form = choose_format(asked.form, accept)
    if asked.lineage and form is Format.CSV:
        raise RequestError("lineage", asked.lineage, "CSV has no room for it: use JSON or Arrow")
    answer = await run_in_threadpool(_answer, store, find_kpi(kpi), asked)
    return await streamed(request, form, answer)


def _answer(store: Store, kpi: Kpi, asked: AskedKpi) -> Answer:
    check_budget(asked, store.settings.rows_max)
    sets = {given.name for given in kpi.parameter_sets}
    if asked.parameters is not None and asked.parameters not in sets:
        raise NotFoundError("parameters", asked.parameters, nearest(asked.parameters, sets))
    catalogue = store.catalogue()
    binding = find_binding(catalogue, kpi, asked.asset)
    request = fingerprint(kpi.id, asked.asset, asked.every, asked.zone)
    now = store.now()
    calendar = asked.calendar(catalogue.plant)
    span, key = begin(asked, request, now, calendar)
    span = span.until(now)
    edges = cut(span, asked.every, calendar)
    first = bisect_left(edges, from_us(key[0])) if key else 0
    page = edges[first : first + asked.limit + 1]
    truncated = page[-1] < span.end
    with store.connection() as connection:
        signed = signatures(connection, span, binding.tag_ids)
        complete = complete_as_of(connection, measured(catalogue, binding.tag_ids), now)
    facts: dict[str, object] = {
        "kpi": kpi.id,
        "title": kpi.title,
        "unit": kpi.unit,
        "asset": asked.asset,
        "formula": kpi.formula_text,
        "source": kpi.source,
        "parameter_set": kpi.parameters(asked.parameters).name,
        "code_version": version("ertis"),
        "start": span.start,
        "end": span.end,
        "complete_as_of": complete,
        "signed": signed,
        "truncated": truncated,
        "cursor": Cursor(request, (to_us(page[-1]), 0), span.us).encode() if truncated else None,
    }
    schema = pl.Schema(COLUMNS)
    if asked.lineage:
        facts["tags"] = _tags(binding)
        schema = pl.Schema({**COLUMNS, "inputs": pl.List(pl.Struct(_LINEAGE))})
    return facts, schema, _rows(store, catalogue, binding, page, asked)


def _rows(
    store: Store,
    catalogue: Catalogue,
    binding: Binding,
    edges: Sequence[datetime],
    asked: AskedKpi,
) -> Frames:
    with store.frames.snapshot() as frames:
        for place in range(0, len(edges) - 1, _BLOCK):
            part = edges[place : place + _BLOCK + 1]
            found = sums(frames, catalogue, binding.frame, part)
            rows = evaluate_sums(binding, found, part, asked.parameters)
            if asked.lineage:
                rows = rows.join(_inputs(binding, found, part), on="start", how="left")
            yield rows


def _tags(binding: Binding) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for term in binding.terms:
        found.setdefault(term.input, []).append(term.tag)
    return found


def _inputs(binding: Binding, found: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    """``start, inputs``: the lineage of each bucket as a list."""
    return (
        lineage_of_sums(binding, found, edges)
        .group_by("start", maintain_order=True)
        .agg(inputs=pl.struct(list(_LINEAGE)))
    )
