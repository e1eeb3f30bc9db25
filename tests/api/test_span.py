"""Times and buckets as callers write them."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from api.span import (
    Every,
    Span,
    cut,
    iso,
    parse_instant,
    parse_span,
    parse_window,
    parse_zone,
)
from kpi.calendar import Calendar
from schemas.errors import RequestError
from schemas.instant import EPOCH
from schemas.plant.shifts import Shift, ShiftPattern

NOW = datetime(2026, 11, 21, 10, 0, 30, tzinfo=UTC)
ALMATY = ZoneInfo("Asia/Almaty")
TWELVE = ShiftPattern(
    "2 x 12 h", date(2024, 1, 1), None, (Shift("day", time(8)), Shift("night", time(20)))
)
PLANT = Calendar(ALMATY, ALMATY, (TWELVE,))
WITHOUT_SHIFTS = Calendar(ALMATY, ALMATY)
HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("now", NOW),
        ("-90s", NOW - timedelta(seconds=90)),
        ("-7d", NOW - timedelta(days=7)),
        ("now-2w", NOW - timedelta(weeks=2)),
        ("+1h", NOW + HOUR),
        ("2026-11-21T15:00:00+05:00", datetime(2026, 11, 21, 10, tzinfo=UTC)),
        ("2026-11-21T10:00:00.25Z", datetime(2026, 11, 21, 10, 0, 0, 250_000, tzinfo=UTC)),
    ],
)
def test_instants_are_absolute_or_relative_to_now(text: str, instant: datetime) -> None:
    """Both ways of writing an instant give UTC."""
    assert parse_instant("from", text, NOW, PLANT) == instant


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("2026-11-21T10:00:00", "add the zone"),
        ("2026-11-21", "add the zone"),
        ("2026-11-21T10:00:00 05:00", "%2B"),
        ("last-shift", "previous-shift"),
        ("-7", "-7d"),
        ("-7y", "-7d"),
        ("-999999999w", "-7d"),
        ("1815-06-18T12:00:00Z", "1970"),
        ("0001-01-01T00:00:00+05:00", "1970"),
        ("9999-12-31T23:59:59-05:00", "2199"),
        ("", "-7d"),
    ],
)
def test_what_is_no_instant_says_how_to_write_one(text: str, advice: str) -> None:
    """The error names the parameter and what would be right, whatever is sent."""
    with pytest.raises(RequestError, match="from") as caught:
        parse_instant("from", text, NOW, PLANT)
    assert advice in caught.value.right


@pytest.mark.parametrize(
    ("start", "end", "begins", "ends"),
    [
        # NOW is 15:00:30 of a Saturday in Almaty, in the day shift.
        ("shift", "now", "2026-11-21T08:00+05:00", "2026-11-21T15:00:30+05:00"),
        ("previous-shift", "shift", "2026-11-20T20:00+05:00", "2026-11-21T08:00+05:00"),
        ("yesterday", "today", "2026-11-20T00:00+05:00", "2026-11-21T00:00+05:00"),
        ("previous-week", "week", "2026-11-09T00:00+05:00", "2026-11-16T00:00+05:00"),
        ("previous-month", "month", "2026-10-01T00:00+05:00", "2026-11-01T00:00+05:00"),
        ("previous-year", "year", "2025-01-01T00:00+05:00", "2026-01-01T00:00+05:00"),
    ],
)
def test_words_name_where_units_of_the_calendar_began(
    start: str, end: str, begins: str, ends: str
) -> None:
    """In the time zone of the calendar; shifts by the plant's pattern."""
    span = parse_span(start, end, NOW, PLANT)

    assert span == Span(datetime.fromisoformat(begins), datetime.fromisoformat(ends))


def test_a_plant_without_shifts_says_where_they_belong() -> None:
    """Neither a bucket nor an instant can be a shift's."""
    with pytest.raises(RequestError, match="shift_pattern"):
        parse_instant("from", "shift", NOW, WITHOUT_SHIFTS)
    with pytest.raises(RequestError, match="shift_pattern"):
        Every.parse("shift", WITHOUT_SHIFTS)


def test_shifts_are_the_plants_in_whatever_zone_days_are() -> None:
    """08:00 and 20:00 of Almaty, asked for from Berlin."""
    from_berlin = Calendar(ZoneInfo("Europe/Berlin"), ALMATY, (TWELVE,))
    span = Span(NOW - 24 * HOUR, NOW)

    assert [edge.astimezone(ALMATY).hour for edge in cut(span, "shift", from_berlin)[1:-1]] == [
        20,
        8,
    ]


def test_an_empty_span_is_refused() -> None:
    """A span that ends where it starts, or before, has no buckets."""
    with pytest.raises(RequestError, match="before"):
        parse_span("now", "-1h", NOW, PLANT)


def test_a_future_span_is_refused_and_an_open_one_is_cut() -> None:
    """Nothing is known of what has not happened."""
    assert Span(NOW - HOUR, NOW + HOUR).until(NOW) == Span(NOW - HOUR, NOW)
    with pytest.raises(RequestError, match="before now"):
        Span(NOW, NOW + HOUR).until(NOW)


