"""Which period a report is about: a shift, a day or a month of the plant."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from api.span import iso, parse_instant
from kpi.calendar import Calendar, Unit
from schemas.errors import RequestError
from schemas.instant import EPOCH


class ReportKind(StrEnum):
    """What reports are made of."""

    SHIFT = "shift"
    DAY = "day"
    MONTH = "month"


#: Longer than any of them.
_LONGEST: Final = timedelta(days=40)
#: The words of relative periods, and how many before the present one they mean.
_RELATIVE: Final[Mapping[str, int]] = {"current": 0, "previous": 1}
_LIKE: Final[Mapping[Unit, str]] = {
    Unit.SHIFT: "2026-10-31-night",
    Unit.DAY: "2026-10-31",
    Unit.MONTH: "2026-10",
}


@dataclass(frozen=True, slots=True)
class ReportPeriod:
    """[start, end), called ``name`` by the clocks of ``time_zone``: it is signed by that name.

    ``shift`` and its ``crew`` are those of a shift.
    """

    kind: ReportKind
    name: str
    time_zone: str
    start: datetime
    end: datetime
    shift: str | None
    crew: str | None


def report_period(kind: ReportKind, at: str, now: datetime, calendar: Calendar) -> ReportPeriod:
    """The period that *at* names: ``current``, ``previous``, its name, or an instant in it.

    Raises
    ------
    RequestError
        *at* is none of these, names another kind of period, no shift is worked then, or the period
        has not begun.
    """
    unit = Unit(kind.value)
    start = _start(unit, at, now, calendar)
    name = calendar.called(unit, start) if start and start >= EPOCH else None
    if start is None or name is None:
        raise RequestError("at", at, f"there is no {unit} then, see /api/v1/shifts")
    if start >= now:
        raise RequestError("at", at, f"it begins at {iso(start)}: a report is of what has begun")
    end = next(calendar.edges(unit, start, start + _LONGEST))
    worked = next(calendar.shifts(start, end)) if unit is Unit.SHIFT else None
    return ReportPeriod(
        kind,
        name,
        str(calendar.plant_zone),
        start,
        end,
        worked.name if worked else None,
        worked.crew if worked else None,
    )


def _start(unit: Unit, at: str, now: datetime, calendar: Calendar) -> datetime | None:
    if at in _RELATIVE:
        return calendar.beginning(unit, now, _RELATIVE[at])
    named = calendar.named(at)
    if named is None:
        try:
            return calendar.beginning(unit, parse_instant("at", at, now, calendar))
        except RequestError as error:
            right = f"name a {unit} such as {_LIKE[unit]}, previous or current; or an instant: "
            raise RequestError("at", at, right + error.right) from error
    if calendar.called(unit, named[0]) == at:
        return named[0]
    shifts = (one.called for one in calendar.shifts(*named)) if unit is Unit.SHIFT else ()
    like = ", ".join(list(shifts)[:4]) or _LIKE[unit]
    raise RequestError("at", at, f"it is no {unit}: name one such as {like}")
