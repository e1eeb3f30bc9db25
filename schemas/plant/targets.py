"""Targets of KPIs: what an asset is meant to come to, from which day to which.

A plant sets its targets year by year, and for each line its own; so a target has its dates, and one
that is over stays in the plant file beside its successor.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum


class Better(StrEnum):
    """On which side of a target a KPI should be."""

    LOWER = "lower"
    HIGHER = "higher"


@dataclass(frozen=True, slots=True)
class Target:
    """The KPI with id ``kpi`` at ``asset`` should be at most or at least ``value`` [its unit].

    It is valid for what begins on ``valid_from`` or later, by the plant's clocks; ``valid_to`` is
    the first day on which it is not valid any more; None: none is known.
    """

    kpi: str
    asset: str
    value: float
    better: Better
    valid_from: date
    valid_to: date | None = None

    def is_valid(self, day: date) -> bool:
        """Whether it is the target of what begins on *day*."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)

    def is_met(self, value: float) -> bool:
        """Whether *value* is on the right side, the target itself included."""
        return value <= self.value if self.better is Better.LOWER else value >= self.value


def target_on(targets: Iterable[Target], kpi: str, asset: str, day: date) -> Target | None:
    """The one of *targets* for this KPI, asset and day, if there is one."""
    return next(
        (one for one in targets if (one.kpi, one.asset) == (kpi, asset) and one.is_valid(day)),
        None,
    )
