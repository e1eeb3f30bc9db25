"""Hours, shifts, days, weeks, months and years, also where clocks are set."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kpi.binding import bind
from kpi.calendar import Calendar, Unit
from kpi.catalogue.park import KPIS
from kpi.evaluate import lineage
from schemas.instant import EPOCH
from schemas.plant.shifts import Shift, ShiftPattern
from tests.kpi.catalogue.park import IDS, sums
from tests.kpi.catalogue.park import PLANT as PARK
from tests.kpi.frames import PROPERTY

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
#: Two days, two nights, four off: each of four crews works a quarter of the shifts.
TWO_BY_TWELVE = ShiftPattern(
    "2 x 12 h",
    date(2020, 1, 1),
    None,
    (
        Shift("day", time(8), tuple("AABBCCDD")),
        Shift("night", time(20), tuple("DDAABBCC")),
    ),
)
THREE_BY_EIGHT = ShiftPattern(
    "3 x 8 h",
    date(2020, 1, 1),
    date(2024, 4, 1),
    (Shift("night", time(0)), Shift("morning", time(8)), Shift("evening", time(16))),
)


def calendar(zone: str, *patterns: ShiftPattern) -> Calendar:
    """A plant in *zone*, asked in its own time."""
    return Calendar(ZoneInfo(zone), ZoneInfo(zone), patterns)


def local(text: str, zone: str) -> datetime:
    """An instant by the clocks of *zone*."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def lengths(zone: str, unit: Unit, start: str, end: str, *patterns: ShiftPattern) -> list[float]:
    """The lengths [h] of the units between two local times."""
    low, high = local(start, zone), local(end, zone)
    edges = [low, *calendar(zone, *patterns).edges(unit, low, high), high]
    return [(after - before) / HOUR for before, after in pairwise(edges)]


@pytest.mark.parametrize(
    ("zone", "start", "end", "hours"),
    [
        # Kazakhstan went from UTC+6 to UTC+5 on 2024-03-01 at 00:00.
        ("Asia/Almaty", "2024-02-28", "2024-03-02", [24, 25, 24]),
        # Spring and autumn, north and south.
        ("Europe/Berlin", "2024-03-30", "2024-04-02", [24, 23, 24]),
        ("Europe/Berlin", "2024-10-26", "2024-10-29", [24, 25, 24]),
        ("Australia/Sydney", "2024-10-05", "2024-10-08", [24, 23, 24]),
        ("Australia/Sydney", "2024-04-06", "2024-04-09", [24, 25, 24]),
        ("America/Santiago", "2024-09-07", "2024-09-10", [24, 23, 24]),
        # Half an hour.
        ("Australia/Lord_Howe", "2024-10-05", "2024-10-08", [24, 23.5, 24]),
        ("Australia/Lord_Howe", "2024-04-06", "2024-04-09", [24, 24.5, 24]),
        # Samoa crossed the date line: its 2011-12-30 did not take place.
        ("Pacific/Apia", "2011-12-29", "2012-01-01", [24, 24]),
    ],
)
def test_a_day_is_as_long_as_the_clocks_make_it(
    zone: str, start: str, end: str, hours: list[float]
) -> None:
    """Days begin at midnight, or when the clock has jumped over it."""
    assert lengths(zone, Unit.DAY, start, end) == hours


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Asia/Almaty", "2024-02-29", [1.0] * 25),
        ("Europe/Berlin", "2024-03-31", [1.0] * 23),
        ("Asia/Kolkata", "2024-03-31", [1.0] * 24),
        # 02:00 becomes 01:30: that hour goes on; half a year later 02:00 becomes 02:30.
        ("Australia/Lord_Howe", "2024-04-07", [1.0, 1.5, *[1.0] * 22]),
        ("Australia/Lord_Howe", "2024-10-06", [1.0, 1.0, 0.5, *[1.0] * 21]),
    ],
)
def test_hours_are_those_of_the_wall_clock(zone: str, day: str, hours: list[float]) -> None:
    """One that the clock repeats is two; in India they begin at half past of UTC."""
    start = datetime.fromisoformat(day)

    assert lengths(zone, Unit.HOUR, day, f"{start + DAY:%Y-%m-%d}") == hours


def test_weeks_months_and_years_begin_at_midnight() -> None:
    """ISO weeks; the February and the year that end with a clock change are an hour longer."""
    month = lengths("Asia/Almaty", Unit.MONTH, "2024-01-01", "2024-04-01")
    year = lengths("Asia/Almaty", Unit.YEAR, "2023-01-01", "2025-01-01")
    weeks = lengths("Asia/Almaty", Unit.WEEK, "2024-02-21", "2024-03-05")

    assert month == [31 * 24, 29 * 24 + 1, 31 * 24]
    assert year == [365 * 24, 366 * 24 + 1]
    assert weeks == [5 * 24, 7 * 24 + 1, 24]


def test_one_shift_is_an_hour_longer_where_the_clock_goes_back() -> None:
    """Every shift begins at its local time; the crew at work when clocks are set works 13 h."""
    hours = lengths(
        "Asia/Almaty", Unit.SHIFT, "2024-02-29T08:00", "2024-03-02T08:00", TWO_BY_TWELVE
    )

    assert hours == [12, 13, 12, 12]


