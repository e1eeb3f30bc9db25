"""Periods of reports: named, relative, or the one that an instant lies in."""

from datetime import UTC, datetime, timedelta

import pytest

from api.reports.period import ReportKind, report_period
from kpi.calendar import Calendar
from schemas.errors import RequestError
from schemas.plant.file import load_plant
from tests.api.demo import NOW, PLANT

CALENDAR = Calendar.of(load_plant(PLANT))
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("kind", "at", "name", "start", "hours"),
    [
        # 15:00 of Almaty, UTC+5: the day shift began at 08:00, the night shift crosses midnight.
        ("shift", "current", "2026-11-21-day", "2026-11-21T03:00Z", 12),
        ("shift", "previous", "2026-11-20-night", "2026-11-20T15:00Z", 12),
        ("shift", "2026-11-20-night", "2026-11-20-night", "2026-11-20T15:00Z", 12),
        ("shift", "2026-11-20T23:00:00Z", "2026-11-20-night", "2026-11-20T15:00Z", 12),
        ("day", "current", "2026-11-21", "2026-11-20T19:00Z", 24),
        ("day", "yesterday", "2026-11-20", "2026-11-19T19:00Z", 24),
        ("day", "-7d", "2026-11-14", "2026-11-13T19:00Z", 24),
        # The clocks went back from UTC+6 to UTC+5 at the end of it.
        ("day", "2024-02-29", "2024-02-29", "2024-02-28T18:00Z", 25),
        ("shift", "2024-02-29-evening", "2024-02-29-evening", "2024-02-29T10:00Z", 9),
        ("month", "2024-02", "2024-02", "2024-01-31T18:00Z", 29 * 24 + 1),
        ("month", "previous", "2026-10", "2026-09-30T19:00Z", 31 * 24),
    ],
)
def test_what_is_named(kind: str, at: str, name: str, start: str, hours: int) -> None:
    """By the plant's clocks; and by its own name the period is found again."""
    found = report_period(ReportKind(kind), at, NOW, CALENDAR)

    assert (found.name, found.start) == (name, datetime.fromisoformat(start).astimezone(UTC))
    assert found.end - found.start == hours * HOUR
    assert report_period(ReportKind(kind), found.name, NOW, CALENDAR) == found
    assert (found.shift is not None) == (kind == "shift")


@pytest.mark.parametrize(
    ("kind", "at", "advice"),
    [
        ("shift", "2026-11-20", "2026-11-20-day, 2026-11-20-night"),
        ("shift", "2026-11-20-evening", "a shift such as"),
        ("day", "2026-11", "such as 2026-10-31"),
        ("day", "2026-11-20-night", "such as 2026-10-31"),
        ("month", "2026", "such as 2026-10"),
        ("month", "2026-12", "it begins at 2026-11-30T19:00:00Z"),
        ("day", "0001-01-01", "such as"),
        ("day", "9999-12-31", "such as"),
        ("day", "1950-01-01", "no day then"),
        ("shift", "2019-12-01T00:00:00Z", "no shift then"),
        ("day", "lately", "ISO 8601"),
    ],
)
def test_what_is_no_period(kind: str, at: str, advice: str) -> None:
    """It is said what would be one."""
    with pytest.raises(RequestError, match=advice):
        report_period(ReportKind(kind), at, NOW, CALENDAR)
