"""Status codes and data values of OPC UA, as quality and readings.

Source: OPC UA Part 4, 7.39 (StatusCode) and 7.11 (DataValue).
"""

import math
from datetime import UTC, datetime
from typing import Final

from asyncua import ua

from edge.sources.opcua.table import Item
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading

#: By severity, the two highest bits; 11 is reserved and counts as bad.
_QUALITIES: Final = (Quality.GOOD, Quality.UNCERTAIN, Quality.BAD, Quality.BAD)
#: The low word says something of a data value (InfoType 01), and that its queue ran over.
_OVERFLOW: Final = 0x480


def quality(status: int) -> Quality:
    """The main quality of a status code."""
    return _QUALITIES[status >> 30]


def overflowed(status: int) -> bool:
    """Whether values before this one were lost in the server's queue."""
    return status & _OVERFLOW == _OVERFLOW


def reading(item: Item, value: ua.DataValue, now_ms: int) -> Reading:
    """The data value of *item* with its own status and time.

    The time is the source's; where there is none the server's, else *now_ms*. What is no finite
    number is bad without a value.
    """
    status = value.StatusCode.value if value.StatusCode is not None else 0
    stamp = value.SourceTimestamp or value.ServerTimestamp
    ts_ms = now_ms if stamp is None else instant_ms(stamp)
    raw = None if value.Value is None else value.Value.Value
    number = float(raw) if isinstance(raw, int | float) else math.nan
    scaled = number * item.scale + item.offset
    if not math.isfinite(scaled):
        return Reading(item.path, ts_ms, None, Quality.BAD)
    return Reading(item.path, ts_ms, scaled, quality(status))


def instant_ms(stamp: datetime) -> int:
    """A time as it comes from the library: UTC, with or without saying so [ms]."""
    return to_ms(stamp if stamp.tzinfo is not None else stamp.replace(tzinfo=UTC))
