"""What a `HostSession` says about the messages it is given."""

from dataclasses import dataclass
from typing import Final, NamedTuple

from schemas.sparkplug.sparkplug_b_pb2 import Payload

#: The year 9999, beyond which no datetime goes.
_LATEST_MS: Final = 253_402_300_800_000


class Source(NamedTuple):
    """Who sends: an edge node, or a device behind it."""

    group: str
    node: str
    device: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in self if part is not None)

    @property
    def edge_node(self) -> "Source":
        """The node itself."""
        return self if self.device is None else Source(self.group, self.node)


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to be sent now."""

    topic: str
    payload: bytes
    qos: int = 0
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A topic filter to be subscribed now."""

    topic: str
    qos: int


@dataclass(frozen=True, slots=True)
class Spool:
    """What the NBIRTH of a spooling node says of its spool (`schemas.sparkplug.node`).

    ``commit_alias`` is the alias of ``Node Control/Commit Through``; None if it goes by name.
    ``last`` is the highest position that it holds or held; 0 where it does not say.
    """

    id: str
    first: int
    commit_alias: int | None
    last: int = 0


@dataclass(frozen=True, slots=True)
class Data:
    """Values of a source whose births are known. Times are UTC [ms], received is the host's."""

    source: Source
    topic: str
    payload: Payload
    raw: bytes
    received_ms: int

    @property
    def sent_ms(self) -> int:
        """When the sender says it sent this; when it came, where it says nothing possible."""
        sent_ms = self.payload.timestamp
        return sent_ms if 0 < sent_ms < _LATEST_MS else self.received_ms


@dataclass(frozen=True, slots=True)
class Born:
    """A node or device is there: its metrics, and for a node its bdSeq and spool."""

    data: Data
    bd_seq: int | None
    spool: Spool | None

    @property
    def source(self) -> Source:
        """Who was born."""
        return self.data.source


@dataclass(frozen=True, slots=True)
class Died:
    """A node (with all its devices) or one device is stale since ``at_ms``."""

    source: Source
    at_ms: int


@dataclass(frozen=True, slots=True)
class Missing:
    """Messages of a node between two receipt times [ms] never came."""

    source: Source
    from_ms: int
    to_ms: int


@dataclass(frozen=True, slots=True)
class Deferred:
    """Values not taken now: the node has them in its spool and sends them again."""

    source: Source
    readings: int


@dataclass(frozen=True, slots=True)
class Unusable:
    """A whole message that nothing can be made of; it goes to the dead letters."""

    source: Source | None
    topic: str
    raw: bytes
    received_ms: int
    reason: str
    detail: str
    readings: int = 1


Event = Publish | Subscribe | Born | Data | Died | Missing | Deferred | Unusable
