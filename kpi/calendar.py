"""The calendar of a plant: hours, shifts, days, weeks, months and years as spans of UTC.

A clock that is set makes a day of 23 or 25 hours (Almaty, 2024-02-29: 25), and one shift an hour
shorter or longer: what begins at a local time begins at the first instant at which the wall clock
reads that time, or has jumped over it, and lasts until the next begins. So units tile time, and a
sum over them is the sum of the whole.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from zoneinfo import ZoneInfo

from schemas.plant.model import Plant
from schemas.plant.shifts import ShiftPattern

_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)
_INSTANT: Final = timedelta(microseconds=1)


class Unit(StrEnum):
    """What a calendar is divided into."""

    HOUR = "hour"
    SHIFT = "shift"
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


@dataclass(frozen=True, slots=True)
class WorkedShift:
    """A shift as it was worked, [start, end) UTC. ``crew`` is None where there is no rota.

    ``called`` is its name among all shifts, as 2026-10-31-night: by the day on which it begins.
    """

    start: datetime
    end: datetime
    pattern: str
    name: str
    crew: str | None
    called: str


@dataclass(frozen=True, slots=True)
class Calendar:
    """The units of time of a plant.

    Hours to years are those of ``zone``. Shifts are the plant's: they begin by the clocks of
    ``plant_zone`` wherever somebody asks from.
    """

    zone: ZoneInfo
    plant_zone: ZoneInfo
    patterns: tuple[ShiftPattern, ...] = ()

    @classmethod
    def of(cls, plant: Plant, zone: ZoneInfo | None = None) -> "Calendar":
        """The calendar of *plant*, in its own zone if *zone* is None."""
        own = ZoneInfo(plant.time_zone)
        return cls(zone or own, own, plant.shift_patterns)

    def edges(self, unit: Unit, start: datetime, end: datetime) -> Iterator[datetime]:
        """The instants inside (start, end), ascending, at which a *unit* begins or ends.

        Time without a shift pattern is not divided by shifts.
        """
        last = start
        for edge in self._edges_around(unit, start, end):
            if edge >= end:
                return
            if edge > last:
                last = edge
                yield edge

    def beginning(self, unit: Unit, at: datetime, back: int = 0) -> datetime | None:
        """When the *unit* that *at* lies in began, or the one *back* units before it.

        None if no shift is worked then.
        """
        since = at - (back + 2) * _LONGEST[unit]
        if unit is Unit.SHIFT:
            worked = list(self.shifts(since, at + _INSTANT))
            found = [shift.start for shift in worked] if worked and worked[-1].end > at else []
        else:
            found = list(self.edges(unit, since, at + _INSTANT))
        return found[-1 - back] if back < len(found) else None

    def named(self, name: str) -> tuple[datetime, datetime] | None:
        """The year, month, day or shift that is called *name*; else None.

        Such as 2026, 2026-10, 2026-10-31 and 2026-10-31-night: a shift by the day on which it
        begins and the word that its pattern has for it.
        """
        for unit, form in _NAMES.items():
            with suppress(ValueError, OverflowError):
                first = datetime.strptime(name, form).date()  # noqa: DTZ007 - a day has no zone
                _, following = _DATES[unit]
                days = (first, following(first))
                start, end = (_first_instant(day, time.min, self.zone) for day in days)
                return start, end
        with suppress(ValueError, OverflowError):
            shifts = self._shifts_of(date.fromisoformat(name[:10]))
            return next(((one.start, one.end) for one in shifts if one.called == name), None)
        return None

    def called(self, unit: Unit, start: datetime) -> str | None:
        """What `named` calls the *unit* that begins at *start*; None for what has no name."""
        if unit is Unit.SHIFT:
            return next((one.called for one in self.shifts(start, start + _INSTANT)), None)
        form = _NAMES.get(unit)
        return form and start.astimezone(self.zone).strftime(form)

    def shifts(self, start: datetime, end: datetime) -> Iterator[WorkedShift]:
        """The shifts that [start, end) touches, uncut, in order.

        The last shift before a new pattern lasts until the first one of it begins.
        """
        # The longest shift begins at 00:00 and is followed by a new pattern's at 23:59.
        day = start.astimezone(self.plant_zone).date() - 2 * _DAY
        last = end.astimezone(self.plant_zone).date()
        while day <= last:
            for shift in self._shifts_of(day):
                if shift.start < end and shift.end > start:
                    yield shift
            day += _DAY

    def _shifts_of(self, day: date) -> Iterator[WorkedShift]:
        """The shifts that begin on *day* of the plant."""
        pattern = self._pattern(day)
        if pattern is None:
            return
        following = self._pattern(day + _DAY) or pattern
        times = [(day, shift.start) for shift in pattern.shifts]
        times.append((day + _DAY, following.shifts[0].start))
        starts = [_first_instant(on, at, self.plant_zone) for on, at in times]
        days = (day - pattern.valid_from).days
        for shift, (start, end) in zip(pattern.shifts, pairwise(starts), strict=True):
            if start < end:
                called = f"{day.isoformat()}-{shift.name}"
                yield WorkedShift(start, end, pattern.name, shift.name, shift.crew(days), called)

    def _pattern(self, day: date) -> ShiftPattern | None:
        return next((pattern for pattern in self.patterns if pattern.is_valid(day)), None)

    def _edges_around(self, unit: Unit, start: datetime, end: datetime) -> Iterator[datetime]:
        """Edges in order from one at or before *start* on; one may come twice."""
        match unit:
            case Unit.SHIFT:
                for shift in self.shifts(start, end):
                    yield shift.start
                    yield shift.end
            case Unit.HOUR:
                yield from _hours(start, self.zone)
            case _:
                first, following = _DATES[unit]
                day = first(start.astimezone(self.zone).date())
                while True:
                    yield _first_instant(day, time.min, self.zone)
                    day = following(day)


def _hours(start: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Where the wall clock reads a whole hour or jumps past one, from the hour of *start* on.

    An hour that the clock repeats is two. Where it goes back by half an hour (Lord Howe), the hour
    that it interrupts lasts one and a half.
    """
    local = start.astimezone(zone)
    edge = start - _past_the_hour(local)
    while True:
        yield edge
        hour = local.hour
        while True:
            edge += _HOUR - _past_the_hour(edge.astimezone(zone))
            local = edge.astimezone(zone)
            if local.hour != hour or not _past_the_hour(local):
                break


