"""A bridge between two brokers that does not carry faithfully."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field

from paho.mqtt.client import Client, MQTTMessage, MQTTv5
from paho.mqtt.enums import CallbackAPIVersion

from tests.faults.load import GROUP

FROM_EDGE = ("NBIRTH", "DBIRTH", "NDATA", "DDATA", "DDEATH", "NDEATH")
FROM_HOST = ("NCMD",)


@dataclass
class Fates:
    """What became of the messages of one direction."""

    carried: int = 0
    dropped: int = 0
    doubled: int = 0
    overtaken: int = 0


@dataclass
class _Direction:
    """One direction: one message in ten is dropped, one comes twice, two are overtaken."""

    target: Client
    chance: random.Random
    fates: Fates = field(default_factory=Fates)
    held: list[tuple[int, MQTTMessage]] = field(default_factory=list)

    def pass_on(self, message: MQTTMessage) -> None:
        """Let chance decide about *message*, and release what enough others have overtaken."""
        match self.chance.randrange(10):
            case 0:
                self.fates.dropped += 1
            case 1:
                self.fates.doubled += 1
                self._send(message)
                self._send(message)
            case 2 | 3:
                self.fates.overtaken += 1
                self.held.append((self.fates.carried + self.chance.randint(1, 5), message))
            case _:
                self._send(message)
        for due in [entry for entry in self.held if entry[0] <= self.fates.carried]:
            self.held.remove(due)
            self._send(due[1])

    def _send(self, message: MQTTMessage) -> None:
        self.fates.carried += 1
        self.target.publish(message.topic, message.payload, message.qos)


class Bridge:
    """Sparkplug between the broker of the edge (*near*) and that of ingest (*far*), meddled with.

    Births, deaths and commands have the same fates as data. STATE is carried as it is: it is
    retained, and a broker does not lose what it retains.
    """

    def __init__(self, near: tuple[str, int], far: tuple[str, int], seed: int) -> None:
        self._near, self._far = _client("near"), _client("far")
        chance = random.Random(seed)  # noqa: S311 - a fault, not a secret
        self._up = _Direction(self._far, chance)
        self._down = _Direction(self._near, chance)
        self._near.on_message = lambda _client, _userdata, message: self._up.pass_on(message)
        self._far.on_message = lambda _client, _userdata, message: self._came_down(message)
        _open(self._near, near, [f"spBv1.0/{GROUP}/{kind}/#" for kind in FROM_EDGE])
        _open(
            self._far,
            far,
            [f"spBv1.0/{GROUP}/{kind}/#" for kind in FROM_HOST] + ["spBv1.0/STATE/#"],
        )

    @property
    def fates(self) -> Fates:
        """Of what the edge sent."""
        return self._up.fates

    def close(self) -> None:
        """Leave both brokers."""
        for client in (self._near, self._far):
            client.disconnect()
            client.loop_stop()

    def _came_down(self, message: MQTTMessage) -> None:
        if message.topic.startswith("spBv1.0/STATE/"):
            self._near.publish(message.topic, message.payload, message.qos, retain=True)
        else:
            self._down.pass_on(message)


def _client(side: str) -> Client:
    return Client(CallbackAPIVersion.VERSION2, client_id=f"bridge-{side}", protocol=MQTTv5)


def _open(client: Client, address: tuple[str, int], topics: Sequence[str]) -> None:
    client.connect(*address, clean_start=True)
    client.loop_start()
    client.subscribe([(topic, 1) for topic in topics])
