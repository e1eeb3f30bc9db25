"""Paths with ranges: ``pot-{001..024}`` stands for twenty-four."""

import re
from collections.abc import Sequence

from schemas.errors import PlantError

_RANGE = re.compile(r"\{(\d+)\.\.(\d+)\}")


def expand(path: str) -> Sequence[str]:
    """The paths that a path with ranges stands for: ``pot-{001..003}`` gives three, zeros kept.

    Raises
    ------
    PlantError
        A range runs backwards: it would stand for nothing.
    """
    found = _RANGE.search(path)
    if found is None:
        return [path]
    low, high = found.groups()
    if int(low) > int(high):
        raise PlantError("range", path, "the lower number comes first")
    head, tail = path[: found.start()], path[found.end() :]
    return [
        f"{head}{number:0{len(low)}d}{rest}"
        for number in range(int(low), int(high) + 1)
        for rest in expand(tail)
    ]
