"""The alarms of a period: how many rang, which most often, which stood longest, which floods."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from alarms.state import Event, State
from alarms.statistics import Raised, floods, most_frequent
from api.alarms.history import FloodPeriod, happened, in_area
from api.span import Span
from api.store import Store
from schemas.db.tables import alarm, alarm_event
from schemas.plant.alarms import Priority

_LONGEST: Final = 10


@dataclass(frozen=True, slots=True)
class Stood:
    """An alarm that rang so many ``times``, and was active for so many ``seconds`` of the period.

    What was active at its beginning and never ended did not ring in it.
    """

    name: str
    priority: Priority
    times: int
    seconds: float


@dataclass(frozen=True, slots=True)
class AlarmsOfPeriod:
    """What rang, by priority; ``floods`` are those of ISA-18.2, 16.5.5."""

    raised: int
    by_priority: dict[str, int]
    longest: list[Stood]
    most_frequent: list[Stood]
    floods: list[FloodPeriod]


def alarms_of_period(store: Store, area: str, span: Span) -> AlarmsOfPeriod:
    """The alarms of *area* in *span*; acknowledged ones stand until they return."""
    inside = happened(store, area, span).order_by(alarm_event.c.at, alarm_event.c.id)
    with store.connection() as connection:
        events = connection.execute(inside).all()
        standing = connection.execute(_standing(store, area, span.start)).all()
    rang = [row for row in events if row.event == Event.RAISE.value]
    raised = [Raised(row.alarm_id, row.at) for row in rang]
    stood = _stood(standing, events, span)
    often = most_frequent(raised)
    return AlarmsOfPeriod(
        len(rang),
        {one.value: sum(row.priority == one.value for row in rang) for one in Priority},
        sorted(stood.values(), key=lambda one: (-one.seconds, one.name))[:_LONGEST],
        [stood[alarm_id] for alarm_id, _ in often],
        [FloodPeriod(one.start, one.end, one.alarms) for one in floods(raised)],
    )


def _standing(store: Store, area: str, at: datetime) -> sa.Select[Any]:
    """``alarm_id, name, priority`` of the alarms that were active just before *at*."""
    last = (
        sa.select(alarm_event.c.after)
        .where(alarm_event.c.alarm_id == alarm.c.id, alarm_event.c.at < at)
        .order_by(alarm_event.c.at.desc(), alarm_event.c.id.desc())
        .limit(1)
        .lateral("last")
    )
    active = [state.value for state in State if state.active]
    wanted = sa.cast(in_area(store, area), sa.ARRAY(sa.Integer))
    return (
        sa.select(alarm.c.id.label("alarm_id"), alarm.c.name, alarm.c.priority)
        .join_from(alarm, last, sa.true())
        .where(alarm.c.asset_id == sa.any_(wanted), last.c.after.in_(active))
    )


def _stood(
    standing: Iterable[sa.Row[Any]], events: Sequence[sa.Row[Any]], span: Span
) -> dict[int, Stood]:
    since = {row.alarm_id: span.start for row in standing}
    known = {row.alarm_id: row for row in [*standing, *events]}
    seconds: dict[int, float] = defaultdict(float)
    times: dict[int, int] = defaultdict(int)
    for row in events:
        times[row.alarm_id] += row.event == Event.RAISE.value
        if State(row.after).active:
            since.setdefault(row.alarm_id, row.at)
        elif row.alarm_id in since:
            seconds[row.alarm_id] += (row.at - since.pop(row.alarm_id)).total_seconds()
    for alarm_id, begun in since.items():
        seconds[alarm_id] += (span.end - begun).total_seconds()
    return {
        alarm_id: Stood(row.name, Priority(row.priority), times[alarm_id], seconds[alarm_id])
        for alarm_id, row in known.items()
        if times[alarm_id] or seconds[alarm_id]
    }
