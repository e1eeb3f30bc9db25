"""Spans of time as a caller writes them, and how they are cut into buckets.

Inside, time is UTC and buckets are half-open. The plant's time zone and shifts appear only here,
as a `kpi.calendar.Calendar`: a day of ``Asia/Almaty`` is a span of UTC, of 25 hours on 2024-02-29.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final, overload
from zoneinfo import ZoneInfo, available_timezones

from kpi.calendar import Calendar, Unit
from schemas.errors import RequestError, nearest
from schemas.instant import EPOCH

_RELATIVE = re.compile(r"(?:now)?([+-])(\d{1,9})([smhdw])")
_LOST_PLUS = re.compile(r" \d\d:?\d\d$")
_LENGTH = re.compile(r"(\d{1,6})([smhdw])")
_STEP = re.compile(r"(\d{1,6})(s|m|h)")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_CALENDAR: Final[Mapping[str, Unit]] = {unit.value: unit for unit in Unit} | {
    "1d": Unit.DAY,
    "1w": Unit.WEEK,
    "1mo": Unit.MONTH,
    "1y": Unit.YEAR,
}
#: Where a unit of the calendar began: the present one, or so many before it.
_BEGINNINGS: Final[Mapping[str, tuple[Unit, int]]] = {
    "shift": (Unit.SHIFT, 0),
    "previous-shift": (Unit.SHIFT, 1),
    "today": (Unit.DAY, 0),
    "yesterday": (Unit.DAY, 1),
    "week": (Unit.WEEK, 0),
    "previous-week": (Unit.WEEK, 1),
    "month": (Unit.MONTH, 0),
    "previous-month": (Unit.MONTH, 1),
    "year": (Unit.YEAR, 0),
    "previous-year": (Unit.YEAR, 1),
}
_MICROSECOND = timedelta(microseconds=1)
_NO_SHIFTS: Final = "the plant file says when which [[shift_pattern]] is worked"
#: Outside of these years PostgreSQL, Python and time zone rules begin to disagree.
_YEARS = range(1970, 2200)


@dataclass(frozen=True, slots=True)
class Span:
    """``[start, end)``, UTC."""

    start: datetime
    end: datetime

    @classmethod
    def of_us(cls, start: int, end: int) -> "Span":
        """The span between two numbers of microseconds since 1970."""
        return cls(from_us(start), from_us(end))

    @property
    def us(self) -> tuple[int, int]:
        """Start and end [us since 1970]."""
        return to_us(self.start), to_us(self.end)

    def until(self, now: datetime) -> "Span":
        """The span without its future: nothing is known of what has not happened.

        Raises
        ------
        RequestError
            All of it is to come.
        """
        if self.start >= now:
            raise RequestError("from", iso(self.start), f"use an instant before now, {iso(now)}")
        return Span(self.start, min(self.end, now))


def to_us(instant: datetime) -> int:
    """Microseconds since 1970, the grain of PostgreSQL."""
    return (instant - EPOCH) // _MICROSECOND


def from_us(us: int) -> datetime:
    """The instant *us* microseconds after 1970 began."""
    return EPOCH + us * _MICROSECOND


def parse_span(start: str, end: str, now: datetime, calendar: Calendar) -> Span:
    """The span between two instants as ``from`` and ``to`` give them.

    Raises
    ------
    RequestError
        One of them is no instant, or the span is empty.
    """
    span = Span(
        parse_instant("from", start, now, calendar), parse_instant("to", end, now, calendar)
    )
    if span.start >= span.end:
        raise RequestError("from", start, f"it must be before 'to', which is {iso(span.end)}")
    return span


def parse_instant(parameter: str, text: str, now: datetime, calendar: Calendar) -> datetime:
    """An instant: ISO 8601 with its zone, ``now``, a time from now such as ``-7d``, or a word.

    Words are those for where the present unit of the *calendar* began, such as ``shift``,
    ``today``, ``month``, or the one before it: ``previous-shift``, ``yesterday``.

    Raises
    ------
    RequestError
        It is none of these, has no zone, or lies outside the years 1970 to 2199; or no shift is
        worked now.
    """
    if named := _BEGINNINGS.get(text):
        beginning = calendar.beginning(named[0], now, named[1])
        if beginning is None:
            raise RequestError(parameter, text, f"no shift is worked then: {_NO_SHIFTS}")
        return beginning
    try:
        instant = _relative(text, now) or datetime.fromisoformat(text)
    except (ValueError, OverflowError) as error:
        raise RequestError(parameter, text, _right(text, now)) from error
    if instant.tzinfo is None:
        raise RequestError(
            parameter, text, f"add the zone: {text}Z for UTC, or an offset such as %2B05:00"
        )
    if instant.year not in _YEARS:
        raise RequestError(parameter, text, f"use a year from {_YEARS[0]} to {_YEARS[-1]}")
    return instant.astimezone(UTC)


def _relative(text: str, now: datetime) -> datetime | None:
    if text == "now":
        return now
    if (found := _RELATIVE.fullmatch(text)) is None:
        return None
    sign, number, unit = found.groups()
    shift = timedelta(seconds=int(number) * _UNITS[unit])
    return now - shift if sign == "-" else now + shift


def parse_window(text: str) -> timedelta:
    """The length of a window that ends now, as 30m, 8h or 7d.

    Raises
    ------
    RequestError
        It is no length, or not between a minute and 31 days.
    """
    found = _LENGTH.fullmatch(text)
    length = timedelta(seconds=int(found[1]) * _UNITS[found[2]] if found else 0)
    if not timedelta(minutes=1) <= length <= timedelta(days=31):
        raise RequestError("window", text, "use a length from 1m to 31d, such as 30m, 8h, 7d")
    return length


def _right(text: str, now: datetime) -> str:
    if _LOST_PLUS.search(text):
        return "write the + of the offset as %2B: a bare + in a URL means a space"
    return (
        f"use ISO 8601 with a zone such as {iso(now.replace(microsecond=0))}, 'now', "
        "a time from now such as -90s, -15m, -6h, -7d, -2w, "
        f"or where something began: {', '.join(_BEGINNINGS)}"
    )


def iso(instant: datetime) -> str:
    """*instant* as the API writes it: UTC with Z."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")


