"""``/api/v1/plant``: whose plant it is, its clocks, and who is on shift."""

from dataclasses import dataclass
from datetime import timedelta

from fastapi import APIRouter, Response

from api.formats import JSON
from api.openapi import answers
from api.store import Database
from kpi.calendar import Calendar, WorkedShift

router = APIRouter(prefix="/api/v1", tags=["plant"])


@dataclass(frozen=True, slots=True)
class PlantFacts:
    """The plant by name; ``zone`` is the IANA time zone of its clocks; ``shift``: now, if any."""

    name: str
    title: str
    zone: str
    shift: WorkedShift | None


@router.get("/plant", summary="The plant, its clocks and the shift", responses=answers(PlantFacts))
def plant(store: Database) -> Response:
    """Name and title, IANA time zone, and the shift that is on, with its crew."""
    found, now = store.catalogue().plant, store.now()
    shift = next(Calendar.of(found).shifts(now, now + timedelta(microseconds=1)), None)
    body = PlantFacts(found.name, found.title, found.time_zone, shift)
    return JSON(body, headers={"Cache-Control": "no-store"})
