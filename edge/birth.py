"""The certificates of a node: what its births declare and what its deaths say.

Source: Sparkplug 3.0, chapters 4 (topics) and 6 (payloads). Every metric has an alias but bdSeq, by
which a host finds its way before it knows any alias, and Rebirth, which must not have one
(tck-id-operational-behavior-data-commands-rebirth-name-aliases).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Final

from edge.frame import DATATYPE
from schemas.errors import ConfigError
from schemas.quality import Quality
from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    REBIRTH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload


@dataclass(frozen=True, slots=True)
class SpoolFacts:
    """What an NBIRTH tells of the spool: its id and the positions that it can send."""

    id: str
    first: int
    last: int


#: A birth goes out as one message, and one message to the embedded broker may have 1 MiB.
BIRTH_BYTES: Final = 1 << 20
#: Aliases of a spool grow with every tag that it has ever known: five bytes are enough for 2^35.
_LATE_ALIAS: Final = (1 << 35) - 1
_LATE_MS: Final = (1 << 42) - 1
#: What a DBIRTH has beside its tags: time, seq, and the position in the spool.
_ENVELOPE_BYTES: Final = 100

#: What a node declares for itself, beside bdSeq and Rebirth.
NODE_METRICS: Final = (COMMIT_THROUGH, SPOOL_ID, SPOOL_FIRST)


def node_birth(
    header: Payload,
    bd_seq: int,
    spool: SpoolFacts,
    aliases: Mapping[str, int],
    values: Mapping[str, Reading],
) -> bytes:
    """An NBIRTH: *header* has its time and seq; *aliases* may name tags of the node's own."""
    now_ms = header.timestamp

    def own(name: str, value: int | str, datatype: DataType = DataType.UINT64) -> Metric:
        return metric(value, datatype, now_ms, name=name, alias=aliases[name])

    header.metrics.extend(
        [
            metric(bd_seq, DataType.INT64, now_ms, name=BD_SEQ),
            metric(0, DataType.BOOLEAN, now_ms, name=REBIRTH),
            own(COMMIT_THROUGH, spool.first - 1),
            own(SPOOL_ID, spool.id, DataType.STRING),
            own(SPOOL_FIRST, spool.first),
            *_tags({n: a for n, a in aliases.items() if n not in NODE_METRICS}, values, now_ms),
            _position(spool.last, now_ms, aliases),
        ]
    )
    return header.SerializeToString()


def device_birth(
    header: Payload, last: int, aliases: Mapping[str, int], values: Mapping[str, Reading]
) -> bytes:
    """A DBIRTH: every metric of the device with its last value, or null where there is none yet."""
    header.metrics.extend(_tags(aliases, values, header.timestamp))
    header.metrics.append(_position(last, header.timestamp, aliases))
    return header.SerializeToString()


def check_birth(origin: str, device: str, tags: Sequence[str]) -> None:
    """Refuse a *device* whose DBIRTH could be too long for a broker.

    Sparkplug knows no birth in parts, so its tags have to be spread over several devices.

    Raises
    ------
    ConfigError
        It has too many tags; says how many of them fit.
    """
    readings = (Reading(tag, _LATE_MS, 0.0, Quality.UNCERTAIN) for tag in tags)
    sizes = [
        len(Payload(metrics=[_current(each.tag, _LATE_ALIAS, each, 0)]).SerializeToString())
        for each in readings
    ]
    room = BIRTH_BYTES - _ENVELOPE_BYTES
    if sum(sizes) > room:
        fit = sum(total <= room for total in accumulate(sizes))
        raise ConfigError(
            f"{origin}: device {device}",
            f"{len(tags)} tags",
            f"its birth may take {sum(sizes):,} bytes, and a broker takes {BIRTH_BYTES:,} in one "
            f"message: the first {fit} fit; name another device for the rest",
        )


def node_death(bd_seq: int, now_ms: int) -> bytes:
    """An NDEATH: bdSeq alone, and no seq (tck-id-payloads-ndeath-seq)."""
    return Payload(
        timestamp=now_ms, metrics=[metric(bd_seq, DataType.INT64, now_ms, name=BD_SEQ)]
    ).SerializeToString()


def _tags(aliases: Mapping[str, int], values: Mapping[str, Reading], now_ms: int) -> list[Metric]:
    """Every tag with its last value, in the order of time; null where there is none yet."""
    metrics = [
        _current(name, alias, values.get(name), now_ms)
        for name, alias in aliases.items()
        if name != SPOOL_POSITION
    ]
    return sorted(metrics, key=lambda each: each.timestamp)


def _position(last: int, now_ms: int, aliases: Mapping[str, int]) -> Metric:
    made = metric(last, DataType.UINT64, now_ms, name=SPOOL_POSITION, alias=aliases[SPOOL_POSITION])
    made.is_transient = True
    return made


def _current(name: str, alias: int, last: Reading | None, now_ms: int) -> Metric:
    if last is None:
        return metric(None, DATATYPE, now_ms, name=name, alias=alias)
    return metric(last.value, DATATYPE, last.ts_ms, name=name, alias=alias, quality=last.quality)