@pytest.mark.parametrize(
    ("zone", "start", "hours"),
    [
        ("Europe/Berlin", "2024-03-30T20:00", [11, 12, 12]),
        ("Europe/Berlin", "2024-10-26T20:00", [13, 12, 12]),
        ("Australia/Sydney", "2024-10-05T20:00", [11, 12, 12]),
        ("Australia/Sydney", "2024-04-06T20:00", [13, 12, 12]),
    ],
)
def test_the_night_shift_bears_summer_time(zone: str, start: str, hours: list[float]) -> None:
    """Spring takes an hour from it, autumn gives one, in both hemispheres."""
    end = datetime.fromisoformat(start) + timedelta(hours=36)

    assert lengths(zone, Unit.SHIFT, start, end.isoformat(), TWO_BY_TWELVE) == hours


def test_a_start_that_the_clock_jumps_over_is_the_jump() -> None:
    """Berlin has no 02:30 on 2024-03-31: who begins then begins at 03:00, as the clock shows."""
    early = ShiftPattern(
        "2", date(2024, 1, 1), None, (Shift("early", time(2, 30)), Shift("late", time(14, 30)))
    )
    berlin = calendar("Europe/Berlin", early)
    start = local("2024-03-31T00:00", "Europe/Berlin")

    starts = [shift.start for shift in berlin.shifts(start, start + DAY)]

    assert starts[1:] == [
        datetime(2024, 3, 31, 1, tzinfo=UTC),
        local("2024-03-31T14:30", "Europe/Berlin"),
    ]


def test_a_new_pattern_takes_over_on_its_first_day() -> None:
    """The evening shift of the last day of 3 x 8 h lasts until the first day shift, 08:00."""
    then = ShiftPattern("2 x 12 h", date(2024, 4, 1), None, TWO_BY_TWELVE.shifts)
    plant = calendar("Asia/Almaty", THREE_BY_EIGHT, then)
    start = local("2024-03-31T08:00", "Asia/Almaty")

    found = [
        (shift.pattern, shift.name, (shift.end - shift.start) / HOUR, shift.crew)
        for shift in plant.shifts(start, start + 2 * DAY)
    ]

    assert found == [
        ("3 x 8 h", "morning", 8, None),
        ("3 x 8 h", "evening", 16, None),
        ("2 x 12 h", "day", 12, "A"),
        ("2 x 12 h", "night", 12, "D"),
    ]


def test_time_without_a_pattern_has_no_shifts() -> None:
    """Before the first pattern and behind the last nothing is divided, and no shift is present."""
    plant = calendar("UTC", THREE_BY_EIGHT)
    before, behind = datetime(2019, 12, 31, tzinfo=UTC), datetime(2024, 4, 1, 1, tzinfo=UTC)

    assert list(plant.edges(Unit.SHIFT, before, before + DAY)) == []
    assert list(plant.edges(Unit.SHIFT, behind, behind + DAY)) == []
    assert plant.beginning(Unit.SHIFT, behind) is None
    assert plant.beginning(Unit.SHIFT, behind - 2 * HOUR) is not None


def test_a_rota_of_four_crews_shares_the_shifts() -> None:
    """Over a cycle of eight days each crew works two days, two nights, and never two in a row."""
    plant = calendar("Asia/Almaty", TWO_BY_TWELVE)
    start = local("2024-06-01T08:00", "Asia/Almaty")
    crews = [shift.crew for shift in plant.shifts(start, start + 8 * DAY)]

    assert sorted(map(str, crews)) == sorted("AABBCCDD" * 2)
    assert all(before != after for before, after in pairwise(crews))


def test_where_the_present_unit_began_and_the_one_before() -> None:
    """On 2024-03-01 at 09:30 of Almaty, nine and a half hours after clocks went back."""
    plant = calendar("Asia/Almaty", TWO_BY_TWELVE)
    now = local("2024-03-01T09:30", "Asia/Almaty")

    def began(unit: Unit, back: int = 0) -> str:
        found = plant.beginning(unit, now, back)
        assert found is not None
        return f"{found.astimezone(plant.zone):%Y-%m-%dT%H:%M%z}"

    assert began(Unit.HOUR) == "2024-03-01T09:00+0500"
    assert began(Unit.SHIFT) == "2024-03-01T08:00+0500"
    assert began(Unit.SHIFT, 1) == "2024-02-29T20:00+0600"
    assert began(Unit.DAY) == "2024-03-01T00:00+0500"
    assert began(Unit.DAY, 1) == "2024-02-29T00:00+0600"
    assert began(Unit.WEEK, 1) == "2024-02-19T00:00+0600"
    assert began(Unit.MONTH) == "2024-03-01T00:00+0500"
    assert began(Unit.MONTH, 1) == "2024-02-01T00:00+0600"
    assert began(Unit.YEAR, 1) == "2023-01-01T00:00+0600"


