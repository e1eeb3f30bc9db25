"""The edge node's side of a Sparkplug session, without I/O.

A session is told what happens (`connected`, `message`, `committed`, `tick` ...) with the time at
which it happens, and answers with what is to be done: publish, subscribe, disconnect, truncate the
spool, fetch frames from it. It has neither socket, clock nor disk.

The states and the moves between them stand in `edge.lifecycle`; what goes out when in
`edge.delivery`.

A device is alive on the wire while its link is up *or* frames of it wait in the spool. So data of a
PLC that has died meanwhile is still delivered between its DBIRTH and its DDEATH, and the DDEATH
follows when the last of it is in the database.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from edge.action import Action, Disconnect, Now, Publish, Refused, Subscribe, Truncate
from edge.birth import SpoolFacts, device_birth, node_birth, node_death
from edge.command import NOTHING, WRITE, Writable, writes
from edge.delivery import Delivery, Fetch, Limits
from edge.frame import Frame, historical, last_values, live
from edge.identity import Holdings, Identity
from edge.lifecycle import TRANSITIONS, Event, State, Step
from schemas.errors import PayloadError, SessionError
from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType, read_value
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH
from schemas.sparkplug.payload import decode
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType, state_topic


@dataclass(slots=True)
class _Device:
    aliases: Mapping[str, int]
    link: bool = False
    born: bool = False
    last_position: int = 0


class EdgeSession:
    """One edge node's life on the wire, over all its connections.

    ``aliases`` are those of each device's metrics; those of the node itself stand under the empty
    name. ``live=False`` makes a node whose frames are all history. ``writable`` are the metrics of
    each device that may be written, with limits.
    """

    def __init__(
        self,
        identity: Identity,
        aliases: Mapping[str, Mapping[str, int]],
        holdings: Holdings,
        limits: Limits,
        *,
        live: bool = True,
        writable: Mapping[str, Writable] = NOTHING,
    ) -> None:
        self.state = State.OFFLINE
        self._writable = writable
        self._identity = identity
        self._node_aliases = aliases[""]
        self._devices = {
            name: _Device(known, last_position=holdings.last_of_device.get(name, 0))
            for name, known in aliases.items()
            if name
        }
        self._spool_id = holdings.id
        self._delivery = Delivery(limits, holdings.first, holdings.next, live=live)
        self._values: dict[str, Reading] = {}
        self._bd_seq = 0
        self._seq = 0
        self._host_ms = 0
        self.host_ahead_ms: int | None = None
        self._fetching = False
        self._dropped = False
        self._command = identity.topic(MessageType.NCMD)
        self._host_topic = None if identity.host is None else state_topic(identity.host)
        self._steps: Final = {
            Step.SUBSCRIBE: self._subscribe,
            Step.BIRTH: self._birth,
            Step.REWIND: self._rewind,
            Step.DEATH: self._death,
            Step.PART: self._part,
        }

    @property
    def through(self) -> int:
        """Everything up to this position is in the database."""
        return self._delivery.through

    @property
    def last(self) -> int:
        """The newest position of the spool."""
        return self._delivery.following - 1

    def will(self, bd_seq: int, now: Now) -> Publish:
        """The will of the connection to come, whose births carry the same *bd_seq*."""
        self._bd_seq = bd_seq
        return Publish(
            self._identity.topic(MessageType.NDEATH), node_death(bd_seq, now.utc_ms), qos=1
        )

    def connected(self, now: Now) -> list[Action]:
        """The broker accepted the connection."""
        actions = self._move(Event.CONNECTED, now)
        if self._host_topic is None:  # nobody to wait for
            actions += self._move(Event.HOST_ONLINE, now)
        return actions

    def disconnected(self, now: Now) -> list[Action]:
        """The connection is gone."""
        return self._move(Event.DISCONNECTED, now)

    def leave(self, now: Now) -> list[Action]:
        """The agent wants to end."""
        return self._move(Event.LEAVE, now)

    def message(self, topic: str, payload: bytes, now: Now) -> list[Action]:
        """Something arrived on a topic subscribed to."""
        try:
            if topic == self._command:
                return self._obey(decode(payload), now)
            if topic == self._host_topic:
                return self._heed(HostState.decode(payload), now)
            if topic.startswith(self._identity.device_commands) and any(self._writable.values()):
                device = topic.removeprefix(self._identity.device_commands)
                return self._demand(device, decode(payload), now)
        except PayloadError as error:
            return [Refused(error.reason, f"{topic}: {error}")]
        return [Refused("topic", f"{topic} was not subscribed to")]

    def declare(
        self,
        aliases: Mapping[str, Mapping[str, int]],
        writable: Mapping[str, Writable],
        now: Now,
    ) -> list[Action]:
        """The node has these metrics too from now on, and these alone are writable.

        Whatever was declared stays so: frames of it may still have to be sent.
        """
        for name, known in aliases.items():
            if name:
                device = self._devices.setdefault(name, _Device({}))
                device.aliases = {**device.aliases, **known}
        self._node_aliases = {**self._node_aliases, **aliases.get("", {})}
        self._writable = writable
        if self.state is not State.BORN:
            return []
        return [*self._subscribe(now), *self._birth(now)]

    def committed(
        self,
        frames: Sequence[Frame],
        readings: Iterable[Reading],
        links: Mapping[str, bool],
        now: Now,
    ) -> list[Action]:
        """*frames* are on disk, made of *readings*; *links* are the devices found or lost."""
        last_values(readings, self._values)
        for name, up in links.items():
            self._devices[name].link = up
        for frame in frames:
            if frame.device:
                self._devices[frame.device].last_position = frame.position
        born = self.state is State.BORN
        outgoing = [f for f in frames if self._delivery.add(f, now.steady_s, open_=born)]
        actions = self._settle_devices(now)
        actions += [self._data(frame, now) for frame in outgoing]
        return actions + self._fetch(now)

    def dropped(self, first: int, now: Now) -> list[Action]:
        """The spool had to drop frames: *first* is the lowest position that is left."""
        self._dropped |= self._delivery.forget(first - 1)
        return self._settle_devices(now)

    def fetched(self, fetch: Fetch, frames: list[Frame], now: Now) -> list[Action]:
        """The spool's answer to a `Fetch`."""
        self._fetching = False
        if self.state is not State.BORN:
            return []
        actions: list[Action] = [
            self._data(frame, now, history=True)
            for frame in self._delivery.replay(fetch, frames, now.steady_s)
        ]
        return actions + self._fetch(now)

    def tick(self, now: Now) -> list[Action]:
        """Time went by; to be called some ten times a second."""
        if self.state is not State.BORN:
            return []
        if self._delivery.overdue(now.steady_s):
            # The host cannot get past a position that is gone: a birth tells where to begin.
            if self._dropped:
                return self._move(Event.REBIRTH, now)
            return self._rewind(now)
        return self._fetch(now)

    def _move(self, event: Event, now: Now) -> list[Action]:
        moves = TRANSITIONS[self.state]
        if event not in moves:
            raise SessionError(f"{event.name} cannot happen while {self.state.name}")
        self.state, steps = moves[event]
        return [action for step in steps for action in self._steps[step](now)]

    def _subscribe(self, _now: Now) -> list[Action]:
        topics = [self._command, self._host_topic]
        if any(self._writable.values()):
            topics.append(f"{self._identity.device_commands}+")
        return [Subscribe(topic) for topic in topics if topic is not None]

    def _birth(self, now: Now) -> list[Action]:
        self._seq = -1  # so that the NBIRTH has seq 0 (tck-id-topics-nbirth-seq-num)
        self._dropped = False
        facts = SpoolFacts(self._spool_id, self.through + 1, self.last)
        payload = node_birth(
            self._header(now), self._bd_seq, facts, self._node_aliases, self._values
        )
        for device in self._devices.values():
            device.born = False
        topic = self._identity.topic(MessageType.NBIRTH)
        return [Publish(topic, payload), *self._settle_devices(now)]

    def _rewind(self, now: Now) -> list[Action]:
        self._delivery.rewind(now.steady_s)
        return self._fetch(now)

    def _death(self, now: Now) -> list[Action]:
        topic = self._identity.topic(MessageType.NDEATH)
        return [Publish(topic, node_death(self._bd_seq, now.utc_ms), qos=1)]

    def _part(self, _now: Now) -> list[Action]:
        return [Disconnect()]

    def _settle_devices(self, now: Now) -> list[Action]:
        """The births and deaths of devices that are due."""
        actions: list[Action] = []
        if self.state is not State.BORN:
            return actions
        for name, device in self._devices.items():
            alive = device.link or device.last_position > self.through
            if alive and not device.born:
                payload = device_birth(self._header(now), self.last, device.aliases, self._values)
                actions.append(Publish(self._identity.topic(MessageType.DBIRTH, name), payload))
            elif device.born and not alive:
                payload = self._header(now).SerializeToString()
                actions.append(Publish(self._identity.topic(MessageType.DDEATH, name), payload))
            device.born = alive
        return actions

    def _data(self, frame: Frame, now: Now, *, history: bool = False) -> Publish:
        kind = MessageType.DDATA if frame.device else MessageType.NDATA
        payload = (historical if history else live)(frame, self._header(now))
        topic = self._identity.topic(kind, frame.device)
        return Publish(topic, payload, readings=frame.readings, historical=history)

    def _header(self, now: Now) -> Payload:
        """Time and next seq, one count over all (tck-id-payloads-sequence-num-incrementing)."""
        self._seq = (self._seq + 1) % 256
        return Payload(timestamp=now.utc_ms, seq=self._seq)

    def _fetch(self, now: Now) -> list[Action]:
        if self.state is not State.BORN or self._fetching:
            return []
        if (wanted := self._delivery.wanted(now.steady_s)) is None:
            return []
        self._fetching = True
        return [wanted]

    def _obey(self, command: Payload, now: Now) -> list[Action]:
        """A command of the host; metrics that the node does not have are refused one by one."""
        actions: list[Action] = []
        if command.HasField("timestamp"):
            self.host_ahead_ms = command.timestamp - now.utc_ms
        for each in command.metrics:
            if each.name == COMMIT_THROUGH or each.alias == self._node_aliases[COMMIT_THROUGH]:
                actions += self._commit_through(each, now)
            elif each.name == REBIRTH:
                if each.boolean_value:
                    actions += self._move(Event.REBIRTH, now)
            else:
                actions.append(
                    Refused("command", f"no writable metric {each.name or each.alias!r}")
                )
        return actions

    def _demand(self, name: str, command: Payload, now: Now) -> list[Action]:
        """A command to a device."""
        if (device := self._devices.get(name)) is None:
            return [Refused(WRITE, f"{name!r} is no device of this node")]
        may = self._writable.get(name, {})
        return list(writes(command, name, device.aliases, may, now.utc_ms))

    def _commit_through(self, command: Metric, now: Now) -> list[Action]:
        try:
            through = read_value(command, DataType.UINT64)
        except LookupError as error:
            return [Refused("command", f"{COMMIT_THROUGH}: {error}")]
        if not isinstance(through, int) or through > self.last:
            return [Refused("commit_through", f"{through} where the last position is {self.last}")]
        if not self._delivery.acknowledge(through, now.steady_s):
            return []
        return [Truncate(through), *self._settle_devices(now), *self._fetch(now)]

    def _heed(self, host: HostState, now: Now) -> list[Action]:
        """The host says where it stands.

        What is older than what it said last is not heeded
        (tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp).
        """
        if host.timestamp < self._host_ms:
            return [Refused("stale_state", f"STATE of {host.timestamp} after {self._host_ms}")]
        news = host.timestamp > self._host_ms
        self._host_ms = host.timestamp
        if not host.online:
            return self._move(Event.HOST_OFFLINE, now)
        if self.state is State.BORN and not news:
            return []
        return self._move(Event.HOST_ONLINE, now)