def _past_the_hour(local: datetime) -> timedelta:
    return timedelta(minutes=local.minute, seconds=local.second, microseconds=local.microsecond)


def _first_instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first instant whose wall clock reads *at* on *day*, or later: it may jump over it."""
    local = datetime.combine(day, at)
    instant = local.replace(tzinfo=zone).astimezone(UTC)
    if _wall(instant, zone) == local:
        return instant
    # Of a time that does not exist, fold 1 gives an instant before the jump and fold 0 one behind.
    before, behind = local.replace(tzinfo=zone, fold=1).astimezone(UTC), instant
    while (seconds := round((behind - before).total_seconds())) > 1:
        middle = before + timedelta(seconds=seconds // 2)
        if _wall(middle, zone) >= local:
            behind = middle
        else:
            before = middle
    return behind


def _wall(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone).replace(tzinfo=None)


#: The first day of the unit that a day lies in, and of the next one after a first day.
_DATES: Final[Mapping[Unit, tuple[Callable[[date], date], Callable[[date], date]]]] = {
    Unit.DAY: (lambda day: day, lambda day: day + _DAY),
    # ISO 8601: a week starts on Monday.
    Unit.WEEK: (lambda day: day - day.weekday() * _DAY, lambda day: day + 7 * _DAY),
    Unit.MONTH: (
        lambda day: day.replace(day=1),
        lambda day: (day + 31 * _DAY).replace(day=1),
    ),
    Unit.YEAR: (
        lambda day: day.replace(month=1, day=1),
        lambda day: day.replace(year=day.year + 1),
    ),
}

#: How ISO 8601 writes what a year, a month or a day is called.
_NAMES: Final[Mapping[Unit, str]] = {
    Unit.YEAR: "%Y",
    Unit.MONTH: "%Y-%m",
    Unit.DAY: "%Y-%m-%d",
}

#: No unit is longer, whatever clocks do; a day may be skipped (Apia, 2011-12-30).
_LONGEST: Final[Mapping[Unit, timedelta]] = {
    Unit.HOUR: 2 * _HOUR,
    Unit.SHIFT: 2 * _DAY,
    Unit.DAY: 2 * _DAY,
    Unit.WEEK: 8 * _DAY,
    Unit.MONTH: 32 * _DAY,
    Unit.YEAR: 367 * _DAY,
}
