"""TOML documents into pydantic models, with errors that a person can act on."""

import tomllib
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from schemas.errors import ConfigError, nearest

Model = TypeVar("Model", bound=BaseModel)


def read_document(path: Path, model: type[Model], error: type[ConfigError] = ConfigError) -> Model:
    """Read the TOML file at *path* as *model*.

    Raises
    ------
    ConfigError
        (or the given subclass) No such file, no TOML, an unknown key, a value out of place.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as cause:
        raise error("file", str(path), f"name a readable file ({cause.strerror})") from cause
    except UnicodeDecodeError as cause:
        raise error("file", str(path), f"save it as UTF-8 ({cause.reason})") from cause
    return parse_document(text, model, path.name, error)


def parse_document(
    text: str, model: type[Model], origin: str, error: type[ConfigError] = ConfigError
) -> Model:
    """Read TOML *text* as *model*; messages start with *origin*."""
    try:
        return model.model_validate(tomllib.loads(text))
    except tomllib.TOMLDecodeError as cause:
        raise error(origin, "text that is not TOML", str(cause)) from cause
    except ValidationError as cause:
        raise first_fault(cause, model, origin, error) from cause


def first_fault(
    fault: ValidationError,
    model: type[BaseModel],
    origin: str,
    error: type[ConfigError] = ConfigError,
) -> ConfigError:
    """The first thing wrong, as key, value found and what would be right."""
    faults = fault.errors(include_url=False)
    # A misspelt key is unknown and, where it is required, also missing: the first helps more.
    first = next((one for one in faults if one["type"] == "extra_forbidden"), faults[0])
    found = None if first["type"] == "missing" else first["input"]
    key = ".".join(str(step) for step in first["loc"])
    return error(f"{origin}: {key}", found, _right(first, model))


def _right(first: ErrorDetails, model: type[BaseModel]) -> str:
    if first["type"] != "extra_forbidden":
        return first["msg"]
    known = _model_at(model, first["loc"][:-1])
    return f"unknown key; {nearest(str(first['loc'][-1]), known.model_fields if known else ())}"


def _model_at(model: type[BaseModel], steps: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The model that stands where *steps* lead; None if they pass a union."""
    current: type[BaseModel] | None = model
    for step in steps:
        if current is None:
            return None
        if isinstance(step, str) and (found := current.model_fields.get(step)):
            current = _innermost(found.annotation)
    return current


def _innermost(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 - any annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    if get_origin(annotation) is UnionType or get_args(annotation):
        models = [found for part in get_args(annotation) if (found := _innermost(part))]
        return models[0] if len(models) == 1 else None
    return None
