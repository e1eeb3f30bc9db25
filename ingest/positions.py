"""Sets of spool positions as ranges, the same algebra as PostgreSQL's int8multirange."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Final

#: No spool comes near; int8multirange holds little more.
HIGHEST_POSITION: Final = 2**62


class Ranges:  # noqa: PLW1641 - a mutable set has no hash
    """A set of positions, kept as disjoint half-open ranges [start, end) in order."""

    def __init__(self, ranges: Iterable[tuple[int, int]] = ()) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []
        for start, end in ranges:
            self.add(start, end)

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter(zip(self._starts, self._ends, strict=True))

    def __contains__(self, position: int) -> bool:
        place = bisect_right(self._starts, position) - 1
        return place >= 0 and position < self._ends[place]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ranges) and list(self) == list(other)

    def __bool__(self) -> bool:
        return bool(self._starts)

    def __str__(self) -> str:
        return "{" + ",".join(f"[{start},{end})" for start, end in self) + "}"

    def add(self, start: int, end: int | None = None) -> None:
        """Add [start, end), or *start* alone; ranges that touch become one."""
        end = start + 1 if end is None else end
        if end <= start:
            return
        low = bisect_left(self._ends, start)
        high = bisect_right(self._starts, end)
        if low < high:
            start = min(start, self._starts[low])
            end = max(end, self._ends[high - 1])
        self._starts[low:high] = [start]
        self._ends[low:high] = [end]

    def missing(self, start: int, end: int) -> list[tuple[int, int]]:
        """The ranges of [start, end) that are not in the set."""
        holes = []
        for low, high in self:
            if high <= start:
                continue
            if low >= end:
                break
            if low > start:
                holes.append((start, low))
            start = max(start, high)
        if start < end:
            holes.append((start, end))
        return holes

    def through(self) -> int:
        """The last position of the range that starts at 1; 0 if 1 is missing."""
        return self._ends[0] - 1 if self._starts and self._starts[0] <= 1 else 0
