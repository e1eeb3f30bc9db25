"""The certificates of a node: what its births declare and what its deaths say.

Source: Sparkplug 3.0, chapters 4 (topics) and 6 (payloads). Every metric has an alias but bdSeq, by
which a host finds its way before it knows any alias, and Rebirth, which must not have one
(tck-id-operational-behavior-data-commands-rebirth-name-aliases).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from edge.frame import DATATYPE
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
