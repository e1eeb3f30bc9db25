"""Reports of shifts, days and months: on a terminal, or as they are, for a file."""

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import polars as pl

from client.show import console, show
from schemas.errors import ConfigError


class ReportForm(StrEnum):
    """How a report is written; also what the name of its file ends with."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


_SHOWN: Final = {
    "title": pl.String,
    "value": pl.Float64,
    "unit": pl.String,
    "target": pl.Float64,
    "previous": pl.Float64,
    "coverage": pl.Float64,
    "reason": pl.String,
}


def form_of(out: Path) -> ReportForm:
    """What the name of a file asks for; `ConfigError` if its ending is none of ours."""
    try:
        return ReportForm(out.suffix.removeprefix("."))
    except ValueError as error:
        right = f"end it with {', '.join(f'.{form}' for form in ReportForm)}, or give --format"
        raise ConfigError("output", str(out), right) from error


def show_report(answer: Mapping[str, Any]) -> None:
    """An answer of ``/api/v1/reports`` as a heading, its KPIs, and what is known beside them."""
    report, late = answer["report"], answer["late"]
    period = report["period"]
    crew = f", crew {period['crew']}" if period["crew"] else ""
    console.print(f"{report['title']}: {period['name']}{crew}, {report['status']}", style="bold")
    show(
        pl.DataFrame(
            [[one[name] for name in _SHOWN] for one in report["kpis"]], _SHOWN, orient="row"
        ),
        as_json=False,
    )
    for one in report["signed"]:
        console.print(f"{one['name']} signed by {one['by']}: {one['reason']}")
    alarms, gaps = report["alarms"]["raised"], len(answer["gaps"])
    beside = f"{alarms} alarms, {gaps} gaps, {late['hours']} hours of tags late"
    console.print(f"{beside}; sha256 {answer['sha256']}", style="dim")