def test_a_unit_begins_at_its_own_start() -> None:
    """The instant of an edge belongs to what begins there."""
    plant = calendar("Asia/Almaty", TWO_BY_TWELVE)
    midnight, handover = (
        local(f"2024-06-03T{clock}", "Asia/Almaty") for clock in ("00:00", "20:00")
    )

    assert plant.beginning(Unit.WEEK, midnight) == midnight
    assert plant.beginning(Unit.SHIFT, handover) == handover


@pytest.mark.parametrize(
    ("name", "start", "hours"),
    [
        ("2024", "2024-01-01", 366 * 24 + 1),
        ("2024-02", "2024-02-01", 29 * 24 + 1),
        ("2024-02-29", "2024-02-29", 25),
        ("2024-02-29-evening", "2024-02-29T16:00", 9),
        ("2024-02-29-day", "", None),
        ("2024-02-30", "", None),
        ("0001-01-01", "", None),
        ("February", "", None),
    ],
)
def test_years_months_days_and_shifts_have_names(
    name: str, start: str, hours: float | None
) -> None:
    """As ISO 8601 writes them, in the plant's time; shifts by their day and their word."""
    found = calendar("Asia/Almaty", THREE_BY_EIGHT).named(name)

    if hours is None:
        assert found is None
    else:
        assert found is not None
        assert found[0] == local(start, "Asia/Almaty")
        assert (found[1] - found[0]) / HOUR == hours


ZONES = [
    "Asia/Almaty",
    "Europe/Berlin",
    "Australia/Sydney",
    "Australia/Lord_Howe",
    "America/St_Johns",
    "Pacific/Apia",
    "Asia/Kolkata",
    "UTC",
]
PATTERNS = (
    THREE_BY_EIGHT,
    ShiftPattern("2 x 12 h", date(2024, 4, 1), date(2031, 7, 1), TWO_BY_TWELVE.shifts),
)
days = st.integers(10 * 365, 70 * 365)


@settings(deadline=None)
@given(
    days,
    st.timedeltas(timedelta(0), DAY),
    st.timedeltas(timedelta(seconds=1), timedelta(days=5)),
    st.sampled_from(list(Unit)),
    st.sampled_from(ZONES),
)
def test_units_tile_any_span(
    day: int, clock: timedelta, length: timedelta, unit: Unit, zone: str
) -> None:
    """Edges ascend inside the span, and each is where a unit begins, which is found by its name."""
    start = EPOCH + day * DAY + clock
    plant = calendar(zone, *PATTERNS)

    edges = list(plant.edges(unit, start, start + length))

    whole = [start, *edges, start + length]
    assert all(before < after for before, after in pairwise(whole))
    for edge in edges[:2]:
        # Where the last pattern ends, no shift begins.
        assert plant.beginning(unit, edge) in {edge, None if unit is Unit.SHIFT else edge}
        if (name := plant.called(unit, edge)) is not None:
            assert (plant.named(name) or [None])[0] == edge


@PROPERTY
@given(
    st.sampled_from(["Asia/Almaty", "Europe/Berlin", "Australia/Sydney", "Asia/Kolkata"]),
    st.builds(
        lambda day, half_hours: datetime.combine(day, time(0), UTC) + half_hours * HOUR / 2,
        st.sampled_from(
            [date(2024, 2, 28), date(2024, 3, 30), date(2024, 4, 6), date(2024, 10, 26)]
        ),
        st.integers(0, 47),
    ),
    st.integers(1, 300),
    st.sampled_from([Unit.HOUR, Unit.SHIFT, Unit.DAY, Unit.WEEK, Unit.MONTH]),
    st.lists(st.integers(0, 5000), min_size=1, max_size=6),
)
def test_the_sum_over_units_is_that_of_the_whole(
    zone: str, start: datetime, length: int, unit: Unit, powers: list[int]
) -> None:
    """Energy of a line over any span around a clock change: no minute is lost and none is twice."""
    end = start + length * HOUR / 2
    plant = calendar(zone, *PATTERNS)
    turbine = "power/wind/wtg-1"
    known = pl.concat(
        sums(
            {f"{turbine}/power": {"mean": float(powers[n % len(powers)])}},
            start + n * HOUR / 2,
            HOUR / 2,
        )
        for n in range(length)
    )
    binding = bind(KPIS["capacity_factor"], turbine, PARK, IDS)

    def energy(edges: Sequence[datetime]) -> list[float]:
        inputs = lineage(binding, known, edges)
        return inputs.filter(pl.col("input") == "energy")["value"].to_list()

    parts = energy([start, *plant.edges(unit, start, end), end])
    assert sum(parts) == pytest.approx(energy([start, end])[0], rel=1e-12)


@settings(deadline=None)
@given(days, st.sampled_from(ZONES))
def test_larger_units_are_made_of_whole_days(day: int, zone: str) -> None:
    """Where a week, a month or a year begins a day does."""
    start = EPOCH + day * DAY
    plant = calendar(zone)
    midnights = set(plant.edges(Unit.DAY, start, start + 40 * DAY))

    for unit in (Unit.WEEK, Unit.MONTH, Unit.YEAR):
        assert set(plant.edges(unit, start, start + 40 * DAY)) <= midnights
