"""Secrets: named in the file, kept in the environment or in files of their own."""

import os
from pathlib import Path

from pydantic import model_validator

from edge.sources.device import Section
from schemas.errors import ConfigError


class SecretTable(Section):
    """Where a secret is: ``{ env = "NAME" }`` or ``{ file = "/run/secrets/name" }``."""

    env: str | None = None
    file: Path | None = None

    @model_validator(mode="after")
    def _check_one_place(self) -> "SecretTable":
        if (self.env is None) is (self.file is None):
            raise ValueError('a secret is in one place: { env = "NAME" } or { file = "PATH" }')
        return self

    def read(self) -> str:
        """The secret; of a file without the end of its line.

        Raises
        ------
        ConfigError
            The variable is not set, the file cannot be read. The message never has the secret.
        """
        if self.file is not None:
            try:
                return self.file.read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as cause:
                raise ConfigError(
                    "secret", str(self.file), "name a text file that the agent may read"
                ) from cause
        found = os.environ.get(self.env or "")
        if found is None:
            raise ConfigError("secret", self.env, "set this variable of the environment")
        return found
