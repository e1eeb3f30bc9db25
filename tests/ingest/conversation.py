"""An edge node's side of a conversation with a `HostSession`, as bytes."""

from collections.abc import Sequence

from ingest.event import Event
from ingest.session import HostSession, SessionPolicy
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

GROUP = "pavlodar"
NODE = "potline-1"
DEVICE = "plc"
POSITION_ALIAS = 900


def topic(kind: str, device: str | None = None) -> str:
    """A topic of the node, or of a device of it."""
    head = f"spBv1.0/{GROUP}/{kind}/{NODE}"
    return head if device is None else f"{head}/{device}"


def node_birth(
    *,
    bd_seq: int = 0,
    seq: int = 0,
    spool: str | None = None,
    first: int = 1,
    metrics: Sequence[Metric] = (),
) -> bytes:
    """An NBIRTH; of a spooling node where *spool* names one."""
    own = [
        metric(bd_seq, DataType.INT64, 1, name=BD_SEQ),
        metric(value=False, datatype=DataType.BOOLEAN, ts_ms=1, name=REBIRTH),
    ]
    if spool is not None:
        own += [
            metric(0, DataType.UINT64, 1, name=COMMIT_THROUGH),
            metric(spool, DataType.STRING, 1, name=SPOOL_ID),
            metric(first, DataType.UINT64, 1, name=SPOOL_FIRST),
        ]
    return Payload(timestamp=1, seq=seq, metrics=[*own, *metrics]).SerializeToString()


def birth_metric(name: str, alias: int | None, datatype: DataType = DataType.DOUBLE) -> Metric:
    """A declaration without a value."""
    return metric(None, datatype, 1, name=name, alias=alias)


def device_birth(*metrics: Metric, seq: int = 1) -> bytes:
    """A DBIRTH with the spool's position metric beside *metrics*."""
    position = metric(0, DataType.UINT64, 1, name=SPOOL_POSITION, alias=POSITION_ALIAS)
    return Payload(timestamp=1, seq=seq, metrics=[*metrics, position]).SerializeToString()


def data(*metrics: Metric, seq: int, position: int | None = None, ts_ms: int = 1) -> bytes:
    """NDATA or DDATA."""
    parts = list(metrics)
    if position is not None:
        parts.append(metric(position, DataType.UINT64, ts_ms, alias=POSITION_ALIAS))
    return Payload(timestamp=ts_ms, seq=seq, metrics=parts).SerializeToString()


def death(bd_seq: int) -> bytes:
    """An NDEATH."""
    return Payload(
        timestamp=1, metrics=[metric(bd_seq, DataType.INT64, 1, name=BD_SEQ)]
    ).SerializeToString()


class Conversation:
    """A host session that hears one node; the clock is a number."""

    def __init__(self, policy: SessionPolicy | None = None) -> None:
        self.host = HostSession("ertis", [GROUP], policy or SessionPolicy(), lambda: 0.5)
        self.now_ms = 1_000_000

    def hear(self, kind: str, payload: bytes, device: str | None = None) -> list[Event]:
        """The node sends."""
        return self.host.receive(topic(kind, device), payload, self.now_ms)

    def wait(self, ms: int) -> list[Event]:
        """Time passes."""
        self.now_ms += ms
        return self.host.tick(self.now_ms)

    def live(self, *, spool: str | None = None) -> None:
        """Bring the node and its device to life; seq stands at 1."""
        self.hear("NBIRTH", node_birth(spool=spool))
        self.hear("DBIRTH", device_birth(birth_metric("voltage", 1)), DEVICE)
