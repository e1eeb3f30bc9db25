"""Every error as an RFC 9457 problem: what was asked, what was found, what would be right."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ConfigDict, Field
from starlette.exceptions import HTTPException

from api.formats import JSON, dumps
from schemas.errors import (
    AccessError,
    ConfigError,
    ConflictError,
    DatabaseBusy,
    DatabaseDown,
    ErtisError,
    NotAllowed,
    NotFoundError,
    NotIdentified,
    PeriodSigned,
    RequestError,
    TablesMissing,
    TooLargeError,
    TooManyRequests,
    UnavailableError,
    is_defect,
    nearest,
)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_S = 5

#: From the root of the tree to its leaves: the last that fits an error counts.
_KINDS: Mapping[type[Exception], tuple[int, str, str]] = {
    Exception: (500, "internal", "Something is wrong on our side"),
    UnavailableError: (503, "unavailable", "A part of the plant's backend does not answer now"),
    DatabaseDown: (503, "database-down", "The database does not answer now"),
    DatabaseBusy: (503, "database-busy", "The database has too much to do now"),
    TablesMissing: (503, "not-set-up", "The plant's backend is not set up yet"),
    ConfigError: (503, "not-set-up", "The plant's backend is not set up yet"),
    RequestError: (422, "parameter", "A parameter cannot be used"),
    NotFoundError: (404, "not-found", "No such thing here"),
    TooLargeError: (422, "too-large", "The answer would pass its budget"),
    ConflictError: (409, "conflict", "That does not go with how things stand"),
    PeriodSigned: (409, "period-signed", "The period is signed already"),
    AccessError: (403, "not-allowed", "You may not do that"),
    NotIdentified: (401, "not-identified", "Say who you are"),
    NotAllowed: (403, "not-allowed", "You may not do that"),
    TooManyRequests: (429, "too-many-requests", "You ask more often than the rate limit allows"),
}


class Problem(BaseModel):
    """What is wrong with a request, or with us (RFC 9457, 3)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:ertis:problem:not-found",
                    "title": "No such thing here",
                    "status": 404,
                    "detail": "tag: found 'smelter/potline-1/pot-001/voltag'; "
                    "did you mean 'smelter/potline-1/pot-001/voltage'?",
                    "instance": "/api/v1/history",
                    "parameter": "tag",
                    "found": "smelter/potline-1/pot-001/voltag",
                    "right": "did you mean 'smelter/potline-1/pot-001/voltage'?",
                }
            ]
        }
    )

    type: str = Field(description="what kind of problem; stable, for programs")
    title: str = Field(description="the kind in words")
    status: int
    detail: str = Field(description="this very problem, for people")
    instance: str = Field(description="path of the request")
    parameter: str | None = Field(default=None, description="which parameter")
    found: Any = Field(default=None, description="what it held")
    right: str | None = Field(default=None, description="what would be right")


def problem_of(error: Exception, instance: str) -> Problem:
    """The problem that *error* is to whoever asked for *instance*."""
    status, word, title = [kind for known, kind in _KINDS.items() if isinstance(error, known)][-1]
    problem = Problem(
        type=f"urn:ertis:problem:{word}",
        title=title,
        status=status,
        detail=_detail(error),
        instance=instance,
    )
    if isinstance(error, RequestError):
        told = {"parameter": error.parameter, "found": error.found, "right": error.right}
        problem = problem.model_copy(update=told)
    return problem


def _detail(error: Exception) -> str:
    return "The log of the API says more; please report it." if is_defect(error) else str(error)


def _answer(problem: Problem, headers: Mapping[str, str] | None = None) -> JSON:
    extra = {"Cache-Control": "no-store", **(headers or {})}
    if problem.status == 503:
        extra["Retry-After"] = str(RETRY_AFTER_S)
    body = {name: _sayable(said) for name, said in problem.model_dump(exclude_none=True).items()}
    return JSON(body, status_code=problem.status, headers=extra, media_type=MEDIA_TYPE)


def _sayable(said: object) -> object:
    """*said*, or how Python writes it: half a surrogate pair, which JSON may carry, is no UTF-8."""
    try:
        dumps(said)
    except TypeError:
        return repr(said)
    return said


async def on_error(request: Request, error: Exception) -> JSON:
    """The answer to any error: ours by its type, an unknown one without its inside.

    The server logs the unknown one with its traceback.
    """
    headers = {}
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.retry_after_s)
    if isinstance(error, NotIdentified):
        headers["WWW-Authenticate"] = 'Bearer realm="ertis"'
    return _answer(problem_of(error, request.url.path), headers)


async def on_invalid(request: Request, error: Exception) -> JSON:
    """The answer when FastAPI cannot read a parameter."""
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for this type
    first = error.errors()[0]
    where = ".".join(str(step) for step in first["loc"][1:]) or str(first["loc"][0])
    if first["type"] == "json_invalid":
        where = "body"
    found = None if first["type"] == "missing" else first["input"]
    right = first["msg"]
    if first["type"] == "extra_forbidden":
        right = f"unknown parameter; {nearest(where, _parameters(request))}"
    return _answer(problem_of(RequestError(where, found, right), request.url.path))


def _parameters(request: Request) -> list[str]:
    """The parameters of the route that was asked: those of its query, and those of its body."""
    document = request.app.openapi()
    known = document["paths"][request.scope["route"].path][request.method.lower()]
    names = [one["name"] for one in known.get("parameters", ()) if one["in"] == "query"]
    content = known.get("requestBody", {}).get("content", {})
    reference = content.get("application/json", {}).get("schema", {}).get("$ref", "")
    body = document["components"]["schemas"].get(reference.rpartition("/")[2], {})
    return [*names, *body.get("properties", ())]


async def on_http(request: Request, error: Exception) -> JSON:
    """The answer when no route fits the path or the method."""
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for this type
    if error.status_code == 404:
        path = request.url.path
        right = nearest(path, request.app.openapi()["paths"])
        return _answer(problem_of(NotFoundError("path", path, right), path))
    if error.status_code == 400:  # FastAPI could not read the body at all
        broken = RequestError("body", None, "send one JSON object in UTF-8")
        return _answer(problem_of(broken, request.url.path))
    found = Problem(
        type="about:blank",
        title=str(error.detail),
        status=error.status_code,
        detail=f"{request.method} {request.url.path}: {error.detail}",
        instance=request.url.path,
    )
    return _answer(found, error.headers)


def install(app: FastAPI) -> None:
    """Answer every error of *app* with a problem."""
    app.add_exception_handler(RequestValidationError, on_invalid)
    app.add_exception_handler(HTTPException, on_http)
    app.add_exception_handler(ErtisError, on_error)
    app.add_exception_handler(Exception, on_error)
