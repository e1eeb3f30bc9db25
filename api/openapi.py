"""What the OpenAPI document says of an answer: its shape, a real example, and its problems."""

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI
from pydantic import TypeAdapter
from pydantic.json_schema import JsonSchemaMode

from api.examples.every import EXAMPLES
from api.formats import MEDIA_TYPES, Format
from api.problem import MEDIA_TYPE, Problem

_TEMPLATE: Final = "#/components/schemas/{model}"

Responses = dict[int | str, dict[str, Any]]

_PROBLEMS: Mapping[int, str] = {
    401: "Nobody is identified: no key or token, or one that is not good",
    403: "The role or the areas of whoever asks do not cover this",
    404: "Not in the catalogue; names the nearest",
    422: "A parameter cannot be used; names it and what would be right",
    429: "More requests than the rate limit; try again after Retry-After",
    503: "The database does not answer; try again after Retry-After",
}
_OTHERS: Mapping[Format, str] = {
    Format.NDJSON: "the rows, an object a line",
    Format.CSV: "the rows, one line each",
    Format.ARROW: "the rows as record batches; the facts are the schema's metadata `ertis`",
    Format.PARQUET: "the rows as row groups; the facts are the schema's metadata `ertis`",
}


def answers(model: type, *, table: bool = False) -> Responses:
    """The ``responses`` of a route that answers *model*; *table*: also as CSV and Arrow."""
    content = {
        MEDIA_TYPES[form]: {"schema": {"type": "string", "description": text}}
        for form, text in (_OTHERS.items() if table else ())
    }
    return {200: {"model": model, "content": content}, **_problems()}


def stream_of(model: type) -> Responses:
    """The ``responses`` of a route whose events carry *model*; `install` must know it."""
    content = {"text/event-stream": {"schema": _reference(model)}}
    return {200: {"description": "The data of each event", "content": content}, **_problems()}


def _problems() -> Responses:
    return {status: problem(text) for status, text in _PROBLEMS.items()}


def problem(text: str) -> dict[str, Any]:
    """An answer that is a problem, described by *text*."""
    return {"description": text, "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}


def _reference(model: type) -> dict[str, str]:
    return {"$ref": _TEMPLATE.format(model=model.__name__)}


def install(app: FastAPI, *streamed: type) -> None:
    """Add to the document of *app* what FastAPI leaves out.

    These are problems, the data of events (*streamed*), and examples: it takes their nulls away.
    """
    generated = app.openapi
    models: list[tuple[str, JsonSchemaMode, TypeAdapter[Any]]] = [
        (model.__name__, "serialization", TypeAdapter(model)) for model in (Problem, *streamed)
    ]

    def openapi() -> dict[str, Any]:
        document = generated()
        _, definitions = TypeAdapter.json_schemas(models, ref_template=_TEMPLATE)
        document["components"]["schemas"].update(definitions["$defs"])
        for example in EXAMPLES:
            answer = document["paths"][example.route]["get"]["responses"]["200"]
            shown = answer["content"][example.media_type].setdefault("examples", {})
            shown[example.title] = {"summary": example.url, "value": example.body}
        return document

    setattr(app, "openapi", openapi)  # noqa: B010 - the documented way; mypy minds an assignment
