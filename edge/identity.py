"""Who an edge node is on the wire, and what it holds when its session begins."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.sparkplug.topic import NAMESPACE, MessageType, Topic


@dataclass(frozen=True, slots=True)
class Identity:
    """Who the node is, and whom it waits for (None: for nobody)."""

    group: str
    node: str
    host: str | None = None

    @property
    def client_id(self) -> str:
        """The MQTT client id, as unique as the descriptor.

        An id may hold "-", so the length of the first tells where it ends; "/", which none may
        hold, would do, but rumqttd refuses it in a client id.
        """
        return f"ertis-edge-{len(self.group)}-{self.group}-{self.node}"

    @property
    def device_commands(self) -> str:
        """How the topics of commands to its devices begin."""
        return f"{NAMESPACE}/{self.group}/{MessageType.DCMD}/{self.node}/"

    def topic(self, kind: MessageType, device: str = "") -> str:
        """The topic of a message of this node."""
        return str(Topic(self.group, kind, self.node, device or None))


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the spool holds when the session begins: positions ``first`` up to before ``next``."""

    id: str
    first: int = 1
    next: int = 1
    last_of_device: Mapping[str, int] = field(default_factory=dict)
