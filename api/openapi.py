"""What the OpenAPI document says of an answer: its shape, a real example, and its problems."""

from collections.abc import Mapping
from typing import Any

from pydantic import TypeAdapter

from api.formats import MEDIA_TYPES, Format
from api.problem import MEDIA_TYPE, Problem

Responses = dict[int | str, dict[str, Any]]

_PROBLEMS: Mapping[int, str] = {
    404: "Not in the catalogue; names the nearest",
    422: "A parameter cannot be used; names it and what would be right",
    503: "The database does not answer; try again after Retry-After",
}
_OTHERS: Mapping[Format, str] = {
    Format.CSV: "the rows, one line each",
    Format.ARROW: "the rows as record batches; the facts are the schema's metadata `ertis`",
}


def answers(model: type, example: Mapping[str, object], *, table: bool = False) -> Responses:
    """The ``responses`` of a route that answers *model*; *table*: also as CSV and Arrow."""
    content: dict[str, Any] = {"application/json": {"example": example}}
    for form, text in _OTHERS.items() if table else ():
        content[MEDIA_TYPES[form]] = {"schema": {"type": "string", "description": text}}
    return {200: {"model": model, "content": content}, **_problems()}


def stream_of(model: type, example: Mapping[str, object]) -> Responses:
    """The ``responses`` of a route whose events carry *model*."""
    schema = TypeAdapter(model).json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)
    content = {"text/event-stream": {"itemSchema": schema, "example": example}}
    return {200: {"description": "A stream of events", "content": content}, **_problems()}


def _problems() -> Responses:
    schema = {"$ref": f"#/components/schemas/{Problem.__name__}"}
    return {
        status: {"description": text, "content": {MEDIA_TYPE: {"schema": schema}}}
        for status, text in _PROBLEMS.items()
    }
