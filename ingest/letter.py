"""Dead letters: what arrived and could not be used, with the reason, so that nothing vanishes."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload


@dataclass(frozen=True, slots=True)
class Letter:
    """One row of ``dead_letter``. ``reason`` is a short fixed word, counted under that name."""

    received_ms: int
    topic: str
    payload: bytes
    reason: str
    detail: str
    readings: int

    @property
    def size(self) -> int:
        """What it costs to keep in memory [bytes]."""
        return len(self.payload) + len(self.detail) + 200


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
