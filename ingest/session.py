"""The host's side of Sparkplug 3.0, without I/O: messages and a time in, events out.

The states of a node and their moves are in `ingest.node`; here messages become triggers and
events. A death counts only if its bdSeq is that of the live birth, for the broker may deliver the
will of an old connection after the birth of the new one; two deaths of one bdSeq are one.

Values that come while births are missing are held, within a byte budget, until the birth that was
asked for: no death lies between, so that birth describes them. If none comes they are dead letters,
or, from a node with a spool, nothing at all: it sends them again.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache

from ingest.certificate import Certificate
from ingest.declaration import bd_seq_of, spool_of
from ingest.event import (
    Born,
    Data,
    Deferred,
    Died,
    Event,
    Missing,
    Publish,
    Source,
    Subscribe,
    Unusable,
)
from ingest.node import ARRIVALS, TRANSITIONS, UNDERSTOOD, Node, NodeState, Trigger
from ingest.order import Arrival, Order
from ingest.rebirth import RebirthPolicy, RebirthRequests, rebirth_request
from schemas.errors import PayloadError, TopicError
from schemas.sparkplug import payload as codec
from schemas.sparkplug.topic import NAMESPACE, MessageType, Topic, state_host


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """The session's times [ms] and bounds [bytes]."""

    reorder_ms: int = 5_000
    hold_ms: int = 15_000
    hold_bytes: int = 16_000_000
    rebirth: RebirthPolicy = field(default_factory=RebirthPolicy)


