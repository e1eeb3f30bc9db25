"""``/api/v1/shifts``: who works when, past and to come."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Response
from pydantic import Field

from api.formats import JSON
from api.openapi import answers
from api.parameters import Asked
from api.span import parse_span
from api.store import Database
from kpi.calendar import Calendar, WorkedShift
from schemas.errors import TooLargeError

router = APIRouter(prefix="/api/v1", tags=["plant"])

_LONGEST: Final = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class Shifts:
    """The shifts that a span touches, uncut. They begin by the clocks of ``time_zone``."""

    start: datetime
    end: datetime
    time_zone: str
    shifts: list[WorkedShift]


class AskedShifts(Asked):
    """Which shifts."""

    start: str = Field(default="previous-shift", alias="from", description="as in history")
    end: str = Field(default="now", alias="to", description="likewise; may be to come")


@router.get("/shifts", summary="The shifts of a span", responses=answers(Shifts))
def list_shifts(store: Database, asked: Annotated[AskedShifts, Query()]) -> Response:
    """Each with its pattern and, where the plant keeps a rota, its crew.

    On the day of a clock change one is an hour longer or shorter.
    """
    plant = store.catalogue().plant
    calendar = Calendar.of(plant)
    span = parse_span(asked.start, asked.end, store.now(), calendar)
    if span.end - span.start > _LONGEST:
        raise TooLargeError("from", asked.start, f"ask for at most {_LONGEST.days} days")
    worked = list(calendar.shifts(span.start, span.end))
    return JSON(Shifts(span.start, span.end, plant.time_zone, worked))
