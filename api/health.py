"""``/health/live``, ``/health/ready`` and ``/metrics``: for whoever watches the API itself."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import sqlalchemy as sa
from fastapi import APIRouter, Depends, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from api.counters import Counters
from api.formats import JSON
from api.store import Store, store_of
from schemas.db.tables import dirty
from schemas.errors import ErtisError

router = APIRouter(tags=["health"])


@dataclass(frozen=True, slots=True)
class Part:
    """A part that answers need; ``detail`` says what is wrong with it, or how it stands."""

    name: str
    ok: bool
    detail: str


@dataclass(frozen=True, slots=True)
class Ready:
    """Whether answers can be given: every part is there."""

    ready: bool
    parts: list[Part]


@router.get("/health/live", summary="Whether the process runs")
async def live() -> Response:
    """200 as long as the process answers at all; it looks at nothing else."""
    return JSON({"live": True}, headers={"Cache-Control": "no-store"})


@router.get(
    "/health/ready",
    summary="Whether answers can be given, and which part is missing",
    responses={
        200: {"model": Ready},
        503: {"model": Ready, "description": "A part is missing"},
    },
)
def ready(store: Annotated[Store, Depends(store_of)]) -> Response:
    """200 if the database answers and holds a plant, else 503; both name every part."""
    parts = [_part("database", _database, store)]
    if parts[0].ok:
        parts += [_part("plant", _plant, store), _part("rollups", _rollups, store)]
    found = Ready(all(part.ok for part in parts), parts)
    return JSON(
        found, status_code=200 if found.ready else 503, headers={"Cache-Control": "no-store"}
    )


def _part(name: str, look: Callable[[Store], str], store: Store) -> Part:
    """How a part stands: what *look* says of it, or what it cannot do."""
    try:
        return Part(name, ok=True, detail=look(store))
    except ErtisError as error:
        return Part(name, ok=False, detail=str(error))


def _database(store: Store) -> str:
    with store.connection() as connection:
        connection.execute(sa.select(1))
    return "answers"


def _plant(store: Store) -> str:
    plant = store.catalogue().plant
    return f"{plant.name}: {len(plant.assets)} assets, {len(plant.tags)} tags"


def _rollups(store: Store) -> str:
    """How far the rollup worker is behind; answers are right without it, only slower."""
    with store.connection() as connection:
        oldest: datetime | None = connection.scalar(sa.select(sa.func.min(dirty.c.bucket)))
    if oldest is None:
        return "nothing is waiting"
    return f"the oldest waiting minute is {(store.now() - oldest).total_seconds():.0f} s old"


def _counters(request: Request) -> Counters:
    found = request.app.state.counters
    assert isinstance(found, Counters)  # noqa: S101 - create_app puts it there
    return found


@router.get("/metrics", summary="Counters for Prometheus", response_class=PlainTextResponse)
async def metrics(counters: Annotated[Counters, Depends(_counters)]) -> Response:
    """The text format of Prometheus."""
    return Response(generate_latest(counters.registry), media_type=CONTENT_TYPE_LATEST)
