"""Sparkplug topics: ``spBv1.0/<group>/<type>/<node>[/<device>]`` and ``spBv1.0/STATE/<host>``.

Source: Sparkplug 3.0 chapter 4 (tck-id-topic-structure and its kin). Ids are any UTF-8 without
``+``, ``/`` and ``#``; case counts.
"""

from dataclasses import dataclass
from enum import StrEnum

from schemas.errors import TopicError

NAMESPACE = "spBv1.0"
#: U+0000 is forbidden in any topic (MQTT-1.5.4-2), and PostgreSQL stores none.
_FORBIDDEN = frozenset("+/#\0")


class MessageType(StrEnum):
    """The verbs of the namespace; STATE topics have a shape of their own."""

    NBIRTH = "NBIRTH"
    NDEATH = "NDEATH"
    NDATA = "NDATA"
    NCMD = "NCMD"
    DBIRTH = "DBIRTH"
    DDEATH = "DDEATH"
    DDATA = "DDATA"
    DCMD = "DCMD"

    @property
    def of_device(self) -> bool:
        """Whether a device id belongs into the topic."""
        return self.value.startswith("D")


@dataclass(frozen=True, slots=True)
class Topic:
    """One edge message's topic.

    Raises
    ------
    TopicError
        An id is empty or has a reserved character, or the device id does not fit the type.
    """

    group: str
    type: MessageType
    node: str
    device: str | None = None

    def __post_init__(self) -> None:
        for what, word in (
            ("group", self.group),
            ("edge node", self.node),
            ("device", self.device),
        ):
            if word is not None and (not word or _FORBIDDEN & set(word)):
                raise TopicError(f"{what} id {word!r}: must not be empty nor hold + / # or U+0000")
        if self.type.of_device != (self.device is not None):
            raise TopicError(
                f"{self.type} with device {self.device!r}: device ids belong to the D types only"
            )

    def __str__(self) -> str:
        head = f"{NAMESPACE}/{self.group}/{self.type}/{self.node}"
        return head if self.device is None else f"{head}/{self.device}"

    @classmethod
    def parse(cls, text: str) -> "Topic":
        """Read a topic off the wire; `TopicError` says which part is wrong."""
        match text.split("/"):
            case [namespace, group, kind, node, *rest] if namespace == NAMESPACE and len(rest) < 2:
                if kind not in MessageType.__members__:
                    raise TopicError(f"topic {text!r}: {kind!r} is no Sparkplug message type")
                return cls(group, MessageType(kind), node, rest[0] if rest else None)
            case _:
                raise TopicError(f"topic {text!r} is not {NAMESPACE}/group/type/node[/device]")


def state_topic(host: str) -> str:
    """Where *host* says whether it is online (tck-id-host-topic-phid-birth-topic)."""
    if not host or _FORBIDDEN & set(host):
        raise TopicError(f"host id {host!r}: must not be empty nor hold + / # or U+0000")
    return f"{NAMESPACE}/STATE/{host}"


def state_host(text: str) -> str | None:
    """The host id of a STATE topic; None for any other topic."""
    match text.split("/"):
        case [namespace, "STATE", host] if namespace == NAMESPACE and host:
            return host
        case _:
            return None
