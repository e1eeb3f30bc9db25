"""Watches all that is said on ``spBv1.0/#`` and tells what breaks Sparkplug 3.0.

Without I/O: messages in, violations out. What one message alone gives away is in
`schemas.sparkplug.inspection`; here is what follows from those before it: births before data, one
count of seq over a node and its devices, the bdSeq of births and deaths, the aliases and names that
the births declared, and ids that differ in case alone.

A monitor that was away, or came late, knows nothing of a node until its next NBIRTH, and accuses it
of nothing until then.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from schemas.errors import PayloadError, TopicError
from schemas.sparkplug.datatype import text
from schemas.sparkplug.inspection import (
    BIRTHS,
    DATA,
    SEQUENCED,
    Finding,
    inspect_delivery,
    inspect_payload,
    inspect_state,
    label,
)
from schemas.sparkplug.node import BD_SEQ
from schemas.sparkplug.payload import decode
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.topic import MessageType, Topic, state_host

#: The statement that says what each type carries.
_PAYLOADS: Final = {
    MessageType.NBIRTH: "message-flow-edge-node-birth-publish-nbirth-payload",
    MessageType.DBIRTH: "message-flow-device-birth-publish-dbirth-payload",
    MessageType.NDATA: "topics-ndata-payload",
    MessageType.DDATA: "topics-ddata-payload",
    MessageType.NDEATH: "topics-ndeath-payload",
    MessageType.DDEATH: "payloads-ddeath-timestamp",
    MessageType.NCMD: "topics-ncmd-payload",
    MessageType.DCMD: "topics-dcmd-payload",
}


@dataclass(frozen=True, slots=True)
class Violation:
    """A message on ``topic`` breaks the statement ``tck-id-<rule>``."""

    rule: str
    topic: str
    detail: str

    def __str__(self) -> str:
        return f"{self.topic}: {self.detail} (tck-id-{self.rule})"


@dataclass(slots=True)
class _Node:
    """What is known of one edge node; ``live`` is None where it cannot be told."""

    live: bool | None
    bd_seq: int | None = None
    seq: int | None = None
    #: Name by alias of the node (None) and of each device that is born.
    declared: dict[str | None, dict[int, str]] = field(default_factory=dict)
    names: dict[str | None, set[str]] = field(default_factory=dict)


class Monitor:
    """Follows every node. ``complete`` says that it hears them from their first message on."""

    def __init__(self, *, complete: bool = False) -> None:
        self._complete = complete
        self._nodes: dict[tuple[str, str], _Node] = {}
        self._words: dict[tuple[str, ...], str] = {}

    def interrupted(self) -> None:
        """Messages may have been missed from here on."""
        self._complete = False
        self._nodes.clear()

    def see(
        self, topic: str, payload: bytes, qos: int | None, *, retained: bool
    ) -> list[Violation]:
        """What a message breaks; *qos* is that of its sender, None where it cannot be told."""
        return [
            Violation(rule, topic, said) for rule, said in self._see(topic, payload, qos, retained)
        ]

    def _see(self, topic: str, raw: bytes, qos: int | None, retained: bool) -> Iterator[Finding]:
        if state_host(topic) is not None:
            yield from inspect_state(raw, qos)
            return
        try:
            parsed = Topic.parse(topic)
            payload = decode(raw)
        except TopicError as error:
            yield "topic-structure", str(error)
            return
        except PayloadError as error:
            yield _PAYLOADS[parsed.type], str(error)
            return
        yield from inspect_delivery(parsed.type, qos, retained=retained)
        yield from inspect_payload(parsed.type, payload)
        if retained:
            return  # a memory of the broker, no event
        yield from self._see_ids(parsed)
        unknown = _Node(False if self._complete else None)
        node = self._nodes.setdefault((parsed.group, parsed.node), unknown)
        if parsed.type is MessageType.NBIRTH:
            yield from _see_node_birth(node, payload)
        elif parsed.type is MessageType.NDEATH:
            yield from _see_node_death(node, payload)
        elif parsed.type in SEQUENCED:
            yield from _see_session(node, parsed, payload)

    def _see_ids(self, topic: Topic) -> Iterator[Finding]:
        """Ids that differ from one heard before in case alone."""
        path: tuple[str, ...] = ()
        for word in (topic.group, topic.node, topic.device):
            if word is None:
                return
            known = self._words.setdefault((*path, word.casefold()), word)
            if known != word:
                yield "case-sensitivity-sparkplug-ids", f"{word!r} beside {known!r}"
            path = (*path, word.casefold())


def _see_node_birth(node: _Node, birth: Payload) -> Iterator[Finding]:
    bd_seq = _bd_seq(birth)
    if node.bd_seq is not None and bd_seq is not None:
        ahead = (bd_seq - node.bd_seq) % 256
        # A node that lost its memory begins at 0 again; connections without births are not seen.
        if bd_seq != 0 and not (ahead == 0 and node.live) and not 0 < ahead < 128:
            before = f"{node.bd_seq}{'' if node.live else ', which had ended'}"
            yield "topics-nbirth-bdseq-increment", f"bdSeq {bd_seq} after {before}"
    node.live, node.bd_seq, node.seq = True, bd_seq, birth.seq
    node.declared.clear()
    node.names.clear()
    yield from _declare(node, None, birth)


def _see_node_death(node: _Node, death: Payload) -> Iterator[Finding]:
    bd_seq = _bd_seq(death)
    if node.live and bd_seq is not None and node.bd_seq is not None:
        if 0 < (bd_seq - node.bd_seq) % 256 < 128:
            yield "payloads-ndeath-bdseq", f"bdSeq {bd_seq} while {node.bd_seq} lives"
        if bd_seq != node.bd_seq:
            return  # the late will of an earlier connection
    node.live = False if node.live is not None else None
    node.declared.clear()
    node.names.clear()


def _see_session(node: _Node, topic: Topic, payload: Payload) -> Iterator[Finding]:
    """A message that takes part in a node's count."""
    if node.live is None:
        return
    word = topic.type.lower()
    if not node.live:
        order = "message-flow-device-birth-publish-nbirth-wait"
        yield (f"payloads-{word}-order" if topic.type in DATA else order), "no NBIRTH before it"
        return
    if node.seq is not None and payload.seq != (node.seq + 1) % 256:
        rule = "payloads-sequence-num-incrementing"
        yield rule, f"seq {payload.seq} after {node.seq}"
    node.seq = payload.seq
    if topic.type in BIRTHS:
        yield from _declare(node, topic.device, payload)
    elif topic.device not in node.declared:
        order = (
            "payloads-ddata-order" if topic.type in DATA else "operational-behavior-device-ddeath"
        )
        yield order, "no DBIRTH before it"
    elif topic.type in DATA:
        birth = "nbirth" if topic.device is None else "dbirth"
        for metric in payload.metrics:
            yield from _look_up(node, topic.device, metric, birth)
    else:
        del node.declared[topic.device], node.names[topic.device]


