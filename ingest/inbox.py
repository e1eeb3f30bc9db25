"""What the network threads leave for the intake, bounded in bytes."""

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, NamedTuple

from ingest.names import TagNames

_MESSAGE_BYTES: Final = 200


class Message(NamedTuple):
    """A message off the wire. ``receipt`` is called once it need not come again."""

    topic: str
    payload: bytes
    received_ms: int
    retained: bool = False
    receipt: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True)
class Connected:
    """The connection that left the will of ``will_ms`` is up."""

    will_ms: int


@dataclass(frozen=True, slots=True)
class Disconnected:
    """The connection is gone."""


@dataclass(frozen=True, slots=True)
class Renamed:
    """The plant was stored anew: these are its names now."""

    names: TagNames


Arrival = Message | Connected | Disconnected | Renamed


class Inbox:
    """First in, first out. A full inbox makes the network thread wait, and so the broker.

    That lasts as long as decoding takes: the intake never waits for the database.
    """

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._arrivals: deque[Arrival] = deque()
        self._changed = threading.Condition()
        self._closed = False
        self.size = 0

    def put(self, arrival: Arrival) -> None:
        """Leave *arrival*; waits while the inbox is full, and drops it when that is closed."""
        with self._changed:
            while self.size >= self._most_bytes and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            self._arrivals.append(arrival)
            self.size += _cost(arrival)
            if len(self._arrivals) == 1:
                self._changed.notify_all()

    def take(self, timeout_s: float) -> deque[Arrival]:
        """All that is there, at the latest after *timeout_s*."""
        with self._changed:
            if not self._arrivals:
                self._changed.wait(timeout_s)
            taken, self._arrivals = self._arrivals, deque()
            self.size = 0
            self._changed.notify_all()
            return taken

    def close(self) -> None:
        """Take nothing more: what comes now was never received."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


def _cost(arrival: Arrival) -> int:
    return _MESSAGE_BYTES + (len(arrival.payload) if isinstance(arrival, Message) else 0)
