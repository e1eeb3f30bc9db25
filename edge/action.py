"""What a session asks its agent to do."""

from dataclasses import dataclass

from edge.delivery import Fetch


@dataclass(frozen=True, slots=True)
class Now:
    """One instant on both clocks: the wall's for the wire, the steady one for waiting."""

    utc_ms: int
    steady_s: float


@dataclass(frozen=True, slots=True)
class Publish:
    """A message to send; never retained."""

    topic: str
    payload: bytes
    qos: int = 0
    readings: int = 0
    historical: bool = False


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A topic to listen to, at QoS 1."""

    topic: str


@dataclass(frozen=True, slots=True)
class Disconnect:
    """Leave the broker with reason 0x04, so that it publishes the will."""


@dataclass(frozen=True, slots=True)
class Truncate:
    """Delete frames up to and with ``through``: they are in the database."""

    through: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A message was not followed: why, in a fixed word and in words for people."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Write:
    """A *value* [unit of the tag] for the device, as a command asks and the file allows."""

    device: str
    path: str
    value: float


Action = Publish | Subscribe | Disconnect | Truncate | Fetch | Refused | Write
