"""Dead letters: what arrived and could not be used, with the reason, so that nothing vanishes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload

_LONGEST_TEXT: Final = 1000


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of ``dead_letter``. ``reason`` is a short fixed word, counted under that name."""

    received_ms: int
    topic: str
    payload: bytes
    reason: str
    detail: str
    readings: int

    def __post_init__(self) -> None:
        # PostgreSQL stores no U+0000 in a text, and a name may be as long as a payload.
        object.__setattr__(self, "topic", _storable(self.topic))
        object.__setattr__(self, "detail", _storable(self.detail))

    @property
    def size(self) -> int:
        """What it costs to keep in memory [bytes]."""
        return len(self.payload) + len(self.detail) + 200


def _storable(text: str) -> str:
    cut = text if len(text) <= _LONGEST_TEXT else text[:_LONGEST_TEXT] + " ..."
    return cut.replace("\0", "\\0")


@dataclass(frozen=True, slots=True)
class Fault:
    """The readings of one message that break the same rule, by their place in the message."""

    reason: str
    detail: str
    places: Sequence[int]


@dataclass(frozen=True, slots=True)
class Named:
    """A metric with what its birth says of it; both None where no birth names it."""

    metric: Metric
    name: str | None
    datatype: int | None


def excerpt(payload: Payload, metrics: Iterable[Named]) -> bytes:
    """A payload of some metrics of *payload*, with names and types so that it reads alone."""
    parts = []
    for named in metrics:
        part = Metric()
        part.CopyFrom(named.metric)
        if named.name is not None:
            part.name = named.name
        if named.datatype is not None:
            part.datatype = named.datatype
        parts.append(part)
    return Payload(timestamp=payload.timestamp, metrics=parts).SerializeToString()
