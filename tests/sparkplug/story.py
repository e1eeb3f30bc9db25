"""One edge node's life on the wire: for statements that hold for all messages of a kind."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from edge.action import Publish
from edge.delivery import Limits
from schemas.sparkplug.payload import decode
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.topic import MessageType, Topic
from tests.edge.conversation import Conversation
from tests.edge.host import rebirth

DATA = (MessageType.NDATA, MessageType.DDATA)
BIRTHS = (MessageType.NBIRTH, MessageType.DBIRTH)
SEQUENCED = (*BIRTHS, *DATA, MessageType.DDEATH)


@dataclass(frozen=True)
class Sent:
    """One message of the node."""

    topic: Topic
    text: str
    payload: Payload
    qos: int
    at_ms: int


def sent(publish: Publish, at_ms: int = 0) -> Sent:
    """A message that a session asked to publish."""
    parsed = Topic.parse(publish.topic)
    return Sent(parsed, publish.topic, decode(publish.payload), publish.qos, at_ms)


@dataclass(frozen=True)
class Story:
    """What went over the wire; the wills apart, one for each connection."""

    messages: list[Sent]
    wills: list[Sent]

    def of(self, *kinds: MessageType) -> list[Sent]:
        """The messages of these types; there are some."""
        found = [each for each in self.messages if each.topic.type in kinds]
        assert found
        return found

    def metrics(self, *kinds: MessageType) -> list[Metric]:
        """The metrics of the messages of these types."""
        return [metric for each in self.of(*kinds) for metric in each.payload.metrics]

    def pairs(self, kind: MessageType) -> list[tuple[Sent, Sent]]:
        """Each message of *kind* with the one before it in its session."""
        found = [
            (before, each)
            for session in self.sessions()
            for before, each in pairwise(session)
            if each.topic.type is kind
        ]
        assert len(found) == len(self.of(kind))
        return found

    def sessions(self) -> list[list[Sent]]:
        """The messages cut in front of each NBIRTH."""
        cut: list[list[Sent]] = []
        for each in self.messages:
            if each.topic.type is MessageType.NBIRTH:
                cut.append([])
            cut[-1].append(each)
        return cut


class _Teller(Conversation):
    """Notes when each message went out."""

    def __init__(self) -> None:
        self.messages: list[Sent] = []
        self.wills: list[Sent] = []
        super().__init__(limits=Limits(replay_readings_per_s=1e9))

    def connect(self) -> Publish:
        will = super().connect()
        self.wills.append(sent(will, self.utc_ms))
        return will

    def _publish(self, action: Publish) -> None:
        self.messages.append(sent(action, self.utc_ms))
        super()._publish(action)


@cache
def story() -> Story:
    """Everything that can happen to a node.

    History from before the connection, births, data of node and devices, a device's death and
    return, a rebirth, a host that goes, a second connection, farewell.
    """
    talk = _Teller()
    talk.read(0.25, 0.5, plc=True)
    talk.connect()
    talk.wait(1)
    talk.state(online=True)
    talk.links(meter=True)
    talk.wait(1)
    for value in range(300):
        talk.read(float(value), value + 0.5)
        talk.answer()
    talk.read(1.0, 2.0, tag="node/load")
    talk.read(7.0, tag="meter/e")
    talk.read(4.0, plc=False)
    talk.answer()
    talk.wait(1)
    talk.command(rebirth())
    talk.links(plc=True)
    talk.read(5.0)
    talk.state(online=False)
    talk.lose_connection()
    talk.read(5.5)
    talk.connect()
    talk.wait(1)
    talk.state(online=True)
    talk.wait(1)
    talk.read(6.0)
    talk.do(talk.session.leave(talk.now))
    return Story(talk.messages, talk.wills)
