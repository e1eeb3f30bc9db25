"""Sparkplug metrics that are laid out alike on the wire, read as arrays.

A device that reports numbers sends metrics that differ in alias, time and value only: alias,
timestamp, ``is_historical`` perhaps, and a double or a float (Sparkplug 3.0 chapter 6, protobuf
fields 2, 3, 5, 12 and 13). Every byte between those is compared with what it has to be, so what is
read here is what protobuf reads; all else is left to it.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_METRIC: Final = 0x12
_ALIAS: Final = 0x10
_TIME: Final = 0x18
_HISTORICAL: Final = 0x28
#: The wire's key of a value: its dtype, and the field of the payload.
_VALUES: Final = {0x69: ("<f8", "double_value"), 0x65: ("<f4", "float_value")}
#: Milliseconds from 1971 to 2109 take six bytes of seven bits.
_TIME_BYTES: Final = 6
_LONGEST_ALIAS: Final = 3
_MOST_ROWS: Final = 512
_MOST_RUNS: Final = 4
# Bits of varints; as arrays, since numpy takes longer to convert a number than to apply it.
_A: Final = np.array([0x7F, 0x7F00, 0x7F0000], np.uint32)
_T: Final = np.array([0x7F007F007F, 0x7F007F007F00, 0x3FFF, 0x3FFF0000, 0x3FFF00000000], np.uint64)
_ONE, _TWO, _FOUR = np.array([1, 2, 4], np.uint8)


@dataclass(frozen=True, slots=True)
class Run:
    """Metrics of one layout: ``alias`` uint32, ``ts_ms`` int64, ``value`` float64.

    ``field`` is the payload's field in which each has its value.
    """

    field: str
    historical: bool
    alias: NDArray[np.uint32]
    ts_ms: NDArray[np.int64]
    value: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Layout:
    """``mask`` tells the bytes that are given, ``given`` what they are, for `_MOST_ROWS` rows."""

    field: str
    historical: bool
    row: np.dtype[np.void]
    alias_bits: np.uint32
    mask: NDArray[np.uint8]
    given: NDArray[np.uint8]

    def read(self, raw: bytes, start: int, most: int) -> Run:
        """The rows of this layout from *start* on, at most *most*."""
        size = self.row.itemsize
        most = min(most, (len(raw) - start) // size, _MOST_ROWS)
        cells = np.frombuffer(raw, np.uint8, most * size, start)
        fits = (cells & self.mask[: most * size]) == self.given[: most * size]
        count = most if fits.all() else int(fits.argmin()) // size
        rows: NDArray[Any] = np.frombuffer(raw, self.row, count, start)
        return Run(
            self.field,
            self.historical,
            _aliases(rows["alias"] & self.alias_bits),
            _times(rows["ts_ms"]),
            rows["value"].astype(np.float64),
        )


def runs(raw: bytes, count: int) -> Iterator[Run]:
    """What *raw*, a payload of *count* metrics, begins with; ends where a layout is unknown."""
    place = 1 + _varint_bytes(raw, 1) if raw[:1] == b"\x08" else 0
    for _ in range(_MOST_RUNS):
        layout = _layout_at(raw, place) if count else None
        if layout is None:
            return
        run = layout.read(raw, place, count)
        if not len(run.alias):
            return
        yield run
        count -= len(run.alias)
        place += len(run.alias) * layout.row.itemsize


def _aliases(wire: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """The numbers of varints of three bytes or fewer."""
    aliases: NDArray[np.uint32] = (
        (wire & _A[0]) | ((wire & _A[1]) >> _ONE) | ((wire & _A[2]) >> _TWO)
    )
    return aliases


def _times(wire: NDArray[np.uint64]) -> NDArray[np.int64]:
    """The numbers of varints of six bytes, with whatever stands in the two after them."""
    pairs = (wire & _T[0]) | ((wire & _T[1]) >> _ONE)
    times: NDArray[np.uint64] = (
        (pairs & _T[2]) | ((pairs & _T[3]) >> _TWO) | ((pairs & _T[4]) >> _FOUR)
    )
    return times.view(np.int64)


def _layout_at(raw: bytes, start: int) -> _Layout | None:
    """The layout of the metric at *start*, as far as its keys tell."""
    if raw[start : start + 1] != b"\x12" or raw[start + 2 : start + 3] != b"\x10":
        return None
    alias = _varint_bytes(raw, start + 3)
    place = start + 4 + alias + _TIME_BYTES
    historical = raw[place : place + 2] == b"\x28\x01"
    key = raw[place + 2 * historical : place + 2 * historical + 1]
    if alias > _LONGEST_ALIAS or not key or key[0] not in _VALUES:
        return None
    return _layout(alias, historical, key[0])


@cache
def _layout(alias: int, historical: bool, key: int) -> _Layout:
    dtype, field = _VALUES[key]
    flag = [_HISTORICAL, 1] if historical else []
    before_time = 4 + alias
    before_value = before_time + _TIME_BYTES + len(flag) + 1
    size = before_value + np.dtype(dtype).itemsize
    row = np.dtype(
        {
            "names": ["alias", "ts_ms", "value"],
            "formats": ["<u4", "<u8", dtype],  # the first two read on into what follows
            "offsets": [3, before_time, before_value],
            "itemsize": size,
        }
    )
    given = [_METRIC, size - 2, _ALIAS, *_marks(alias), _TIME, *_marks(_TIME_BYTES), *flag, key]
    mask = [0xFF] * 3 + [0x80] * alias + [0xFF] + [0x80] * _TIME_BYTES + [0xFF] * (len(flag) + 1)
    value = [0] * (size - before_value)
    return _Layout(
        field,
        historical,
        row,
        np.uint32((1 << 8 * alias) - 1),
        np.tile(np.array(mask + value, np.uint8), _MOST_ROWS),
        np.tile(np.array(given + value, np.uint8), _MOST_ROWS),
    )


def _marks(size: int) -> list[int]:
    """The top bits of a varint: set on all bytes but the last."""
    return [*(size - 1) * [0x80], 0]


def _varint_bytes(raw: bytes, start: int) -> int:
    """How many bytes the varint at *start* has; more than any may have, where it does not end."""
    for place in range(start, min(start + 10, len(raw))):
        if raw[place] < 0x80:
            return place - start + 1
    return 11
