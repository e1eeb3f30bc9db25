"""The settings of the API: ``API_*`` in the environment; ``settings.example.env`` shows all."""

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class ApiSettings(BaseSettings):
    """How the API listens and what one request may take. The database is ``ERTIS_DSN``."""

    model_config = SettingsConfigDict(env_prefix="API_", extra="forbid", frozen=True)

    host: str = Field(default="127.0.0.1", description="loopback unless set")
    port: int = Field(default=8000, ge=0, lt=65536, description="0: any free port")
    threads: int = Field(
        default=8, ge=2, le=64, description="requests at the database at one time; the rest queue"
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, le=3600, description="the longest that one query may take [s]"
    )
    rows_max: int = Field(
        default=10_000_000, ge=1_000, description="the largest row budget that a request may set"
    )
    tick_s: float = Field(
        default=1.0, ge=0.05, le=60, description="the live stream is computed this often [s]"
    )
    live_tags_max: int = Field(default=2_000, ge=1, description="tags of one live stream")
    catalogue_s: float = Field(
        default=5.0, ge=0, description="a changed plant model is seen within this time [s]"
    )
