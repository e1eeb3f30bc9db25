"""What can be told of one Sparkplug message alone, whatever went before it.

Each finding is the id of the statement of Sparkplug 3.0 that the message breaks, without the
prefix ``tck-id-``, and what was found.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from schemas.errors import PayloadError
from schemas.quality import SPARKPLUG_QUALITIES
from schemas.sparkplug.datatype import DataType, text
from schemas.sparkplug.node import BD_SEQ, REBIRTH
from schemas.sparkplug.payload import QUALITY_KEY
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType

Finding = tuple[str, str]

BIRTHS: Final = frozenset({MessageType.NBIRTH, MessageType.DBIRTH})
DATA: Final = frozenset({MessageType.NDATA, MessageType.DDATA})
COMMANDS: Final = frozenset({MessageType.NCMD, MessageType.DCMD})
#: The types that take part in a node's count.
SEQUENCED: Final = BIRTHS | DATA | {MessageType.DDEATH}

#: QoS, and the statements on QoS and retain, by type.
_DELIVERY: Final = {
    MessageType.NBIRTH: (0, "payloads-nbirth-qos", "payloads-nbirth-retain"),
    MessageType.DBIRTH: (0, "payloads-dbirth-qos", "payloads-dbirth-retain"),
    MessageType.NDATA: (0, "payloads-ndata-qos", "payloads-ndata-retain"),
    MessageType.DDATA: (0, "payloads-ddata-qos", "payloads-ddata-retain"),
    MessageType.DDEATH: (0, "topics-ddeath-mqtt", "topics-ddeath-mqtt"),
    MessageType.NDEATH: (
        1,
        "payloads-ndeath-will-message-qos",
        "payloads-ndeath-will-message-retain",
    ),
    MessageType.NCMD: (0, "payloads-ncmd-qos", "payloads-ncmd-retain"),
    MessageType.DCMD: (0, "payloads-dcmd-qos", "payloads-dcmd-retain"),
}


def inspect_delivery(kind: MessageType, qos: int | None, *, retained: bool) -> Iterator[Finding]:
    """QoS, where it is known, and retain flag."""
    wanted, qos_rule, retain_rule = _DELIVERY[kind]
    if qos not in (None, wanted):
        yield qos_rule, f"QoS {qos} where {wanted} is asked for"
    if retained:
        yield retain_rule, "retained"


def inspect_payload(kind: MessageType, payload: Payload) -> Iterator[Finding]:
    """Time, seq, and every metric."""
    word = kind.lower()
    if not payload.HasField("timestamp") and kind is not MessageType.NDEATH:
        yield f"payloads-{word}-timestamp", "no timestamp"
    if kind in SEQUENCED:
        if not payload.HasField("seq"):
            yield "payloads-sequence-num-always-included", "no seq"
        elif payload.seq > 255:
            yield "payloads-sequence-num-always-included", f"seq {payload.seq}"
    elif payload.HasField("seq"):
        yield f"payloads-{word}-seq", f"seq {payload.seq}"
    if kind is MessageType.NBIRTH:
        yield from _inspect_node_birth(payload)
    if kind is MessageType.NDEATH and [m.name for m in payload.metrics] != [BD_SEQ]:
        yield "topics-ndeath-payload", f"{len(payload.metrics)} metrics where bdSeq alone belongs"
    for metric in payload.metrics:
        yield from _inspect_metric(kind, metric)
    if kind in DATA:
        yield from _inspect_order(kind, payload)


def inspect_state(payload: bytes, qos: int | None) -> Iterator[Finding]:
    """A STATE: its words, and its QoS where that is known."""
    try:
        HostState.decode(payload)
    except PayloadError as error:
        yield "payloads-state-birth-payload", str(error)
    if qos not in (None, 1):
        yield "host-topic-phid-birth-qos", f"QoS {qos} where 1 is asked for"


def label(metric: Metric) -> str:
    """How a metric is called in a finding."""
    return text(metric.name) if metric.HasField("name") else f"alias {metric.alias}"


def _inspect_node_birth(payload: Payload) -> Iterator[Finding]:
    if payload.seq != 0:
        yield "topics-nbirth-seq-num", f"seq {payload.seq} where an NBIRTH has 0"
    named = {metric.name: metric for metric in payload.metrics}
    bd_seq, rebirth = named.get(BD_SEQ), named.get(REBIRTH)
    if bd_seq is None:
        yield "topics-nbirth-bdseq-included", "no bdSeq"
    elif bd_seq.datatype != DataType.INT64 or bd_seq.long_value > 255:
        yield "payloads-nbirth-bdseq", f"bdSeq {bd_seq.long_value} of type {bd_seq.datatype}"
    if rebirth is None:
        yield "topics-nbirth-rebirth-metric", f"no {REBIRTH}"
    elif rebirth.datatype != DataType.BOOLEAN or rebirth.boolean_value:
        yield "payloads-nbirth-rebirth-req", f"{REBIRTH} is not Boolean false"
    elif rebirth.HasField("alias"):
        yield "operational-behavior-data-commands-rebirth-name-aliases", f"alias {rebirth.alias}"


def _inspect_metric(kind: MessageType, metric: Metric) -> Iterator[Finding]:
    name = label(metric)
    if not metric.name and not metric.HasField("alias"):
        yield "payloads-name-requirement", "a metric with neither name nor alias"
    if kind in BIRTHS | DATA and not metric.HasField("timestamp"):
        yield "payloads-name-birth-data-requirement", f"{name} has no timestamp"
    if kind in BIRTHS:
        if not metric.name:
            yield "payloads-alias-birth-requirement", f"{name} has no name"
        if metric.datatype not in set(DataType) - {DataType.UNKNOWN}:
            yield "payloads-metric-datatype-req", f"{name} has datatype {metric.datatype}"
        if metric.is_null is (metric.WhichOneof("value") is not None):
            rule = f"operational-behavior-data-publish-{kind.lower()}-values"
            yield rule, f"{name} has neither a value nor is_null, or both"
    if kind in DATA and metric.HasField("datatype"):
        yield "payloads-metric-datatype-not-req", f"{name} has a datatype"
    if metric.HasField("properties"):
        yield from _inspect_properties(name, metric)


def _inspect_properties(name: str, metric: Metric) -> Iterator[Finding]:
    keys, values = metric.properties.keys, metric.properties.values
    if len(keys) != len(values):
        rule = "payloads-propertyset-keys-array-size"
        yield rule, f"{name} has {len(keys)} keys and {len(values)} values"
    for key, value in zip(keys, values, strict=False):
        if not value.HasField("type"):
            yield "payloads-metric-propertyvalue-type-req", f"property {key} of {name} has no type"
        if key != QUALITY_KEY:
            continue
        if value.type != DataType.INT32:
            rule = "payloads-propertyset-quality-value-type"
            yield rule, f"Quality of {name} is of type {value.type}"
        if value.int_value not in SPARKPLUG_QUALITIES:
            rule = "payloads-propertyset-quality-value-value"
            yield rule, f"Quality of {name} is {value.int_value}"


def _inspect_order(kind: MessageType, payload: Payload) -> Iterator[Finding]:
    times = [metric.timestamp for metric in payload.metrics if not metric.is_historical]
    if any(later < earlier for earlier, later in pairwise(times)):
        birth = "nbirth" if kind is MessageType.NDATA else "dbirth"
        rule = f"operational-behavior-data-publish-{birth}-order"
        yield rule, "current values are not in the order of time"
