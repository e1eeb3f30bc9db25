"""Commands to devices: what of a DCMD is written, and why the rest is not.

Nothing is written that the agent's file does not declare writable. A command that was long on its
way is not followed either: its sender meant the plant as it was then.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Final

from edge.action import Refused, Write
from schemas.sparkplug.datatype import DataType, read_value
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

#: The word under which writes that were not followed are counted and logged.
WRITE: Final = "write"
#: A command may be so old, or so far ahead of this clock [ms].
_FRESH_MS: Final = 30_000

#: Lowest and highest value that may be written [unit of the tag].
Limits = tuple[float | None, float | None]
#: The metrics of a device that may be written.
Writable = Mapping[str, Limits]
#: By device: none may be written.
NOTHING: Final[Mapping[str, Writable]] = {}


def writes(
    command: Payload,
    device: str,
    aliases: Mapping[str, int],
    writable: Writable,
    now_ms: int,
) -> Iterator[Write | Refused]:
    """What *command* asks of *device*, metric by metric.

    ``aliases`` are the metrics of the device, ``writable`` those that may be written, with limits.
    """
    if abs(now_ms - command.timestamp) > _FRESH_MS:
        yield Refused(WRITE, f"{device}: a command of {command.timestamp} at {now_ms} ms")
        return
    names = {alias: name for name, alias in aliases.items()}
    for each in command.metrics:
        path = each.name or names.get(each.alias, "")
        if path not in writable:
            which = path or f"alias {each.alias}"
            yield Refused(WRITE, f"{device}: {which!r} is not declared writable")
            continue
        try:
            yield Write(device, path, _value(each, writable[path]))
        except ValueError as wrong:
            yield Refused(WRITE, f"{device}: {path}: {wrong}")


def _value(asked: Metric, limits: Limits) -> float:
    kind = asked.datatype if asked.HasField("datatype") else DataType.DOUBLE
    try:
        value = read_value(asked, DataType(kind))
    except (LookupError, ValueError) as unreadable:
        raise ValueError(f"no value of its type {kind}") from unreadable
    if not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is no number")
    low, high = limits
    if (low is not None and value < low) or (high is not None and value > high):
        raise ValueError(f"{value:g} is not within {low} to {high}")
    return float(value)
