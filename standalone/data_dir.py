"""The directory that holds everything a standalone park keeps from one start to the next."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class DataDir:
    """A directory that can be written.

    ::

        postgresql-18/   broker.toml   simulator.json   spool/<agent>/   log/<service>.log
    """

    path: Path

    @classmethod
    def make(cls, path: Path) -> Self:
        """Make the directory at *path*, or use the one that is there.

        Raises
        ------
        ConfigError
            It cannot be made or written.
        """
        path = path.expanduser().absolute()
        try:
            (path / "log").mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=path / "log"):
                return cls(path)
        except OSError as error:
            right = f"name a directory that this user can make and write ({error.strerror})"
            raise ConfigError("--data-dir", str(path), right) from error

    @property
    def simulator(self) -> Path:
        """What the simulated PLCs remember: totalisers and event logs."""
        return self.path / "simulator.json"

    def spool(self, agent: str) -> Path:
        """The spool of an edge agent."""
        return self.path / "spool" / agent

    def log(self, service: str) -> Path:
        """What the process of *service* says."""
        return self.path / "log" / f"{service}.log"
