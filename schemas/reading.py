"""A reading, and the four kinds of point it may come from."""

from dataclasses import dataclass
from enum import StrEnum

from schemas.quality import Quality


class Kind(StrEnum):
    """What the numbers of a tag mean, and so how they add up over time."""

    GAUGE = "gauge"
    """A level (voltage, temperature): integrates over time."""
    COUNTER = "counter"
    """A totaliser that climbs and wraps at its modulus or is reset: its increase counts."""
    STATE = "state"
    """An integer or boolean condition: the seconds it is not zero count."""
    EVENT = "event"
    """Each reading is an amount of its own (kg of metal tapped): amounts are summed."""


class Interpolation(StrEnum):
    """How a gauge moves between two readings."""

    STEP = "step"
    """Holds the last value: right for report by exception, where silence means no change."""
    LINEAR = "linear"
    """A straight line: right for a slow level that is sampled."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One value of one tag at one instant.

    ``ts_ms`` is the source's time, UTC [ms]. ``value`` is in the tag's unit; None where the source
    gave none (then ``quality`` is not good).
    """

    tag: str
    ts_ms: int
    value: float | None
    quality: int = Quality.GOOD
