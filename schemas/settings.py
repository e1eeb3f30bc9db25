"""Settings that more than one service reads from the environment, by their usual names."""

from pathlib import Path
from typing import TypeVar

from pydantic import (
    Field,
    FilePath,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import ConfigError


class MqttSettings(BaseSettings):
    """The MQTT broker: ``MQTT_HOST``, ``MQTT_PORT`` and so on."""

    model_config = SettingsConfigDict(env_prefix="MQTT_", extra="forbid", frozen=True)

    host: str = "localhost"
    port: int = Field(default=1883, gt=0, lt=65536)
    username: str | None = None
    password: SecretStr | None = None
    password_file: FilePath | None = Field(default=None, description="instead of the password")
    ca_file: FilePath | None = Field(default=None, description="turns TLS on")
    key_file: FilePath | None = Field(default=None, description="of the client's certificate")
    cert_file: FilePath | None = Field(default=None, validate_default=True)
    keep_alive_s: int = Field(default=30, ge=5, le=3600)

    # Of one field each: the input of a fault is shown to people, and must have no secret in it.
    @field_validator("password_file")
    @classmethod
    def _check_one_password(cls, file: Path | None, others: ValidationInfo) -> Path | None:
        if file is not None and others.data.get("password") is not None:
            raise ValueError("MQTT_PASSWORD is set too; keep one")
        return file

    @field_validator("cert_file")
    @classmethod
    def _check_pair(cls, file: Path | None, others: ValidationInfo) -> Path | None:
        if (file is None) is not (others.data.get("key_file") is None):
            raise ValueError("a certificate goes with its key: set both MQTT_CERT_FILE, _KEY_FILE")
        if file is not None and others.data.get("ca_file") is None:
            raise ValueError("there is no TLS without MQTT_CA_FILE")
        return file

    def secret(self) -> str | None:
        """The password, from wherever it is kept; of a file without the end of its line."""
        if self.password_file is not None:
            return self.password_file.read_text(encoding="utf-8").rstrip("\r\n")
        return None if self.password is None else self.password.get_secret_value()


class DatabaseSettings(BaseSettings):
    """PostgreSQL: ``ERTIS_DSN``; where it is empty, libpq's own ``PGHOST``, ``PGDATABASE`` ..."""

    model_config = SettingsConfigDict(env_prefix="ERTIS_", extra="ignore", frozen=True)

    dsn: str = Field(default="", description="libpq connection string or URI")


Settings = TypeVar("Settings", bound=BaseSettings)


def read_environment(model: type[Settings]) -> Settings:
    """The settings of *model*, from the environment.

    Raises
    ------
    ConfigError
        A variable has a value that it cannot have: names the variable.
    """
    try:
        return model()
    except ValidationError as fault:
        first = fault.errors(include_url=False)[0]
        name = "_".join(str(step) for step in first["loc"])
        variable = f"{model.model_config.get('env_prefix', '')}{name}".upper()
        raise ConfigError(variable, first["input"], first["msg"]) from fault
