"""A session with its spool and clock, and a host that listens: no socket, no disk, no waiting."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from edge.action import Action, Disconnect, Now, Publish, Refused, Subscribe, Truncate
from edge.birth import NODE_METRICS
from edge.delivery import Fetch, Limits
from edge.frame import Frame, encode, seal
from edge.identity import Holdings, Identity
from edge.session import EdgeSession
from schemas.reading import Reading
from schemas.sparkplug.node import SPOOL_POSITION
from schemas.sparkplug.payload import decode
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType, Topic
from tests.edge.host import Ledger, Seen, commit_through

GROUP, NODE, HOST = "pavlodar", "potline-1", "ertis"
ALIASES = {
    "": {
        name: alias for alias, name in enumerate((*NODE_METRICS, SPOOL_POSITION, "node/load"), 100)
    },
    "plc": {"line/a": 1, "line/b": 2, SPOOL_POSITION: 3},
    "meter": {"meter/e": 11, SPOOL_POSITION: 13},
}
#: Which device a tag belongs to.
DEVICE = {"line/a": "plc", "line/b": "plc", "meter/e": "meter", "node/load": ""}


@dataclass
class Store:
    """A spool in memory: its frames, and what was ever committed."""

    frames: dict[int, Frame] = field(default_factory=dict)
    following: int = 1
    committed: list[Reading] = field(default_factory=list)
    dropped: set[int] = field(default_factory=set)

    def commit(self, device: str, readings: Sequence[Reading]) -> Frame:
        """Keep one frame."""
        position = self.following
        self.following += 1
        body = seal(encode(readings, ALIASES[device]), position, ALIASES[device][SPOOL_POSITION])
        frame = Frame(position, device, len(readings), body)
        self.frames[position] = frame
        self.committed += readings
        return frame

    def fetch(self, fetch: Fetch) -> list[Frame]:
        """As `Spool.fetch` does."""
        wanted = [p for p in sorted(self.frames) if fetch.start <= p < fetch.end]
        return [self.frames[position] for position in wanted[: fetch.limit]]

    @property
    def first(self) -> int:
        """The lowest position that is left."""
        return min(self.frames, default=self.following)

    def holdings(self) -> Holdings:
        """As after a restart."""
        last = {frame.device: frame.position for frame in self.frames.values()}
        return Holdings("spool-1", self.first, self.following, last)


class Conversation:
    """A session and what it did. ``lossy`` network: what it publishes does not arrive."""

    def __init__(self, host: str | None = HOST, *, limits: Limits | None = None) -> None:
        self.host_name = host
        self.limits = limits or Limits()
        self.store = Store()
        self.ledger = Ledger()
        self.sent: list[Publish] = []
        self.subscribed: list[str] = []
        self.refused: list[Refused] = []
        self.disconnects = 0
        self.lossy = False
        self.answers = True
        self.steady_s = 1_000.0
        self.utc_ms = 1_800_000_000_000
        self.bd_seq = -1
        self.pending: list[Fetch] = []
        self.restart()

    def restart(self) -> None:
        """The process was killed and is started again: the store is all that is left."""
        identity = Identity(GROUP, NODE, self.host_name)
        self.session = EdgeSession(identity, ALIASES, self.store.holdings(), self.limits)
        self.pending.clear()

    @property
    def now(self) -> Now:
        """The present instant, on both clocks."""
        return Now(self.utc_ms, self.steady_s)

    def wait(self, seconds: float) -> None:
        """Time goes by, with a tick at its end."""
        self.steady_s += seconds
        self.utc_ms += int(seconds * 1000)
        self.do(self.session.tick(self.now))

    def connect(self) -> Publish:
        """A CONNECT that is accepted; its will."""
        self.bd_seq = (self.bd_seq + 1) % 256
        will = self.session.will(self.bd_seq, self.now)
        self.do(self.session.connected(self.now))
        return will

    def lose_connection(self) -> None:
        """The wire is cut."""
        self.do(self.session.disconnected(self.now))

    def state(self, *, online: bool, ts_ms: int | None = None) -> None:
        """The host's STATE arrives."""
        state = HostState(online=online, timestamp=self.utc_ms if ts_ms is None else ts_ms)
        self.message(f"spBv1.0/STATE/{HOST}", state.encode())

    def command(self, payload: bytes) -> None:
        """An NCMD arrives."""
        self.message(f"spBv1.0/{GROUP}/NCMD/{NODE}", payload)

    def message(self, topic: str, payload: bytes) -> None:
        """Anything arrives."""
        self.do(self.session.message(topic, payload, self.now))

    def born(self) -> "Conversation":
        """Connected, host online, both devices up."""
        self.connect()
        self.state(online=True)
        self.links(plc=True, meter=True)
        return self

    def links(self, **links: bool) -> None:
        """Devices are found or lost."""
        self.do(self.session.committed((), (), links, self.now))

    def read(self, *values: float, tag: str = "line/a", **links: bool) -> Frame:
        """Readings of one tag, one a millisecond, become one committed frame."""
        readings = []
        for value in values:
            self.utc_ms += 1
            readings.append(Reading(tag, self.utc_ms, value))
        frame = self.store.commit(DEVICE[tag], readings)
        self.do(self.session.committed([frame], readings, links, self.now))
        return frame

    def acknowledge(self, through: int) -> None:
        """The host committed everything up to *through*."""
        self.command(commit_through(through))

    def answer(self) -> None:
        """The host acknowledges what it has."""
        self.acknowledge(self.ledger.through)

    def drop(self, count: int) -> None:
        """The spool is beyond its bounds."""
        for position in sorted(self.store.frames)[:count]:
            del self.store.frames[position]
            self.store.dropped.add(position)
        self.do(self.session.dropped(self.store.first, self.now))

    def do(self, actions: Sequence[Action]) -> None:
        """What the agent would do."""
        for action in actions:
            match action:
                case Publish():
                    self._publish(action)
                case Subscribe():
                    self.subscribed.append(action.topic)
                case Disconnect():
                    self.disconnects += 1
                case Truncate():
                    for position in [p for p in self.store.frames if p <= action.through]:
                        del self.store.frames[position]
                case Fetch():
                    self.pending.append(action)
                case Refused():
                    self.refused.append(action)
        while self.answers and self.pending:
            self.do_fetch()

    def do_fetch(self) -> None:
        """The disk answers one request."""
        fetch = self.pending.pop(0)
        self.do(self.session.fetched(fetch, self.store.fetch(fetch), self.now))

    def _publish(self, action: Publish) -> None:
        self.sent.append(action)
        if not self.lossy:
            topic = Topic.parse(action.topic)
            self.ledger.take(Seen(topic, decode(action.payload), action.qos, retain=False))

    def kinds(self) -> list[str]:
        """What was published, as types with device: NBIRTH, DBIRTH plc ..."""
        topics = [Topic.parse(each.topic) for each in self.sent]
        return [f"{topic.type} {topic.device or ''}".strip() for topic in topics]

    def of(self, kind: MessageType) -> list[Publish]:
        """The messages of one type."""
        return [each for each in self.sent if Topic.parse(each.topic).type is kind]
