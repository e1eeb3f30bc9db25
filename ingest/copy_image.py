"""What COPY ... FROM STDIN (FORMAT BINARY) reads, made of whole columns.

Source: PostgreSQL manual, COPY, "Binary Format": per row a field count (int16), per field its
length (int32, -1 for null) and its bytes, all big-endian.
"""

import struct
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_TRAILER: Final = struct.pack(">h", -1)
_INT4_OID: Final = 23
#: timestamptz counts microseconds since 2000.
_PG_EPOCH_MS: Final = 946_684_800_000


def timestamps(ms: NDArray[np.int64]) -> NDArray[np.int64]:
    """UTC [ms] since 1970 as timestamptz."""
    return (ms - _PG_EPOCH_MS) * 1000


def image(columns: Iterable[NDArray[Any]], nulls: dict[int, NDArray[np.bool_]]) -> bytes:
    """The rows of *columns* (int2, int4, int8, float8); *nulls* says by column where it is null."""
    arrays = list(columns)
    count = len(arrays[0])
    fields = [("fields", ">i2")]
    for place, column in enumerate(arrays):
        fields += [
            (f"length_{place}", ">i4"),
            (f"value_{place}", column.dtype.newbyteorder(">").str),
        ]
    rows = np.empty(count, np.dtype(fields))
    rows["fields"] = len(arrays)
    for place, column in enumerate(arrays):
        rows[f"length_{place}"] = column.dtype.itemsize
        rows[f"value_{place}"] = column
    masks = {place: null for place, null in nulls.items() if null.any()}
    if not masks:
        return b"".join((_HEADER, rows.tobytes(), _TRAILER))
    kept = np.ones((count, rows.dtype.itemsize), np.bool_)
    for place, null in masks.items():
        rows[f"length_{place}"][null] = -1
        offset = rows.dtype.fields[f"value_{place}"][1] if rows.dtype.fields else 0
        kept[null, offset : offset + arrays[place].dtype.itemsize] = False
    body: NDArray[np.uint8] = rows.view(np.uint8).reshape(count, -1)[kept]
    return b"".join((_HEADER, body.tobytes(), _TRAILER))


def array_image(rows: Iterable[tuple[int, NDArray[np.int32]]]) -> bytes:
    """Rows of (timestamptz of UTC [ms], int4[]): few rows, long arrays."""
    parts = [_HEADER]
    for ms, numbers in rows:
        items = np.empty(len(numbers), np.dtype([("length", ">i4"), ("value", ">i4")]))
        items["length"] = 4
        items["value"] = numbers
        array = struct.pack(">iiiii", 1, 0, _INT4_OID, len(numbers), 1) + items.tobytes()
        parts.append(struct.pack(">hiqi", 2, 8, (ms - _PG_EPOCH_MS) * 1000, len(array)))
        parts.append(array)
    parts.append(_TRAILER)
    return b"".join(parts)
