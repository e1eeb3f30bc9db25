"""Readings as columns: the form in which they go from the message to the database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.letter import Letter


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings, one place in every column each.

    ``tag_id`` int32; ``ts_ms`` int64, UTC [ms]; ``value`` float64 [unit of the tag], NaN where
    ``null``; ``quality`` int16, OPC; ``place`` int32, where it stood in its message.
    """

    tag_id: NDArray[np.int32]
    ts_ms: NDArray[np.int64]
    value: NDArray[np.float64]
    null: NDArray[np.bool_]
    quality: NDArray[np.int16]
    place: NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.tag_id)

    def pick(self, which: NDArray[np.bool_] | slice) -> "Columns":
        """The readings that *which* selects, in order."""
        return Columns(
            self.tag_id[which],
            self.ts_ms[which],
            self.value[which],
            self.null[which],
            self.quality[which],
            self.place[which],
        )


def empty_columns() -> Columns:
    """No readings."""
    return Columns(
        np.empty(0, np.int32),
        np.empty(0, np.int64),
        np.empty(0, np.float64),
        np.empty(0, np.bool_),
        np.empty(0, np.int16),
        np.empty(0, np.int32),
    )


@dataclass(frozen=True, slots=True)
class TextReading:
    """A reading that is text (None where the source gave none) and its place in the message."""

    tag_id: int
    ts_ms: int
    value: str | None
    quality: int
    place: int = 0


@dataclass(slots=True)
class Frame:
    """One message, decoded: what can be stored, what cannot, and its place in a spool.

    ``received`` counts the readings that it held; each is in ``columns``, ``texts`` or ``letters``.
    """

    received: int
    columns: Columns = field(default_factory=empty_columns)
    texts: Sequence[TextReading] = ()
    letters: list[Letter] = field(default_factory=list)
    position: int | None = None
    unknown_alias: bool = False
    historical: bool = False
