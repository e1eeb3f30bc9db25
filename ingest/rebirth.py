"""When to ask which node for its births.

A rebirth costs the node all its births, so a host that has just started must not ask the whole
plant at once: requests are spread at start, limited for all nodes together, spaced for each node,
and there is never more than one pending.
"""

from collections.abc import Callable
from dataclasses import dataclass

from ingest.event import Publish, Source
from schemas.sparkplug import payload as codec
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import REBIRTH
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from schemas.sparkplug.topic import MessageType, Topic


@dataclass(frozen=True, slots=True)
class RebirthPolicy:
    """How often births may be asked for [ms]."""

    answer_ms: int = 10_000
    """A request not answered within this is given up; the next trigger asks again."""
    spacing_ms: int = 50
    """Between two requests to any nodes."""
    jitter_ms: int = 3_000
    """Requests at start are spread over this."""


class RebirthRequests:
    """The requests that are wanted and those that wait for an answer."""

    def __init__(self, policy: RebirthPolicy, random: Callable[[], float]) -> None:
        self._policy = policy
        self._random = random
        self._wanted: dict[Source, int] = {}
        self._pending: dict[Source, int] = {}
        self._next_ms = 0

    def want(self, node: Source, now_ms: int, *, spread: bool = False) -> None:
        """Ask *node* as soon as the limits allow; once, however often it is wanted."""
        sent_ms = self._pending.get(node)
        if sent_ms is not None and now_ms - sent_ms < self._policy.answer_ms:
            return
        delay = int(self._random() * self._policy.jitter_ms) if spread else 0
        self._wanted.setdefault(node, now_ms + delay)

    def answered(self, node: Source) -> None:
        """The births of *node* came, or it died: nothing to ask."""
        self._wanted.pop(node, None)
        self._pending.pop(node, None)

    def forget(self) -> None:
        """The connection is gone, and what was asked with it."""
        self._wanted.clear()
        self._pending.clear()

    def due(self, now_ms: int) -> Source | None:
        """The node to ask now, if any; call again until None."""
        if now_ms < self._next_ms or not self._wanted:
            return None
        node = min(self._wanted, key=self._wanted.__getitem__)
        if self._wanted[node] > now_ms:
            return None
        del self._wanted[node]
        self._pending[node] = now_ms
        self._next_ms = now_ms + self._policy.spacing_ms
        return node


def rebirth_request(node: Source, now_ms: int) -> Publish:
    """NCMD without seq, QoS 0, not retained (tck-id-operational-behavior-data-commands-ncmd-*)."""
    wanted = codec.metric(value=True, datatype=DataType.BOOLEAN, ts_ms=now_ms, name=REBIRTH)
    message = Payload(timestamp=now_ms, metrics=[wanted])
    topic = Topic(node.group, MessageType.NCMD, node.node)
    return Publish(str(topic), message.SerializeToString())
