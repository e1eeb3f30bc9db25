"""What was read and waits for its group commit."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from schemas.reading import Reading


@dataclass(slots=True)
class Batch:
    """What was read and is not yet in the spool."""

    readings: dict[str, list[Reading]] = field(default_factory=dict)
    marks: dict[str, int] = field(default_factory=dict)
    links: dict[str, bool] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.readings or self.marks or self.links)

    def add(self, device: str, readings: Sequence[Reading]) -> None:
        """Append *readings* of *device*."""
        if readings:
            self.readings.setdefault(device, []).extend(readings)

    def join(self, later: "Batch") -> None:
        """Append everything of a *later* batch."""
        for device, readings in later.readings.items():
            self.add(device, readings)
        self.marks |= later.marks
        self.links |= later.links

    def size(self) -> int:
        """Readings in it."""
        return sum(map(len, self.readings.values()))

    def keep_newest(self, count: int) -> int:
        """Let go of all but *count* readings of each device, oldest first; how many went."""
        before = self.size()
        for readings in self.readings.values():
            del readings[: max(0, len(readings) - count)]
        return before - self.size()