def test_the_day_of_the_clock_change_has_25_hours() -> None:
    """Kazakhstan went from UTC+6 to UTC+5 on 2024-03-01: 2024-02-29 of Almaty is an hour longer."""
    span = parse_span("2024-02-28T00:00:00+06:00", "2024-03-02T00:00:00+05:00", NOW, PLANT)

    edges = cut(span, "day", PLANT)

    assert [end - start for start, end in pairwise(edges)] == [24 * HOUR, 25 * HOUR, 24 * HOUR]


def test_days_begin_at_the_first_instant_of_their_date() -> None:
    """Where clocks skip midnight (Beirut, 2023-03-26) the day begins at the skip: 23 hours."""
    beirut = ZoneInfo("Asia/Beirut")
    start = datetime(2023, 3, 25, tzinfo=beirut).astimezone(UTC)

    edges = cut(Span(start, start + timedelta(days=3)), "day", Calendar(beirut, beirut))

    assert [edge.astimezone(beirut).hour for edge in edges[:3]] == [0, 1, 0]
    assert edges[2] - edges[1] == 23 * HOUR


@pytest.mark.parametrize(
    ("every", "starts"),
    [
        ("week", ["2026-11-16", "2026-11-23"]),
        ("month", ["2026-12-01", "2027-01-01"]),
        ("year", ["2027-01-01"]),
        ("1mo", ["2026-12-01", "2027-01-01"]),
    ],
)
def test_calendar_buckets_begin_where_the_calendar_says(every: str, starts: list[str]) -> None:
    """ISO weeks, months and years of the zone."""
    span = parse_span("2026-11-15T12:00:00Z", "2027-01-20T00:00:00Z", NOW, PLANT)

    inner = [edge.astimezone(ALMATY).date().isoformat() for edge in cut(span, every, PLANT)[1:-1]]

    assert [start for start in inner if start in starts] == starts
    assert all(edge.astimezone(ALMATY).hour == 0 for edge in cut(span, every, PLANT)[1:-1])


instants = st.integers(30 * 365, 70 * 365).flatmap(
    lambda day: st.timedeltas(timedelta(0), timedelta(days=1)).map(
        lambda time: EPOCH + timedelta(days=day) + time
    )
)


@settings(deadline=None)
@given(
    instants,
    st.timedeltas(timedelta(seconds=1), timedelta(days=3)),
    st.sampled_from(["7m", "1m", "15m", "1h", "7h", "hour", "shift", "day", "week", "year"]),
    st.sampled_from(["Asia/Almaty", "Europe/Berlin", "America/St_Johns", "UTC"]),
)
def test_buckets_tile_the_span(start: datetime, length: timedelta, every: str, zone: str) -> None:
    """Edges ascend from start to end of the span; the inner ones of a step are its multiples."""
    span = Span(start, start + length)
    width = Every.parse(every, Calendar(ZoneInfo(zone), ALMATY, (TWELVE,)))

    edges = list(width.edges(span))

    assert (edges[0], edges[-1]) == (span.start, span.end)
    assert all(before < after for before, after in pairwise(edges))
    if width.step is not None:
        assert all((edge - EPOCH) % width.step == timedelta(0) for edge in edges[1:-1])
        assert all(after - before <= width.step for before, after in pairwise(edges))


@settings(deadline=None)
@given(instants, st.timedeltas(timedelta(seconds=1), timedelta(hours=2)), st.data())
def test_edges_of_a_step_are_a_sequence(
    start: datetime, length: timedelta, data: st.DataObject
) -> None:
    """Edges that are computed when asked for index and slice as a list of them does."""
    edges = Every.parse("1m", PLANT).edges(Span(start, start + length))
    listed = list(edges)
    low = data.draw(st.integers(-200, 200))
    high = data.draw(st.integers(-200, 200))

    assert list(edges[low:high]) == listed[low:high]
    assert edges[-1] == listed[-1]


@pytest.mark.parametrize("text", ["0s", "1.5h", "-1m", "fortnight", "", "1", "9999999h"])
def test_what_is_no_width_says_what_is(text: str) -> None:
    """The error offers steps and calendar units."""
    with pytest.raises(RequestError, match="15m"):
        Every.parse(text, PLANT)


def test_an_unknown_zone_names_the_nearest() -> None:
    """A misspelt zone, or a path to a file, is no zone."""
    with pytest.raises(RequestError, match="Asia/Almaty"):
        parse_zone("Asia/Almatty")
    with pytest.raises(RequestError):
        parse_zone("../../etc/passwd")


@pytest.mark.parametrize("text", ["59s", "32d", "1", "", "1y"])
def test_a_window_has_bounds(text: str) -> None:
    """Live KPIs look back a minute at least and a month at most."""
    with pytest.raises(RequestError, match="31d"):
        parse_window(text)


def test_instants_are_written_with_z() -> None:
    """One way to write UTC everywhere."""
    assert iso(datetime(2026, 11, 21, 15, tzinfo=ALMATY)) == "2026-11-21T10:00:00Z"
