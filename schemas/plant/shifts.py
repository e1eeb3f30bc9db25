"""Shift patterns: who works when, by the plant's clocks.

A plant works by one pattern at a time, 3 x 8 h or 2 x 12 h as a rule with four crews in rotation,
and changes it now and then; so a pattern has its dates. ``kpi.calendar`` makes spans of them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Shift:
    """A shift begins at ``start`` by the plant's clocks and lasts until the next one begins.

    ``crews`` is its rota: who works it, day after day from the first day of the pattern, and over
    again. It is empty if the plant keeps none.
    """

    name: str
    start: time
    crews: tuple[str, ...] = ()

    def crew(self, days: int) -> str | None:
        """Who works it *days* after the first day of the pattern."""
        return self.crews[days % len(self.crews)] if self.crews else None


@dataclass(frozen=True, slots=True)
class ShiftPattern:
    """The ``shifts`` of a day, by start; valid for shifts that begin on ``valid_from`` or later.

    ``valid_to`` is the first day on which it is not valid any more; None: none is known.
    """

    name: str
    valid_from: date
    valid_to: date | None
    shifts: tuple[Shift, ...]

    def is_valid(self, day: date) -> bool:
        """Whether its shifts begin on *day*."""
        return self.valid_from <= day and (self.valid_to is None or day < self.valid_to)


def faults(patterns: Iterable[ShiftPattern]) -> Iterator[tuple[str, object, str]]:
    """What contradicts itself in *patterns*: key, what was found, what would be right."""
    patterns = sorted(patterns, key=lambda pattern: pattern.valid_from)
    for pattern in patterns:
        yield from _faults_of(pattern)
    for earlier, later in pairwise(patterns):
        if earlier.valid_to is None or later.valid_from < earlier.valid_to:
            yield (
                f"shift_pattern {later.name} valid_from",
                later.valid_from.isoformat(),
                f"end {earlier.name} there by valid_to: one pattern is valid at a time",
            )


def _faults_of(pattern: ShiftPattern) -> Iterator[tuple[str, object, str]]:
    at = f"shift_pattern {pattern.name}"
    if pattern.valid_to is not None and pattern.valid_to <= pattern.valid_from:
        yield f"{at} valid_to", pattern.valid_to.isoformat(), "it comes after valid_from"
    names = [shift.name for shift in pattern.shifts]
    if len(set(names)) < len(names):
        yield f"{at} shift.name", names, "give each shift a name of its own"
    for before, after in pairwise(pattern.shifts):
        if before.start >= after.start:
            yield f"{at} shift.start", after.start.isoformat(), "list shifts by their start"
    cycles = {shift.name: len(shift.crews) for shift in pattern.shifts}
    if len(set(cycles.values())) > 1:
        yield f"{at} shift.crews", cycles, "give every shift a rota of the same number of days"
        return
    for crews in zip(*(shift.crews for shift in pattern.shifts), strict=True):
        if len(set(crews)) < len(crews):
            yield f"{at} shift.crews", crews, "a crew is on two shifts of one day"
