"""The retentive memory of the PLCs: what they still know after a power cut.

Totalisers, the event log with its numbers, metal in the pots. Without it a restart would set a
totaliser back, which a reader has to take for a wrap, and would number taps anew.
"""

import json
from collections.abc import Mapping
from pathlib import Path

from schemas.errors import ConfigError


class Memory:
    """The states of all PLCs in the JSON file at *path*, replaced as a whole with every scan."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self) -> dict[str, object]:
        """State by PLC name; empty if the file does not exist yet.

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
