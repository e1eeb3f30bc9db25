"""Between intake and writer: one batch fills while another is written."""

import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from ingest.event import Died, Source, Spool
from ingest.frame import Columns, TextReading
from ingest.letter import Letter
from ingest.positions import Ranges

_ROW_BYTES: Final = 40
_TEXT_BYTES: Final = 200


@dataclass(frozen=True, slots=True)
class Birth:
    """A node or device that was born; ``dropped`` are spool positions that it gave up."""

    source: Source
    received_ms: int
    at_ms: int
    bd_seq: int | None
    spool: Spool | None
    dropped: Ranges
    tag_ids: list[int]


@dataclass(frozen=True, slots=True)
class Gap:
    """A row of ``gap``: what is missing between two times [ms] or positions (ends included)."""

    source: str
    cause: str
    from_ms: int | None
    to_ms: int | None
    found_ms: int
    first_position: int | None = None
    last_position: int | None = None
    spool_id: str | None = None


@dataclass(frozen=True, slots=True)
class Vital:
    """What changes all the time of an edge node: newest reading and skew [ms], last position."""

    node: Source
    newest_ms: int | None
    last_position: int | None
    skew_ms: int | None = None


@dataclass(slots=True)
class Batch:
    """What one transaction writes.

    Readings and letters are charged to numbered sources; ``readings`` counts both by number.
    ``receipts`` are called after the commit.
    """

    sources: dict[str, int] = field(default_factory=dict)
    columns: list[tuple[int, Columns]] = field(default_factory=list)
    texts: list[tuple[int, TextReading]] = field(default_factory=list)
    letters: list[tuple[int, Letter]] = field(default_factory=list)
    marks: list[Birth | Died] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)
    vitals: list[Vital] = field(default_factory=list)
    positions: dict[Source, tuple[str, Ranges]] = field(default_factory=dict)
    receipts: list[Callable[[], None]] = field(default_factory=list)
    readings: list[int] = field(default_factory=list)
    opened_s: float = 0.0
    oldest_ms: int | None = None
    rows: int = 0
    size: int = 0

    def __bool__(self) -> bool:
        return self.opened_s > 0

    def number(self, source: str) -> int:
        """The number of *source* in this batch."""
        number = self.sources.setdefault(source, len(self.sources))
        if number == len(self.readings):
            self.readings.append(0)
        return number

    def opened(self) -> None:
        """Something was put in: from now on the batch waits to be written."""
        if not self.opened_s:
            self.opened_s = time.monotonic()

    def add_readings(
        self,
        source: str,
        columns: Columns,
        texts: Iterable[TextReading],
        letters: Iterable[Letter],
        received_ms: int,
    ) -> None:
        """The readings of one message, and its dead letters."""
        self.opened()
        number = self.number(source)
        if len(columns):
            self.columns.append((number, columns))
            self.rows += len(columns)
            self.readings[number] += len(columns)
            self.size += len(columns) * _ROW_BYTES
        for text in texts:
            self.texts.append((number, text))
            self.readings[number] += 1
            self.size += _TEXT_BYTES + len(text.value or "")
        for letter in letters:
            self.letters.append((number, letter))
            self.readings[number] += letter.readings
            self.size += letter.size
        if self.oldest_ms is None:
            self.oldest_ms = received_ms

    def add_position(self, node: Source, spool_id: str, position: int) -> None:
        """The spool position of a frame in this batch; a new spool replaces the old one's."""
        self.opened()
        known = self.positions.get(node)
        if known is None or known[0] != spool_id:
            known = self.positions[node] = (spool_id, Ranges())
        known[1].add(position)


class Buffer:
    """The batch that fills, bounded; the writer takes it when it is large or old enough."""

    def __init__(self, *, rows: int, wait_s: float, most_bytes: int) -> None:
        self._rows = rows
        self._wait_s = wait_s
        self._most_bytes = most_bytes
        self._filling = Batch()
        self._changed = threading.Condition()
        self._closed = False

    @property
    def full(self) -> bool:
        """Whether no more readings may be put in until the writer took the batch."""
        return self._filling.size >= self._most_bytes

    @property
    def size(self) -> int:
        """What waits here [bytes]."""
        return self._filling.size

    def put(self, change: Callable[[Batch], object]) -> None:
        """Let *change* put something into the batch that fills."""
        with self._changed:
            waited = bool(self._filling)
            change(self._filling)
            if not waited or self._filling.rows >= self._rows:
                self._changed.notify()

    def take(self) -> Batch | None:
        """The next batch, once it is due; None when the buffer is closed and empty."""
        with self._changed:
            while not self._due():
                if self._closed and not self._filling:
                    return None
                self._changed.wait(self._patience_s())
            batch, self._filling = self._filling, Batch()
            return batch

    def close(self) -> None:
        """No more will be put in: what is there is due at once."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def _due(self) -> bool:
        if not self._filling:
            return False
        return self._closed or self._filling.rows >= self._rows or self._patience_s() == 0.0

    def _patience_s(self) -> float | None:
        if not self._filling:
            return None
        return max(0.0, self._filling.opened_s + self._wait_s - time.monotonic())
