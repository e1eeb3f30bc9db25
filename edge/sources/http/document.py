"""A JSON document, and what stands in it."""

import math
from datetime import datetime
from typing import Final

from edge.sources.http.table import TimeTable, Value
from schemas.instant import to_ms
from schemas.quality import Quality, main_quality
from schemas.reading import Reading

#: Told apart from a null, which stands there.
NOTHING: Final = object()


def resolve(document: object, pointer: str) -> object:
    """What *pointer* (RFC 6901) leads to; `NOTHING` where it leads nowhere."""
    found = document
    for escaped in pointer.split("/")[1:]:
        step = escaped.replace("~1", "/").replace("~0", "~")
        if isinstance(found, dict) and step in found:
            found = found[step]
        elif isinstance(found, list) and _is_index(step) and int(step) < len(found):
            found = found[int(step)]
        else:
            return NOTHING
    return found


def reading(value: Value, document: object, form: str, now_ms: int) -> Reading:
    """The reading of *value*, with the document's time and quality where it has them.

    Bad without a value: no number there, or a time that is none. A number may stand as text.
    """
    number = _number(resolve(document, value.pointer)) * value.scale + value.offset
    ts_ms = now_ms if value.time is None else _instant_ms(resolve(document, value.time), form)
    if ts_ms is None or not math.isfinite(number):
        return Reading(value.path, now_ms if ts_ms is None else ts_ms, None, Quality.BAD)
    quality = Quality.GOOD
    if value.quality is not None:
        code = resolve(document, value.quality)
        quality = main_quality(code) if isinstance(code, int) else Quality.BAD
    return Reading(value.path, ts_ms, number, quality)


def form_of(time: TimeTable | None) -> str:
    """How times are written."""
    return "iso" if time is None else time.form


def _is_index(step: str) -> bool:
    """Digits without a leading zero (RFC 6901, 4)."""
    return step.isascii() and step.isdecimal() and (step == "0" or not step.startswith("0"))


def _number(found: object) -> float:
    """Number, truth value or text of a number; else NaN."""
    if isinstance(found, int | float | str):
        try:
            return float(found)
        except (ValueError, OverflowError):
            return math.nan
    return math.nan


def _instant_ms(found: object, form: str) -> int | None:
    """The time that stands there [ms]; None if it is none, or has no zone."""
    try:
        if form == "iso":
            return to_ms(datetime.fromisoformat(found)) if isinstance(found, str) else None
        number = _number(found) * (1000 if form == "s" else 1)
        return round(number) if math.isfinite(number) else None
    except ValueError:
        return None
