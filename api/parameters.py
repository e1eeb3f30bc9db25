"""Query parameters that several routes share. An unknown parameter is an error, not a guess."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.cursor import Cursor, Key
from api.formats import Format
from api.span import Span, parse_span, parse_zone
from kpi.calendar import Calendar
from schemas.errors import TooLargeError
from schemas.plant.model import Plant

TagPaths = Annotated[
    list[str],
    Field(
        description="tag paths, or patterns: * and ? stay within one step, ** crosses steps",
        examples=["smelter/potline-1/pot-*/voltage"],
    ),
]


class Asked(BaseModel):
    """What a request asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class AskedPage(Asked):
    """A part of a long list."""

    limit: int = Field(default=10_000, ge=1, description="row budget; see truncated and cursor")
    cursor: str | None = Field(default=None, description="the cursor of the page before")


class AskedTable(AskedPage):
    """Rows over a span of time."""

    start: str = Field(
        default="-24h",
        alias="from",
        description="ISO 8601 with its zone, now, a time from now such as -90s, -15m, -6h, -7d, or "
        "where something of the zone began: shift, today, week, month, year, previous-shift, "
        "yesterday, previous-week, previous-month, previous-year",
        examples=["2026-11-21T09:00:00Z", "-7d", "previous-shift"],
    )
    end: str = Field(
        default="now", alias="to", description="likewise; this instant is not in the span"
    )
    every: str | None = Field(
        default=None,
        description="width of the buckets: 10s, 1m, 15m, 1h, counted from 1970 UTC, or hour, day, "
        "week, month, year of the zone, or shift, the plant's; one bucket for the whole span if "
        "left out",
        examples=["1h", "day", "shift"],
    )
    zone: str | None = Field(
        default=None,
        description="IANA time zone of hour, day, week, month, year; the plant's own if left out",
        examples=["Asia/Almaty"],
    )
    form: Format | None = Field(default=None, alias="format", description="wins over Accept")

    def calendar(self, plant: Plant) -> Calendar:
        """The calendar that the request is about; `RequestError` if its zone is none."""
        return Calendar.of(plant, None if self.zone is None else parse_zone(self.zone))


def check_budget(asked: AskedPage, most: int) -> None:
    """`TooLargeError` if the row budget of the request is above *most*."""
    if asked.limit > most:
        raise TooLargeError("limit", asked.limit, f"ask for at most {most:,} rows a page")


def begin(
    asked: AskedTable, request: str, now: datetime, calendar: Calendar
) -> tuple[Span, Key | None]:
    """The span that is asked for, and the key of the first row where a page came before.

    *request* is the request's `api.cursor.fingerprint`. A cursor brings the span of the first page
    along: ``-7d`` would mean another one by now.

    Raises
    ------
    RequestError
        A time is none, the span is empty, or the cursor is another request's.
    """
    if asked.cursor is None:
        return parse_span(asked.start, asked.end, now, calendar), None
    cursor = Cursor.decode(asked.cursor, request)
    return Span.of_us(*cursor.span), cursor.key
