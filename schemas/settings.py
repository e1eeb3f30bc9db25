"""Settings that more than one service reads from the environment, by their usual names."""

from typing import TypeVar

from pydantic import Field, FilePath, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.errors import ConfigError


class MqttSettings(BaseSettings):
    """The MQTT broker: ``MQTT_HOST``, ``MQTT_PORT`` and so on."""

    model_config = SettingsConfigDict(env_prefix="MQTT_", extra="forbid", frozen=True)

    host: str = "localhost"
    port: int = Field(default=1883, gt=0, lt=65536)
    username: str | None = None
    password: SecretStr | None = None
    ca_file: FilePath | None = Field(default=None, description="turns TLS on")
    cert_file: FilePath | None = None
    key_file: FilePath | None = None
    keep_alive_s: int = Field(default=30, ge=5, le=3600)


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
