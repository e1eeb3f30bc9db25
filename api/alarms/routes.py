"""``/api/v1/alarms``: how the alarms stand, and what people do to them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Final

from fastapi import APIRouter, Body, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field

from alarms.state import Event, State
from api.access.areas import Areas
from api.access.person import Asking
from api.alarms.standing import Alarm, alarms_of, alarms_query
from api.alarms.transition import Act, act
from api.cursor import Cursor, fingerprint
from api.formats import JSON
from api.openapi import answers, problem
from api.parameters import AskedPage
from api.pattern import compile_pattern
from api.store import Database, Store
from schemas.db.tables import alarm
from schemas.errors import NotFoundError, RequestError
from schemas.plant.alarms import Priority

router = APIRouter(prefix="/api/v1", tags=["alarms"])

#: What is shelved and forgotten is a hole in the guard: a shift has to think of it again
#: (ISA-18.2, 11.5.2 asks for a limit).
SHELVED_AT_MOST: Final = timedelta(hours=24)


class Action(StrEnum):
    """What people do to an alarm."""

    ACKNOWLEDGE = "acknowledge"
    SHELVE = "shelve"
    UNSHELVE = "unshelve"
    REMOVE = "remove"
    RESTORE = "restore"


#: Of these an operator has to say why.
_WITH_REASON: Final = {Action.SHELVE, Action.REMOVE}


@dataclass(frozen=True, slots=True)
class Alarms:
    """A page of alarms at the instant ``at``, in the order of their ids."""

    at: datetime
    alarms: list[Alarm]
    truncated: bool
    cursor: str | None


class AskedAlarms(AskedPage):
    """Which alarms."""

    state: list[State] = Field(
        default=[State.UNACKNOWLEDGED, State.ACKNOWLEDGED, State.RETURNED],
        description="only in these states; those that ring if left out",
    )
    priority: list[Priority] = Field(default=list(Priority), description="only of these")
    area: str = Field(default="**", description="only of assets here and below, as smelter/**")


class Doing(BaseModel):
    """What is to be done to an alarm."""

    model_config = ConfigDict(extra="forbid")

    reason: str | None = Field(
        default=None, max_length=1000, description="why; needed to shelve and to remove"
    )
    minutes: float | None = Field(
        default=None, gt=0, description="how long it is shelved, at most a day; shelve needs it"
    )


@router.get("/alarms", summary="Alarms as they stand", responses=answers(Alarms))
def list_alarms(store: Database, asked: Annotated[AskedAlarms, Query()]) -> Response:
    """Those that ring, or those in the states asked for."""
    request = fingerprint("alarms", asked.state, asked.priority, asked.area)
    first = Cursor.decode(asked.cursor, request).key[0] if asked.cursor else 0
    compile_pattern("area", asked.area)
    areas = Areas((asked.area,))
    query = alarms_query().where(
        alarm.c.id >= first,
        alarm.c.state.in_([state.value for state in asked.state]),
        alarm.c.priority.in_([priority.value for priority in asked.priority]),
    )
    with store.connection() as connection:
        rows = connection.execute(query.order_by(alarm.c.id)).all()
    found = [one for one in alarms_of(rows) if _shown(store, areas, one)]
    page, rest = found[: asked.limit], found[asked.limit :]
    cursor = Cursor(request, (rest[0].id, 0)).encode() if rest else None
    body = Alarms(store.now(), page, truncated=bool(rest), cursor=cursor)
    return JSON(body, headers={"Cache-Control": "no-store"})


def _shown(store: Store, areas: Areas, one: Alarm) -> bool:
    """Whether an alarm lies in *areas* and belongs to what the caller sees."""
    return areas.hold(one.asset) and store.areas.hold(one.asset)


@router.post(
    "/alarms/{id}/{action}",
    summary="Acknowledge, shelve, unshelve, remove from service, restore",
    responses={**answers(Alarm), 409: problem("Its state does not allow that")},
)
def do(
    store: Database,
    person: Asking,
    alarm_id: Annotated[int, Path(alias="id", ge=1, lt=2**31)],
    action: Action,
    doing: Annotated[Doing, Body()] = Doing(),  # noqa: B008 - frozen by use; FastAPI's way
) -> Response:
    """The alarm as it then stands. Who, when and why is in its history and in the audit log."""
    now = store.now()
    given = Act(Event(action.value), person.name, doing.reason, _until(action, doing, now))
    if action in _WITH_REASON and not (doing.reason or "").strip():
        raise RequestError("reason", doing.reason, f"say why, to {action.value} an alarm")
    at_id = alarms_query().where(alarm.c.id == alarm_id)
    with store.writing() as connection:
        rows = alarms_of(connection.execute(at_id).all())
        if not rows or not store.areas.hold(rows[0].asset):
            raise NotFoundError("id", alarm_id, "no alarm has this id; see /api/v1/alarms")
        act(connection, alarm_id, given, now)
        (found,) = alarms_of(connection.execute(at_id).all())
    return JSON(found, headers={"Cache-Control": "no-store"})


def _until(action: Action, doing: Doing, now: datetime) -> datetime | None:
    if action is not Action.SHELVE:
        if doing.minutes is not None:
            raise RequestError("minutes", doing.minutes, f"{action.value} has no end: leave it out")
        return None
    most = SHELVED_AT_MOST.total_seconds() / 60
    if doing.minutes is None or doing.minutes > most:
        raise RequestError("minutes", doing.minutes, f"shelve it for at most {most:g} minutes")
    return now + timedelta(minutes=doing.minutes)
