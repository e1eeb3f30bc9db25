"""The plain JSON lane: what a device that speaks no Sparkplug publishes.

Topic ``telemetry/<asset path>``, QoS 1, one JSON object whose ``values`` are named by measure::

    {"ts": "2026-11-21T10:00:00Z", "values": {"voltage": 4.21}}
    {"ts": 1795255200000, "values": {"voltage": {"value": 4.21, "quality": 64}}}
    {"readings": [{"ts": ..., "values": {...}}, ...]}
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from schemas.errors import PayloadError, TopicError
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading

TOPIC_PREFIX = "telemetry/"

#: Strict, or pydantic would read a bare number as seconds or milliseconds by its size.
IsoInstant = Annotated[AwareDatetime, Field(strict=True)]
EpochMs = Annotated[int, Field(ge=0, strict=True, description="UTC milliseconds since 1970")]
Number = Annotated[float, Field(allow_inf_nan=False)] | bool | None


class QualifiedValue(BaseModel):
    """A value that comes with a quality, as OPC code."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: Number
    quality: int = Field(default=Quality.GOOD, ge=0, le=500)


class Sample(BaseModel):
    """The values of one asset at one instant, by measure."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ts: IsoInstant | EpochMs
    values: dict[str, QualifiedValue | Number] = Field(min_length=1)

    @property
    def ts_ms(self) -> int:
        """When the values were taken, UTC [ms]."""
        return to_ms(self.ts) if isinstance(self.ts, datetime) else self.ts


class Telemetry(BaseModel):
    """Many samples of one asset in one message."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    readings: list[Sample] = Field(min_length=1)


def asset_of(topic: str) -> str:
    """The asset path of a telemetry *topic*; `TopicError` for any other topic."""
    path = topic.removeprefix(TOPIC_PREFIX)
    if path == topic or not path:
        raise TopicError(f"topic {topic!r} is not {TOPIC_PREFIX}<asset path>")
    return path


def decode(topic: str, payload: bytes) -> Iterator[Reading]:
    """The readings of one message.

    Raises
    ------
    TopicError
        The topic is not ``telemetry/<asset path>``.
    PayloadError
        The payload is not such JSON; says the first thing wrong and where it stands.
    """
    asset = asset_of(topic)
    shape: type[Sample | Telemetry] = Telemetry if b'"readings"' in payload else Sample
    try:
        message = shape.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "payload"
        raise PayloadError(f"telemetry JSON at {where}: {first['msg']}") from error
    for sample in message.readings if isinstance(message, Telemetry) else [message]:
        ts_ms = sample.ts_ms
        for measure, given in sample.values.items():
            if isinstance(given, QualifiedValue):
                yield Reading(f"{asset}/{measure}", ts_ms, _number(given.value), given.quality)
            else:
                quality = Quality.BAD if given is None else Quality.GOOD
                yield Reading(f"{asset}/{measure}", ts_ms, _number(given), quality)


def _number(value: float | bool | None) -> float | None:
    return None if value is None else float(value)
