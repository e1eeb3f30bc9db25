"""``/api/v1/alarms/history`` and ``/statistics``: what rang, who did what, and how bad it was."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

import sqlalchemy as sa
from fastapi import APIRouter, Query, Response
from pydantic import Field

from alarms.state import Event, State
from alarms.statistics import STALE_AFTER, Raised, busiest, chattering, floods, most_frequent
from api.access.areas import Areas
from api.alarms.late import late
from api.alarms.standing import unit_of
from api.cursor import Cursor, fingerprint
from api.formats import JSON
from api.openapi import answers
from api.parameters import Asked, AskedPage
from api.pattern import compile_pattern
from api.span import Span, parse_span
from api.store import Database, Store
from kpi.calendar import Calendar
from schemas.db.alarms import load_alarms
from schemas.db.tables import alarm, alarm_event, asset, tag
from schemas.errors import TooLargeError
from schemas.plant.alarms import Priority

router = APIRouter(prefix="/api/v1", tags=["alarms"])

#: Alarms whose readings are run through again in one request, and rings that are counted in one.
_LATE_MOST: Final = 200
_COUNTED_MOST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Happened:
    """A transition of an alarm. ``who`` is null where the value did it, or time.

    ``late``: nobody heard it, because its readings came later; it has no id and no states.
    """

    at: datetime
    alarm: int
    name: str
    asset: str
    priority: Priority
    event: Event
    before: State | None
    after: State | None
    value: float | None
    unit: str | None
    first_out: bool
    who: str | None
    reason: str | None
    until: datetime | None
    late: bool


@dataclass(frozen=True, slots=True)
class AlarmHistory:
    """A page of what happened in [start, end), the newest first; what is late stands apart."""

    start: datetime
    end: datetime
    events: list[Happened]
    late: list[Happened]
    truncated: bool
    cursor: str | None


@dataclass(frozen=True, slots=True)
class FloodPeriod:
    """More than ten alarms in ten minutes, until there were less than five."""

    start: datetime
    end: datetime
    alarms: int


@dataclass(frozen=True, slots=True)
class Frequent:
    """An alarm, and how often it rang."""

    alarm: int
    name: str
    times: int


@dataclass(frozen=True, slots=True)
class AlarmStatistics:
    """How an operator of this area was served (ANSI/ISA-18.2-2016, clause 16).

    ``most_in_10_min`` should be at most 10, ``flood_share`` below 0.01, ``per_day`` at most 150 to
    300, ``chattering`` empty, ``stale`` (standing for more than a day) fewer than 5.
    """

    start: datetime
    end: datetime
    raised: int
    per_day: float
    by_priority: dict[str, int]
    most_in_10_min: int
    floods: list[FloodPeriod]
    flood_share: float
    chattering: list[Frequent]
    most_frequent: list[Frequent]
    stale: list[Frequent]


class AskedSpan(Asked):
    """Which time and area."""

    start: str = Field(default="-24h", alias="from", description="as of /history")
    end: str = Field(default="now", alias="to", description="likewise; not in the span")
    area: str = Field(default="**", description="only of assets here and below, as smelter/**")


class AskedHappened(AskedSpan, AskedPage):
    """Which part of the history."""

    late: bool = Field(
        default=False, description="also what readings that came later would have rung"
    )


@router.get("/alarms/history", summary="What happened to alarms", responses=answers(AlarmHistory))
def history(store: Database, asked: Annotated[AskedHappened, Query()]) -> Response:
    """Every transition, the newest first: what values did, and what people did and why."""
    request = fingerprint("alarm history", asked.start, asked.end, asked.area)
    cursor = Cursor.decode(asked.cursor, request) if asked.cursor else None
    span = Span.of_us(*cursor.span) if cursor else _span(store, asked)
    query = happened(store, asked.area, span).order_by(alarm_event.c.id.desc())
    if cursor is not None:
        query = query.where(alarm_event.c.id <= cursor.key[0])
    with store.connection() as connection:
        rows = connection.execute(query.limit(asked.limit + 1)).all()
    page, rest = rows[: asked.limit], rows[asked.limit :]
    following = Cursor(request, (rest[0].event_id, 0), span.us).encode() if rest else None
    body = AlarmHistory(
        span.start,
        span.end,
        [_event(row) for row in page],
        _late(store, asked.area, span) if asked.late else [],
        truncated=bool(rest),
        cursor=following,
    )
    return JSON(body, headers={"Cache-Control": "no-store"})


@router.get(
    "/alarms/statistics", summary="How many alarms there were", responses=answers(AlarmStatistics)
)
def statistics(store: Database, asked: Annotated[AskedSpan, Query()]) -> Response:
    """Rates, floods, chattering and standing alarms of an area: take one operator's."""
    span = _span(store, asked)
    query = happened(store, asked.area, span).where(alarm_event.c.event == Event.RAISE.value)
    with store.connection() as connection:
        rows = connection.execute(query.order_by(alarm_event.c.at).limit(_COUNTED_MOST + 1)).all()
        stale = connection.execute(_stale(store, asked.area, span.end)).all()
    if len(rows) > _COUNTED_MOST:
        raise TooLargeError("from", asked.start, f"at most {_COUNTED_MOST:,} alarms are counted")
    names = {row.alarm_id: row.name for row in [*rows, *stale]}
    raised = [Raised(row.alarm_id, row.at) for row in rows]
    flooded = floods(raised)
    length_s = (span.end - span.start).total_seconds()
    body = AlarmStatistics(
        span.start,
        span.end,
        len(raised),
        86400 * len(raised) / length_s,
        {one.value: sum(row.priority == one.value for row in rows) for one in Priority},
        busiest(raised),
        [FloodPeriod(one.start, one.end, one.alarms) for one in flooded],
        sum((one.end - one.start).total_seconds() for one in flooded) / length_s,
        [Frequent(one, names[one], times) for one, times in chattering(raised).items()],
        [Frequent(one, names[one], times) for one, times in most_frequent(raised)],
        [Frequent(row.alarm_id, row.name, 1) for row in stale],
    )
    return JSON(body, headers={"Cache-Control": "no-store"})


