"""What an information object of IEC 60870-5-101/104 says, as a reading.

Source: IEC 60870-5-101, 7.2.6: values, the quality descriptors (7.2.6.3, 7.2.6.9) and CP56Time2a
(7.2.6.18).
"""

import math
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import c104

from edge.sources.iec104.table import Point
from schemas.instant import to_ms
from schemas.quality import Quality
from schemas.reading import Reading

_INVALID: Final = 0x80
"""IV: acquired wrongly, or not at all."""
_DOUBTFUL: Final = 0x71
"""NT not topical, SB substituted, BL blocked, OV beyond its range: a value, but not of now or here.

OPC UA calls them uncertain: last usable, substitute, and units exceeded.
"""
#: A double point says where a breaker is; on its way, or without a sign, it is neither off nor on.
_DOUBLE: Final = {c104.Double.OFF: 0.0, c104.Double.ON: 1.0}


def reading(point: Point, info: c104.Information, zone: ZoneInfo, now_ms: int) -> Reading:
    """The state of *point*, with the time that the station gave it, else *now_ms*."""
    number = _number(info.value) * point.scale + point.offset
    ts_ms = now_ms if info.recorded_at is None else _instant_ms(info.recorded_at, zone)
    if not math.isfinite(number):
        return Reading(point.path, ts_ms, None, Quality.BAD)
    return Reading(point.path, ts_ms, number, _quality(info.quality))


def _quality(found: c104.Quality | c104.BinaryCounterQuality | None) -> Quality:
    """By the worst flag; a type without any is good."""
    if found is None:
        return Quality.GOOD
    if isinstance(found, c104.BinaryCounterQuality):  # carry and adjusted are no faults
        return Quality.BAD if found.value & _INVALID else Quality.GOOD
    if found.value & _INVALID:
        return Quality.BAD
    return Quality.UNCERTAIN if found.value & _DOUBTFUL else Quality.GOOD


def _number(value: object) -> float:
    """Value as a number; NaN where it is none."""
    if isinstance(value, c104.Double):
        return _DOUBLE.get(value, math.nan)
    if isinstance(value, bool | int | float | c104.Int7 | c104.Int16 | c104.NormalizedFloat):
        return float(value)  # type: ignore[arg-type]  # the stubs leave __float__ out
    return math.nan


def _instant_ms(stamp: datetime, zone: ZoneInfo) -> int:
    """The library takes the station's time for UTC, and gives it as naive local time [ms]."""
    sent = stamp.astimezone(UTC)
    return to_ms(sent.replace(tzinfo=zone))
