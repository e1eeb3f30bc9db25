"""``/api/v1/me``: as whom the API knows the caller."""

from dataclasses import dataclass

from fastapi import APIRouter, Response

from api.access.person import Asking, Role
from api.formats import JSON
from api.openapi import answers

router = APIRouter(prefix="/api/v1", tags=["people"])


@dataclass(frozen=True, slots=True)
class Me:
    """Whoever asks: the name in the audit log, the role, and the areas of the plant they see."""

    name: str
    role: Role
    areas: list[str]


@router.get("/me", summary="As whom the API knows you", responses=answers(Me))
async def me(person: Asking) -> Response:
    """Name, role and areas of the key or token that was sent."""
    body = Me(person.name, person.role, list(person.areas.patterns))
    return JSON(body, headers={"Cache-Control": "no-store"})