def _declare(node: _Node, device: str | None, birth: Payload) -> Iterator[Finding]:
    """Note what a birth declares; aliases are unique over the node and all its devices."""
    taken = {
        alias: (owner, name)
        for owner, names in node.declared.items()
        if owner != device
        for alias, name in names.items()
    }
    aliases: dict[int, str] = {}
    folded: dict[str, str] = {}
    for metric in birth.metrics:
        name = text(metric.name)
        if folded.setdefault(name.casefold(), name) != name:
            yield "case-sensitivity-metric-names", f"{name!r} beside {folded[name.casefold()]!r}"
        if not metric.HasField("alias"):
            continue
        if metric.alias in taken or metric.alias in aliases:
            yield "payloads-alias-uniqueness", f"alias {metric.alias} of {name} is taken"
        aliases[metric.alias] = name
    node.declared[device] = aliases
    node.names[device] = {text(metric.name) for metric in birth.metrics}


def _look_up(node: _Node, device: str | None, metric: Metric, birth: str) -> Iterator[Finding]:
    """Whether a metric of a DATA was declared, and goes by its alias alone where it has one."""
    name = text(metric.name)
    if metric.HasField("alias"):
        declared = metric.alias in node.declared[device]
        by_name = metric.HasField("name")
    else:
        declared = name in node.names[device]
        by_name = name in node.declared[device].values()
    if not declared:
        yield f"operational-behavior-data-publish-{birth}", f"{label(metric)} was not declared"
    elif by_name:
        yield "payloads-alias-data-cmd-requirement", f"{name} has an alias and goes by name"


def _bd_seq(message: Payload) -> int | None:
    return next((m.long_value or m.int_value for m in message.metrics if m.name == BD_SEQ), None)
