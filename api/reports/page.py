"""A report as a page to print: one file without scripts, its style within, allowed by its digest.

So the page can be saved, sent and printed as it is, and a browser runs nothing of it.
"""

import hashlib
from base64 import b64encode
from datetime import datetime
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from api.reports.report import Written

_HERE: Final = Path(__file__).parent
_STYLE: Final = "report.css"
_PAGE: Final = "report.html"


def page(written: Written) -> HTMLResponse:
    """A report as HTML, with the strictest policy under which it still has its style."""
    report = written.report
    style = (_HERE / _STYLE).read_text(encoding="utf-8")
    zone = ZoneInfo(report.period.time_zone)
    templates = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters.update(
        number=_number, time=lambda instant: _time(instant, zone), percent=_percent
    )
    # Ours, and beside the page: nothing that a caller or a plant file says is in it.
    known = {"style": Markup(style)}  # noqa: S704 - see above
    titles = {line.kpi: line.title for line in report.kpis}
    page_of = templates.get_template(_PAGE)
    text = page_of.render(given=written, report=report, titles=titles, **known)
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )
    return HTMLResponse(text, headers={"Content-Security-Policy": policy})


def _number(value: float | None) -> str:
    """*value* with as many digits as people read; empty for none."""
    return "" if value is None else f"{value:,.5g}"


def _percent(value: float) -> str:
    return f"{100 * value:.1f} %"


def _time(instant: datetime | None, zone: ZoneInfo) -> str:
    return "unknown" if instant is None else f"{instant.astimezone(zone):%Y-%m-%d %H:%M:%S}"
