"""TOML documents into pydantic models, with errors that a person can act on."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar, get_args

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
    steps, known = _trace(model, first["loc"])
    return error(f"{origin}: {'.'.join(steps)}", found, _right(first, known))


def _right(first: ErrorDetails, known: type[BaseModel] | None) -> str:
    if first["type"] != "extra_forbidden":
        return first["msg"]
    return f"unknown key; {nearest(str(first['loc'][-1]), known.model_fields if known else ())}"


def _trace(
    model: type[BaseModel], loc: tuple[int | str, ...]
) -> tuple[list[str], type[BaseModel] | None]:
    """The keys of *loc* as they stand in the file, and the model that the last of them stands in.

    Inside a union pydantic names the alternative too (``source.0.modbus.scan``): that is no key.
    """
    steps: list[str] = []
    inside: type[BaseModel] | None = model
    alternatives: Sequence[type[BaseModel]] = [model]
    for step in loc:
        if isinstance(step, str) and len(alternatives) > 1:
            alternatives = [one for one in alternatives if _is_named(one, step)]
            continue
        steps.append(str(step))
        if isinstance(step, int):
            continue
        inside = alternatives[0] if len(alternatives) == 1 else None
        if inside is not None and (field := inside.model_fields.get(step)):
            alternatives = _models(field.annotation)
    return steps, inside


def _is_named(model: type[BaseModel], word: str) -> bool:
    """Whether *word* tells *model* from its alternatives: its name, or the literal of a key."""
    literals = (get_args(field.annotation) for field in model.model_fields.values())
    return word == model.__name__ or any(word in values for values in literals)


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - any annotation
    """The models in *annotation*, however deep in lists and unions."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [found for part in get_args(annotation) for found in _models(part)]
