"""``/api/v1/reports``: the report of a shift, a day or a month."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final

import orjson
import polars as pl
from fastapi import APIRouter, Header, Query, Response
from pydantic import Field

from api.formats import JSON, CsvWriter, negotiated
from api.openapi import answers
from api.parameters import Asked
from api.reports.page import page
from api.reports.period import ReportKind, report_period
from api.reports.report import Report, ReportNow, Written, write_report
from api.store import Database
from kpi.calendar import Calendar

router = APIRouter(prefix="/api/v1", tags=["reports"])


class ReportForm(StrEnum):
    """How a report is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


_MEDIA_TYPES: Final[Mapping[ReportForm, str]] = {
    ReportForm.JSON: "application/json",
    ReportForm.CSV: "text/csv",
    ReportForm.HTML: "text/html",
}
_CSV: Final[Mapping[str, pl.DataType]] = {
    "kpi": pl.String(),
    "title": pl.String(),
    "unit": pl.String(),
    "value": pl.Float64(),
    "coverage": pl.Float64(),
    "good": pl.Float64(),
    "reason": pl.String(),
    "previous": pl.Float64(),
    "change": pl.Float64(),
    "target": pl.Float64(),
    "better": pl.String(),
    "difference": pl.Float64(),
    "met": pl.Boolean(),
    "formula": pl.String(),
    "parameter_set": pl.String(),
}


class AskedReport(Asked):
    """Of what, and when."""

    asset: str | None = Field(
        default=None,
        description="path of an asset; the site if left out",
        examples=["smelter/potline-1"],
    )
    at: str = Field(
        default="previous",
        description="previous or current, what the period is called by the plant's clocks, or an "
        "instant in it as of /history",
        examples=["2026-10-31", "2026-10", "2026-10-31-night", "2026-11-21T09:00:00Z"],
    )
    form: ReportForm | None = Field(default=None, alias="format", description="wins over Accept")


_ANSWERS: Final = answers(ReportNow)
_ANSWERS[200]["content"] = {
    "text/csv": {"schema": {"type": "string", "description": "the KPIs, one line each"}},
    "text/html": {"schema": {"type": "string", "description": "a page to print, no scripts"}},
}


@router.get("/reports/{kind}", summary="The report of a period", responses=_ANSWERS)
def report(
    store: Database,
    kind: ReportKind,
    asked: Annotated[AskedReport, Query()],
    accept: Annotated[str | None, Header(include_in_schema=False)] = None,
) -> Response:
    """KPIs beside targets and the period before, alarms, signatures; and beside these, gaps.

    Once the period is signed, what is under ``report`` stays the same byte by byte, whatever
    arrives: ``late`` says what did, and what it would change.
    """
    form = asked.form or negotiated(accept, _MEDIA_TYPES)
    catalogue = store.catalogue()
    period = report_period(kind, asked.at, store.now(), Calendar.of(catalogue.plant))
    written = write_report(store, asked.asset or catalogue.plant.name, period)
    answer = _answer(written, form)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Ertis-Report-SHA256"] = written.sha256
    return answer


def _answer(written: Written, form: ReportForm) -> Response:
    match form:
        case ReportForm.HTML:
            return page(written)
        case ReportForm.CSV:
            return Response(_csv(written.report), media_type=_MEDIA_TYPES[form])
        case ReportForm.JSON:
            now = {
                "report": orjson.Fragment(written.body),
                "sha256": written.sha256,
                "late": written.late,
                "complete_as_of": written.complete_as_of,
                "gaps": written.gaps,
            }
            return JSON(now)


def _csv(report: Report) -> bytes:
    schema = pl.Schema(_CSV)
    lines = [tuple(getattr(line, name) for name in schema) for line in report.kpis]
    writer = CsvWriter({}, schema)
    return writer.head() + writer.rows(pl.DataFrame(lines, schema=schema, orient="row"))
