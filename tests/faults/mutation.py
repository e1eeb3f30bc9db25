"""Payloads that are almost right: valid messages of strangers, changed by chance."""

import json
import random
from collections.abc import Iterator
from typing import Final

from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from tests.faults.load import GROUP, STRANGER

Message = tuple[str, bytes]
_GIANT_BYTES: Final = 300_000
_MEASURES: Final = ("level", "flow", "volume", "running", "tapped")


def valid(now_ms: int) -> list[Message]:
    """A foreign node, a node that claims to have a spool, and a JSON device."""
    head = f"spBv1.0/{GROUP}"
    foreign = [
        metric(float(place), DataType.DOUBLE, now_ms, name=name, alias=place)
        for place, name in enumerate(_MEASURES, 1)
    ]
    own = [metric(0, DataType.INT64, now_ms, name=BD_SEQ)]
    spool = [
        metric(0, DataType.UINT64, now_ms, name=COMMIT_THROUGH, alias=90),
        metric("5f0c", DataType.STRING, now_ms, name=SPOOL_ID, alias=91),
        metric(1, DataType.UINT64, now_ms, name=SPOOL_FIRST, alias=92),
    ]
    position = metric(0, DataType.UINT64, now_ms, name=SPOOL_POSITION, alias=93)
    named = [
        metric(None, DataType.DOUBLE, now_ms, name=f"{STRANGER}/{name}", alias=place)
        for place, name in enumerate(_MEASURES, 1)
    ]
    values = [
        metric(float(place), DataType.DOUBLE, now_ms, alias=place, quality=64)
        for place in range(1, 6)
    ]
    at = [metric(1, DataType.UINT64, now_ms, alias=93)]
    json_values = {name: {"value": 1.5, "quality": 192} for name in _MEASURES}
    return [
        (f"{head}/NBIRTH/stranger", _payload(now_ms, 0, own + foreign)),
        (f"{head}/NDATA/stranger", _payload(now_ms, 1, values)),
        (f"{head}/NDEATH/stranger", Payload(timestamp=now_ms, metrics=own).SerializeToString()),
        (f"{head}/NBIRTH/imposter", _payload(now_ms, 0, own + spool)),
        (f"{head}/DBIRTH/imposter/plc", _payload(now_ms, 1, [*named, position])),
        (f"{head}/DDATA/imposter/plc", _payload(now_ms, 2, values + at)),
        (f"telemetry/{STRANGER}", json.dumps({"ts": now_ms, "values": json_values}).encode()),
        (
            f"telemetry/{STRANGER}",
            json.dumps(
                {"readings": [{"ts": "2026-11-21T10:00:00Z", "values": {"level": 1}}]}
            ).encode(),
        ),
    ]


def mutated(count: int, now_ms: int, seed: int) -> Iterator[Message]:
    """*count* messages; one in ten is valid, so that births make sense of what follows them."""
    chance = random.Random(seed)  # noqa: S311 - a fault, not a secret
    known = valid(now_ms)
    for _ in range(count):
        topic, payload = chance.choice(known)
        match chance.randrange(10):
            case 0:
                yield topic, payload
            case 1:
                yield _elsewhere(topic, chance), payload
            case 2:
                yield topic, _giant(payload, chance)
            case _:
                yield topic, _changed(payload, chance.choice(known)[1], chance)


def _payload(now_ms: int, seq: int, metrics: list[Metric]) -> bytes:
    return Payload(timestamp=now_ms, seq=seq, metrics=metrics).SerializeToString()


def _changed(payload: bytes, other: bytes, chance: random.Random) -> bytes:
    """Bits flipped, a part lost, a part repeated, noise put in, or the end of another message."""
    at = chance.randrange(len(payload))
    end = chance.randint(at, len(payload))
    match chance.randrange(5):
        case 0:
            flipped = bytearray(payload)
            for _ in range(chance.randint(1, 8)):
                flipped[chance.randrange(len(flipped))] ^= 1 << chance.randrange(8)
            return bytes(flipped)
        case 1:
            return payload[:at] + payload[end:]
        case 2:
            return payload[:end] + payload[at:]
        case 3:
            return payload[:at] + chance.randbytes(chance.randint(1, 20)) + payload[at:]
        case _:
            return payload[:at] + other[chance.randrange(len(other)) :]


def _giant(payload: bytes, chance: random.Random) -> bytes:
    """One in twenty of these is really huge, the others are many times themselves."""
    if chance.randrange(20) == 0:
        return payload + bytes(_GIANT_BYTES)
    return payload * chance.randint(2, 20)


def _elsewhere(topic: str, chance: random.Random) -> str:
    """Another word for one level of the topic, which stays below our two prefixes."""
    levels = topic.split("/")
    place = chance.randrange(2 if topic.startswith("spBv1.0") else 1, len(levels))
    levels[place] = chance.choice(
        ["", "NDATA", "DBIRTH", "NCMD", "STATE", "x" * 2000, "\N{SNOWMAN}", "unit-1", "stranger"]
    )
    return "/".join(levels)
