"""What went wrong with a request, as one of the errors of `schemas.errors`."""

from typing import Any, Final

import httpx

from schemas.errors import (
    ConflictError,
    ErtisError,
    NotAllowed,
    NotFoundError,
    NotIdentified,
    RequestError,
    UnavailableError,
)

_KINDS: Final = {404: NotFoundError, 409: ConflictError}


def problem_of(answer: httpx.Response) -> ErtisError:
    """The error that an answer of 400 and above stands for (RFC 9457)."""
    try:
        told: dict[str, Any] = answer.json()
    except ValueError:
        told = {}
    detail = str(told.get("detail") or f"{answer.request.url}: status {answer.status_code}")
    parameter = told.get("parameter")
    match answer.status_code:
        case 401:
            return NotIdentified(f"{detail}; set ERTIS_API_KEY")
        case 403:
            return NotAllowed(detail)
        case 404 | 409 | 422 if parameter is not None:
            kind = _KINDS.get(answer.status_code, RequestError)
            return kind(parameter, told.get("found"), str(told.get("right")))
        case 429 | 502 | 503 | 504:
            return UnavailableError(detail)
        case _:
            return RequestError("request", str(answer.request.url), detail)
