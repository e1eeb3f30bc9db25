"""Readings that cannot be true are taken out, with the rule that they break; none is changed."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from ingest.frame import Columns, Frame, TextReading
from ingest.letter import Fault, Letter


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which times a reading may lie, UTC [ms], ends included."""

    earliest_ms: int
    latest_ms: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """The readings that break one rule, by their place in the message."""

    rule: str
    detail: str
    places: NDArray[np.int32]


@dataclass(frozen=True, slots=True)
class Screened:
    """Every reading of a message: accepted, or rejected under one rule."""

    accepted: Columns
    rejected: tuple[Rejected, ...] = ()


_DETAILS: Final = {
    "not_finite": "NaN or infinite; send null with quality bad where there is no value",
    "future": "its time is after {latest_ms} ms UTC; set the source's clock",
    "null_character": "U+0000, which PostgreSQL cannot store in a text",
    "past": "its time is before {earliest_ms} ms UTC; set the source's clock",
}


def screen(columns: Columns, bounds: Bounds) -> Screened:
    """Sort *columns* into accepted and rejected; the first rule that is broken counts."""
    good = np.isfinite(columns.value) | columns.null
    good &= (columns.ts_ms <= bounds.latest_ms) & (columns.ts_ms >= bounds.earliest_ms)
    if good.all():
        return Screened(columns)
    return Screened(columns.pick(good), tuple(_rejects(columns, bounds)))


def sift(frame: Frame, bounds: Bounds, write: Callable[[Fault], Letter]) -> None:
    """Move what cannot be true out of *frame* into its letters, which *write* makes."""
    screened = screen(frame.columns, bounds)
    if not screened.rejected and not frame.texts:
        return
    frame.columns = screened.accepted
    faults = [
        Fault(rejected.rule, rejected.detail, rejected.places.tolist())
        for rejected in screened.rejected
    ]
    faults += [
        Fault(rule, _detail(rule, bounds), [text.place])
        for text in frame.texts
        if (rule := _text_rule(text, bounds)) is not None
    ]
    frame.texts = [text for text in frame.texts if _text_rule(text, bounds) is None]
    frame.letters += map(write, faults)


def _text_rule(text: TextReading, bounds: Bounds) -> str | None:
    """The rule that a text breaks, if any."""
    if text.ts_ms > bounds.latest_ms:
        return "future"
    if text.ts_ms < bounds.earliest_ms:
        return "past"
    if text.value is not None and "\0" in text.value:
        return "null_character"
    return None


def _rejects(columns: Columns, bounds: Bounds) -> Iterator[Rejected]:
    left = np.ones(len(columns), np.bool_)
    for rule, broken in (
        ("not_finite", ~(np.isfinite(columns.value) | columns.null)),
        ("future", columns.ts_ms > bounds.latest_ms),
        ("past", columns.ts_ms < bounds.earliest_ms),
    ):
        found = broken & left
        if found.any():
            yield Rejected(rule, _detail(rule, bounds), columns.place[found])
            left &= ~found


def _detail(rule: str, bounds: Bounds) -> str:
    return _DETAILS[rule].format(latest_ms=bounds.latest_ms, earliest_ms=bounds.earliest_ms)
