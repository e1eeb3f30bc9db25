"""Whether the messages of a node come complete: ``seq`` counts 0 to 255 over all its verbs.

Source: tck-id-payloads-sequence-num-incrementing and tck-id-operational-behavior-host-reordering-*.
MQTT keeps order per topic only and a node speaks on many, so a message may overtake another: a hole
is waited for before anything is called missing.
"""

from enum import Enum, auto


class Arrival(Enum):
    """How a message stands in its node's sequence."""

    IN_ORDER = auto()
    AHEAD = auto()
    """One or more before it have not come yet."""
    FILLED = auto()
    """It was the last one waited for."""
    REPEATED = auto()
    """It has been seen, or it is too old to tell."""


class Order:
    """The sequence of one node since its NBIRTH."""

    def __init__(self, birth_seq: int, now_ms: int) -> None:
        self._expected = (birth_seq + 1) % 256
        self._ahead: set[int] = set()
        self.waiting_since_ms: int | None = None
        self.last_ms = now_ms

    def see(self, seq: int, now_ms: int) -> Arrival:
        """Take note of a message with *seq* that came at *now_ms*."""
        distance = (seq - self._expected) % 256
        if distance >= 128 or seq in self._ahead:
            return Arrival.REPEATED
        if distance:
            self._ahead.add(seq)
            if self.waiting_since_ms is None:
                self.waiting_since_ms = now_ms
            return Arrival.AHEAD
        self._advance()
        if self.waiting_since_ms is None:
            self.last_ms = now_ms
            return Arrival.IN_ORDER
        if self._ahead:
            return Arrival.AHEAD
        self.waiting_since_ms = None
        self.last_ms = now_ms
        return Arrival.FILLED

    def give_up(self, now_ms: int) -> None:
        """Stop waiting: go on from the newest message that came."""
        newest = max(self._ahead, key=lambda seq: (seq - self._expected) % 256)
        self._expected = (newest + 1) % 256
        self._ahead.clear()
        self.waiting_since_ms = None
        self.last_ms = now_ms

    def _advance(self) -> None:
        self._expected = (self._expected + 1) % 256
        while self._expected in self._ahead:
            self._ahead.remove(self._expected)
            self._expected = (self._expected + 1) % 256