def _span(store: Store, asked: AskedSpan) -> Span:
    now = store.now()
    calendar = Calendar.of(store.catalogue().plant, None)
    return parse_span(asked.start, asked.end, now, calendar).until(now)


def in_area(store: Store, area: str) -> list[int]:
    """The ids of the assets of *area* that the caller sees."""
    compile_pattern("area", area)
    areas = Areas((area,))
    with store.connection() as connection:
        rows = connection.execute(sa.select(asset.c.id, asset.c.path)).all()
    return [row.id for row in rows if areas.hold(row.path) and store.areas.hold(row.path)]


def _joined(store: Store, area: str, *columns: Any) -> sa.Select[Any]:  # noqa: ANN401 - columns
    wanted = sa.cast(in_area(store, area), sa.ARRAY(sa.Integer))
    return (
        sa.select(
            alarm.c.name,
            alarm.c.source,
            alarm.c.priority,
            asset.c.path,
            alarm.c.id.label("alarm_id"),
            tag.c.unit.label("unit"),
            *columns,
        )
        .join_from(alarm, asset, alarm.c.asset_id == asset.c.id)
        .outerjoin(tag, alarm.c.tag_id == tag.c.id)
        .where(alarm.c.asset_id == sa.any_(wanted))
    )


def happened(store: Store, area: str, span: Span) -> sa.Select[Any]:
    """Events of the alarms of *area* in *span*, each with its alarm's name, priority, asset."""
    columns = [column for column in alarm_event.c if column.name not in {"id", "alarm_id"}]
    query = _joined(store, area, alarm_event.c.id.label("event_id"), *columns)
    return query.join(alarm_event, alarm_event.c.alarm_id == alarm.c.id).where(
        alarm_event.c.at >= span.start, alarm_event.c.at < span.end
    )


def _stale(store: Store, area: str, end: datetime) -> sa.Select[Any]:
    """The alarms that stand for more than a day."""
    active = [state.value for state in State if state.active]
    return _joined(store, area).where(
        alarm.c.state.in_(active), alarm.c.since < end - STALE_AFTER, ~alarm.c.retired
    )


def _event(row: sa.Row[Any]) -> Happened:
    return Happened(
        row.at,
        row.alarm_id,
        row.name,
        row.path,
        Priority(row.priority),
        Event(row.event),
        State(row.before),
        State(row.after),
        row.value,
        unit_of(row),
        row.first_out,
        row.who,
        row.reason,
        row.until,
        late=False,
    )


def _late(store: Store, area: str, span: Span) -> list[Happened]:
    """What the readings as they are now would have rung, and nobody heard."""
    catalogue = store.catalogue()
    areas = Areas((area,))
    with store.connection() as connection:
        limits = {
            alarm_id: one
            for alarm_id, one in load_alarms(connection).items()
            if one.window_s is None and one.source in catalogue.plant.tags and areas.hold(one.asset)
        }
        if len(limits) > _LATE_MOST:
            right = f"it has {len(limits)} alarms; late ones are found for {_LATE_MOST}"
            raise TooLargeError("area", area, right)
        heard = connection.execute(happened(store, area, span)).all()
    rang = [(row.alarm_id, Event(row.event), row.at) for row in heard]
    return [
        Happened(
            one.change.at,
            one.alarm,
            limits[one.alarm].name,
            limits[one.alarm].asset,
            limits[one.alarm].priority,
            one.change.event,
            None,
            None,
            one.change.value,
            catalogue.plant.tags[limits[one.alarm].source].unit,
            first_out=False,
            who=None,
            reason=None,
            until=None,
            late=True,
        )
        for one in late(store, catalogue, limits, span, rang)
    ]
