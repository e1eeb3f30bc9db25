"""Frames: readings of one device under one spool position, as they go over the wire.

A frame is kept as an encoded `Payload` that has metrics and nothing else. Protobuf messages join by
concatenation, so a live message is a header (timestamp and seq) with the frame behind it: what was
encoded for the disk is not encoded again for the wire.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final

from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload

#: Readings in a frame at the most: 500 Doubles are some 12 kB, far below any broker's limit.
FRAME_READINGS: Final = 500

#: Ertis sends every measured value as Double: an integer up to 2^53 is exact in it.
DATATYPE: Final = DataType.DOUBLE


@dataclass(frozen=True, slots=True)
class Frame:
    """Readings of ``device`` (empty: of the node itself) under one ``position``."""

    position: int
    device: str
    readings: int
    body: bytes


def encode(readings: Sequence[Reading], aliases: Mapping[str, int]) -> Payload:
    """The readings as metrics in the order of time.

    That order is tck-id-operational-behavior-data-publish-dbirth-order. Of two readings of one
    instant the later one stays behind the other: it is the one that counts.
    """
    return Payload(
        metrics=[
            metric(
                reading.value,
                DATATYPE,
                reading.ts_ms,
                alias=aliases[reading.tag],
                quality=reading.quality,
            )
            for reading in sorted(readings, key=lambda reading: reading.ts_ms)
        ]
    )


def seal(payload: Payload, position: int, position_alias: int) -> bytes:
    """The body of a frame: its metrics, and its position as a transient metric behind them."""
    made = metric(position, DataType.UINT64, payload.metrics[-1].timestamp, alias=position_alias)
    made.is_transient = True
    payload.metrics.append(made)
    return payload.SerializeToString()


def live(frame: Frame, header: Payload) -> bytes:
    """The message that carries *frame* as it happens."""
    return header.SerializeToString() + frame.body


def historical(frame: Frame, header: Payload) -> bytes:
    """The message that carries *frame* later: no value in it is current any more."""
    body = Payload.FromString(frame.body)
    for each in body.metrics:
        each.is_historical = True
    return header.SerializeToString() + body.SerializeToString()


def chunks(readings: Iterable[Reading]) -> Iterable[list[Reading]]:
    """The readings in lots that fit a frame."""
    rest = iter(readings)
    while chunk := list(islice(rest, FRAME_READINGS)):
        yield chunk


def last_values(readings: Iterable[Reading], known: dict[str, Reading]) -> None:
    """Keep in *known* the newest reading of each tag, for the births to come."""
    for reading in readings:
        last = known.get(reading.tag)
        if last is None or last.ts_ms <= reading.ts_ms:
            known[reading.tag] = reading
