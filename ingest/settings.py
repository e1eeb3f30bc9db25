"""The settings of ingest: ``INGEST_*`` in the environment; ``settings.example.env`` shows all."""

from datetime import datetime, timedelta

from pydantic import AwareDatetime, Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from schemas.instant import EPOCH


class IngestSettings(BaseSettings):
    """What an operator may want to change."""

    model_config = SettingsConfigDict(
        env_prefix="INGEST_", env_ignore_empty=True, extra="forbid", frozen=True
    )

    host_id: str = Field(default="ertis", pattern=r"^[^/+#\x00]+$")
    groups: str = Field(default="", description="Sparkplug groups, by comma; empty: the plant's")
    lane: bool = Field(default=True, description="whether telemetry/# is read")
    lane_messages: int = Field(default=1000, ge=1, le=65535)
    metrics_host: str = "127.0.0.1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    batch_rows: int = Field(default=50_000, ge=1)
    batch_ms: int = Field(default=200, ge=1)
    buffer_mb: int = Field(default=64, ge=1)
    inbox_mb: int = Field(default=32, ge=1)
    ack_ms: int = Field(default=200, ge=1)
    reorder_ms: int = Field(default=5_000, ge=1)
    gap_ms: int = Field(default=5_000, ge=0)
    rebirth_spacing_ms: int = Field(default=50, ge=0)
    future_s: float = Field(default=300.0, ge=0)
    earliest: AwareDatetime = datetime(2000, 1, 1, tzinfo=EPOCH.tzinfo)
    rollup: bool = Field(default=True, description="whether this process makes the summaries")
    keep_days: float | None = Field(default=None, gt=0, description="of raw readings; empty: ever")
    lease_s: float = Field(default=10.0, ge=1, description="silence after which another may lead")
    drain_s: float = Field(default=10.0, ge=0)

    @property
    def keep(self) -> timedelta | None:
        """How long raw readings are kept; None: for ever."""
        return None if self.keep_days is None else timedelta(days=self.keep_days)

    @property
    def group_ids(self) -> tuple[str, ...]:
        """The groups that are named; none means the plant's own."""
        return tuple(group.strip() for group in self.groups.split(",") if group.strip())
