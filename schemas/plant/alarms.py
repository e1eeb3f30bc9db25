"""Alarms of the plant: which limits ring, how urgently, and what keeps them from chattering.

Words and priorities are those of ANSI/ISA-18.2-2016 (IEC 62682).
"""

from dataclasses import dataclass
from enum import StrEnum


class Bound(StrEnum):
    """Which limit was passed, from the lowest to the highest."""

    LOW_LOW = "low_low"
    LOW = "low"
    HIGH = "high"
    HIGH_HIGH = "high_high"

    @property
    def above(self) -> bool:
        """Whether the alarm stands for too much and not for too little."""
        return self in {Bound.HIGH, Bound.HIGH_HIGH}


class Priority(StrEnum):
    """How soon an operator has to act; few should be high (ISA-18.2, 16.5.9: 80/15/5 %)."""

    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class AlarmLimit:
    """One alarm: a limit of a tag, or of a KPI at an asset over the time that ends now.

    ``source`` is the path of the tag, or the id of the KPI where ``window_s`` [s] is given. The
    alarm is raised when the value was beyond ``limit`` [unit] for ``on_delay_s``, and returns when
    it was back by ``deadband`` [unit] for ``off_delay_s`` (ISA-18.2, 10.5.4). Of the alarms of a
    ``group`` the first one out is told.
    """

    asset: str
    source: str
    bound: Bound
    limit: float
    priority: Priority
    on_delay_s: float = 0.0
    off_delay_s: float = 0.0
    deadband: float = 0.0
    group: str = ""
    window_s: float | None = None

    @property
    def name(self) -> str:
        """What identifies it in the plant: ``<tag>#high``, ``<kpi>@<asset>#high``."""
        at = "" if self.window_s is None else f"@{self.asset}"
        return f"{self.source}{at}#{self.bound.value}"

    def beyond(self, value: float) -> bool:
        """Whether *value* is beyond the limit."""
        return value > self.limit if self.bound.above else value < self.limit

    def back(self, value: float) -> bool:
        """Whether *value* is within the limit by the deadband."""
        if self.bound.above:
            return value <= self.limit - self.deadband
        return value >= self.limit + self.deadband
