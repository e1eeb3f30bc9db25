"""The retentive memory of the PLCs: what they still know after a power cut.

Totalisers, the event logs with their numbers, metal in the pots. Without it a restart would set a
totaliser back, which a reader has to take for a wrap, and would number taps anew.
"""

import json
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from schemas.errors import ConfigError

State = TypeVar("State")


class Memory:
    """The states of all processes and PLCs in the JSON file at *path*, replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, object]:
        """State by name; empty if the file does not exist yet.

        Raises
        ------
        ConfigError
            The file cannot be read or is no memory.
        """
        if not self.path.exists():
            return {}
        try:
            states = json.loads(self.path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ConfigError(
                "--memory", str(self.path), f"remove it or name another: {error}"
            ) from error
        if not isinstance(states, dict):
            raise ConfigError("--memory", str(self.path), "remove it or name another file")
        return states

    def store(self, states: Mapping[str, object]) -> None:
        """Keep *states*; a kill at any instant leaves the old ones or the new ones.

        Raises
        ------
        ConfigError
            The file cannot be written.
        """
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            fresh.write_text(json.dumps(states), encoding="utf-8")
            fresh.replace(self.path)
        except OSError as error:
            raise ConfigError(
                "--memory", str(self.path), f"name a file that can be written ({error.strerror})"
            ) from error


def plain(state: object) -> object:
    """*state*, of dataclasses, mappings and arrays, as JSON has it."""
    if is_dataclass(state):
        return {field.name: plain(getattr(state, field.name)) for field in fields(state)}
    if isinstance(state, Mapping):
        return {name: plain(value) for name, value in state.items()}
    return state.tolist() if isinstance(state, np.ndarray) else state


def revived(like: State, given: Any) -> State:  # noqa: ANN401 - JSON
    """The state that `plain` made *given* of; *like* is another one of the same process.

    Raises
    ------
    ValueError
        It is the state of another process: a name is missing, or an array has another size.
    """
    found: Any = like
    if isinstance(like, np.ndarray):
        found = np.array(given, like.dtype)
        # JSON has no word for an array of no columns.
        if found.size == like.size == 0:
            found = like
        if found.shape != like.shape:
            raise ValueError(f"{found.shape} values where there are {like.shape}")
    elif is_dataclass(like) or isinstance(like, Mapping):
        names = [one.name for one in fields(like)] if is_dataclass(like) else list(like)
        if not isinstance(given, Mapping) or set(names) != set(given):
            raise ValueError(f"not {', '.join(names)}")
        of = {name: _part(like, name) for name in names}
        parts = {name: revived(part, given[name]) for name, part in of.items()}
        found = replace(found, **parts) if is_dataclass(like) else parts
    elif isinstance(given, int | float):
        found = type(found)(given)
    else:
        raise ValueError(f"{given!r} where {like!r} was")
    return found  # type: ignore[no-any-return] # of the type of *like*, as each branch has it


def _part(like: object, name: str) -> object:
    return like[name] if isinstance(like, Mapping) else getattr(like, name)
