"""What a span of time is compared with: the time just before it."""

from datetime import datetime
from typing import Final

from api.span import Every, Span
from kpi.calendar import Calendar, Unit
from schemas.instant import EPOCH

#: A month is no span of 31 days: the longest unit that fits counts.
_UNITS: Final = (Unit.YEAR, Unit.MONTH, Unit.WEEK, Unit.DAY, Unit.SHIFT)


def before(span: Span, every: str | None, calendar: Calendar) -> datetime:
    """When the time began that the first bucket of *span* is compared with.

    With *every* that is the bucket before it. Without, *span* is one bucket: a whole shift, day,
    week, month or year is compared with the one before, any other span with as long a time.
    """
    begun = _unit_before(span, calendar) if every is None else _bucket_before(span, every, calendar)
    return begun or span.start - (span.end - span.start)


def _unit_before(span: Span, calendar: Calendar) -> datetime | None:
    for unit in _UNITS:
        whole = (
            calendar.beginning(unit, span.start) == span.start
            and calendar.beginning(unit, span.end) == span.end
            and not list(calendar.edges(unit, span.start, span.end))
        )
        if whole:
            return calendar.beginning(unit, span.start, 1)
    return None


def _bucket_before(span: Span, every: str, calendar: Calendar) -> datetime | None:
    found = Every.parse(every, calendar)
    if found.step is not None:
        return EPOCH + -((EPOCH - span.start) // found.step) * found.step - found.step
    if found.unit is None:
        return None
    begun = calendar.beginning(found.unit, span.start)
    return calendar.beginning(found.unit, span.start, 1) if begun == span.start else begun
