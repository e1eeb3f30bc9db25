"""``/api/v1/session``: a key is typed once into a browser, which then sends it by itself."""

from fastapi import APIRouter, Request, Response

from api.access.cookie import forget, keep
from api.access.me import Me
from api.access.person import Asking
from api.formats import JSON
from api.openapi import answers
from schemas.errors import NotIdentified

router = APIRouter(prefix="/api/v1", tags=["people"])


@router.post("/session", summary="Have this browser keep the key", responses=answers(Me))
async def enter(request: Request, person: Asking) -> Response:
    """The key of the Authorization header comes back as a cookie that scripts cannot read.

    Later requests of that browser need no header. It is kept for 30 days.
    """
    _, _, key = request.headers.get("Authorization", "").partition(" ")
    if not key:
        raise NotIdentified("send the key that is to be kept as Authorization: Bearer")
    body = Me(person.name, person.role, list(person.areas.patterns))
    response = JSON(body, headers={"Cache-Control": "no-store"})
    keep(request, response, key)
    return response


@router.delete(
    "/session",
    summary="Have this browser forget the key",
    status_code=204,
    response_class=Response,
)
async def leave() -> Response:
    """Also where the key is not good any more; the key itself stays as it is."""
    response = Response(status_code=204)
    forget(response)
    return response