class HostSession:
    """One host application on one broker. Not thread-safe: one thread owns it."""

    def __init__(
        self,
        host: str,
        groups: Iterable[str],
        policy: SessionPolicy,
        random: Callable[[], float],
    ) -> None:
        self._certificate = Certificate(host)
        self._groups = tuple(groups)
        self._policy = policy
        self._rebirths = RebirthRequests(policy.rebirth, random)
        self._nodes: dict[Source, Node] = {}
        self._held_bytes = 0
        self._handlers: dict[MessageType, Callable[[Node, Data], Iterator[Event]]] = {
            MessageType.NBIRTH: self._node_born,
            MessageType.NDEATH: self._node_died,
            MessageType.NDATA: self._values,
            MessageType.DBIRTH: self._device_born,
            MessageType.DDEATH: self._device_died,
            MessageType.DDATA: self._values,
        }

    def restore(self, source: Source, *, spooling: bool) -> None:
        """Remember a node from before this process: it is asked for births once connected."""
        self._nodes[source] = Node(source, spooling=spooling)

    def state_of(self, source: Source) -> NodeState:
        """The state of the node of *source*."""
        node = self._nodes.get(source.edge_node)
        return NodeState.UNBORN if node is None else node.state

    def is_spooling(self, source: Source) -> bool:
        """Whether the node of *source* sends again what is not committed."""
        node = self._nodes.get(source.edge_node)
        return node is not None and node.spooling

    def will(self, now_ms: int) -> Publish:
        """The will for a CONNECT made at *now_ms*."""
        return self._certificate.will(now_ms)

    def connected(self, will_ms: int, now_ms: int) -> list[Event]:
        """The connection with that will is up: subscribe first, then be born.

        Source: tck-id-message-flow-phid-sparkplug-subscription.
        """
        for source in self._nodes:
            self._rebirths.want(source, now_ms, spread=True)
        return [
            Subscribe(self._certificate.topic, qos=1),
            *(Subscribe(f"{NAMESPACE}/{group}/#", qos=1) for group in self._groups),
            self._certificate.birth(will_ms),
        ]

    def disconnected(self, now_ms: int) -> list[Event]:
        """The connection is gone: births and deaths may be missed from here on."""
        self._certificate.lost()
        self._rebirths.forget()
        dead: list[Event] = []
        for node in self._nodes.values():
            if node.state in UNDERSTOOD:
                dead.append(Died(node.source, now_ms))
            node.state = NodeState.UNBORN
            node.order = None
        return dead

    def leaving(self, now_ms: int) -> Publish:
        """The death certificate to publish before a disconnect on purpose."""
        return self._certificate.death(now_ms)

    def ask_rebirth(self, source: Source, now_ms: int, *, spread: bool = False) -> None:
        """Ask the node of *source* for its births; *spread* where many nodes are asked."""
        self._rebirths.want(source.edge_node, now_ms, spread=spread)

    def receive(
        self, topic: str, payload: bytes, now_ms: int, *, retained: bool = False
    ) -> list[Event]:
        """What a message means that was received at *now_ms*."""
        if state_host(topic) is not None:
            answer = self._certificate.heard(payload) if topic == self._certificate.topic else None
            return [answer] if answer else []
        try:
            parsed = _parse(topic)
            if (handle := self._handlers.get(parsed.type)) is None:
                return []  # commands, our own among them
            message = codec.decode(payload)
            if message.uuid == codec.COMPRESSED:
                payload = codec.inflate(message)
                message = codec.decode(payload)
            data = Data(_source(parsed), topic, message, payload, now_ms)
        except (TopicError, PayloadError) as error:
            return [Unusable(_claimed(topic), topic, payload, now_ms, error.reason, str(error))]
        node = self._nodes.setdefault(data.source.edge_node, Node(data.source.edge_node))
        if retained:
            # Old values that some peers keep at the broker: they prove only that the node exists.
            self._rebirths.want(node.source, now_ms, spread=True)
            return []
        return list(handle(node, data))

    def tick(self, now_ms: int) -> list[Event]:
        """What the time alone brings: overdue messages, held values given up, rebirth requests."""
        events: list[Event] = []
        for node in self._nodes.values():
            events += self._overdue(node, now_ms)
            while node.held and now_ms - node.held[0].received_ms > self._policy.hold_ms:
                events.append(self._give_up(node, self._take(node)))
        while (due := self._rebirths.due(now_ms)) is not None:
            events.append(rebirth_request(due, now_ms))
        return events

    def _move(self, node: Node, trigger: Trigger, now_ms: int) -> None:
        step = TRANSITIONS[node.state][trigger]
        node.state = step.to
        if step.ask:
            self._rebirths.want(node.source, now_ms)

    def _see(self, node: Node, data: Data) -> None:
        """Let a message of a node's session take part in its sequence."""
        arrival = (
            node.order.see(data.payload.seq % 256, data.received_ms)
            if node.order is not None
            else Arrival.IN_ORDER
        )
        self._move(node, ARRIVALS[arrival], data.received_ms)

    def _node_born(self, node: Node, data: Data) -> Iterator[Event]:
        spool = spool_of(data.payload)
        node.bd_seq = bd_seq_of(data.payload)
        node.spooling = spool is not None
        node.order = Order(data.payload.seq % 256, data.received_ms)
        node.devices.clear()
        self._move(node, Trigger.BIRTH, data.received_ms)
        self._rebirths.answered(node.source)
        yield Born(data, node.bd_seq, spool)
        yield from self._release(node, data.source)

    def _device_born(self, node: Node, data: Data) -> Iterator[Event]:
        self._see(node, data)
        if node.state not in UNDERSTOOD:
            return
        assert data.source.device is not None  # noqa: S101 - Topic allows no DBIRTH without
        node.devices.add(data.source.device)
        yield Born(data, None, None)
        yield from self._release(node, data.source)

    def _node_died(self, node: Node, data: Data) -> Iterator[Event]:
        claimed = bd_seq_of(data.payload)
        if claimed is not None and node.bd_seq is not None and claimed != node.bd_seq:
            return
        if node.state is NodeState.STALE:
            return
        self._move(node, Trigger.DEATH, data.received_ms)
        self._rebirths.answered(node.source)
        node.order = None
        node.devices.clear()
        # tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale:
        # stamped with the host's time, for a will was written long before.
        yield Died(node.source, data.received_ms)
        while node.held:
            yield self._give_up(node, self._take(node))

    def _device_died(self, node: Node, data: Data) -> Iterator[Event]:
        self._see(node, data)
        if node.state not in UNDERSTOOD:
            return
        node.devices.discard(data.source.device or "")
        yield Died(data.source, data.sent_ms)

    def _values(self, node: Node, data: Data) -> Iterator[Event]:
        self._see(node, data)
        device = data.source.device
        if node.state in UNDERSTOOD and (device is None or device in node.devices):
            yield data
            return
        self._rebirths.want(node.source, data.received_ms)
        if node.spooling or self._held_bytes + len(data.raw) > self._policy.hold_bytes:
            yield self._give_up(node, data)
            return
        node.held.append(data)
        self._held_bytes += len(data.raw)

    def _take(self, node: Node) -> Data:
        data = node.held.popleft()
        self._held_bytes -= len(data.raw)
        return data

    def _release(self, node: Node, born: Source) -> Iterator[Event]:
        """Hand on what was held for *born*, oldest first."""
        for _ in range(len(node.held)):
            data = self._take(node)
            if data.source == born:
                yield data
            else:
                node.held.append(data)
                self._held_bytes += len(data.raw)

    def _give_up(self, node: Node, data: Data) -> Event:
        if node.spooling:
            return Deferred(data.source, len(data.payload.metrics))
        return Unusable(
            data.source,
            data.topic,
            data.raw,
            data.received_ms,
            "unborn",
            f"no birth of {data.source} is known, and none came on request",
            len(data.payload.metrics),
        )

    def _overdue(self, node: Node, now_ms: int) -> Iterator[Event]:
        order = node.order
        if order is None or order.waiting_since_ms is None:
            return
        if now_ms - order.waiting_since_ms < self._policy.reorder_ms:
            return
        yield Missing(node.source, order.last_ms, order.waiting_since_ms)
        order.give_up(now_ms)
        self._move(node, Trigger.OVERDUE, now_ms)


_parse = lru_cache(maxsize=8192)(Topic.parse)


def _source(topic: Topic) -> Source:
    return Source(topic.group, topic.node, topic.device)


def _claimed(topic: str) -> Source | None:
    """Whom a message is charged to that cannot be used; None if its topic names nobody."""
    try:
        return _source(_parse(topic))
    except TopicError:
        return None