@lru_cache(maxsize=1)
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def parse_zone(name: str) -> ZoneInfo:
    """The time zone with this IANA name; `RequestError` names the nearest one."""
    if name not in _zones():
        raise RequestError("zone", name, f"use an IANA name; {nearest(name, _zones())}")
    return ZoneInfo(name)


@dataclass(frozen=True, slots=True)
class Every:
    """The width of buckets: a fixed step, cut from 1970 UTC, or a unit of a calendar."""

    text: str
    step: timedelta | None
    unit: Unit | None
    calendar: Calendar

    @classmethod
    def parse(cls, text: str, calendar: Calendar) -> "Every":
        """The width that ``every`` gives; `RequestError` if it gives none."""
        if unit := _CALENDAR.get(text):
            if unit is Unit.SHIFT and not calendar.patterns:
                raise RequestError("every", text, f"this plant has no shifts: {_NO_SHIFTS}")
            return cls(text, None, unit, calendar)
        found = _STEP.fullmatch(text)
        seconds = int(found[1]) * _UNITS[found[2]] if found else 0
        if seconds == 0:
            raise RequestError(
                "every", text, f"use a step such as 10s, 1m, 15m, 1h, or {', '.join(Unit)}"
            )
        return cls(text, timedelta(seconds=seconds), None, calendar)

    def edges(self, span: Span) -> Sequence[datetime]:
        """Start of *span*, every bucket edge inside it, and its end.

        The first and the last bucket are cut to the span, so that the buckets add up to it.
        """
        if self.step is not None:
            return _StepEdges(span, self.step)
        inner = self.calendar.edges(self.unit, span.start, span.end) if self.unit else ()
        return (span.start, *inner, span.end)


def cut(span: Span, every: str | None, calendar: Calendar) -> Sequence[datetime]:
    """The edges of the buckets of *span*: one bucket if *every* is None."""
    return (span.start, span.end) if every is None else Every.parse(every, calendar).edges(span)


class _StepEdges(Sequence[datetime]):
    """The edges of a fixed step, computed when asked for: a year has 31.5 million seconds."""

    def __init__(self, span: Span, step: timedelta) -> None:
        self._span = span
        self._step = step
        self._first = EPOCH + ((span.start - EPOCH) // step + 1) * step
        self._inner = max(0, -((self._first - span.end) // step))

    def __len__(self) -> int:
        return self._inner + 2

    @overload
    def __getitem__(self, index: int) -> datetime: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[datetime]: ...
    def __getitem__(self, index: int | slice) -> datetime | Sequence[datetime]:
        if isinstance(index, slice):
            return [self[place] for place in range(*index.indices(len(self)))]
        place = range(len(self))[index]
        if place == 0:
            return self._span.start
        if place == self._inner + 1:
            return self._span.end
        return self._first + (place - 1) * self._step
