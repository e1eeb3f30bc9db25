"""The host's STATE certificate: will, birth, guard and death.

A primary host says on ``spBv1.0/STATE/<host id>``, retained and at QoS 1, whether it is online.
The will of each connection says offline with the time of that CONNECT
(tck-id-host-topic-phid-death-payload-timestamp-connect), the birth says online with the same time
(tck-id-host-topic-phid-birth-payload-timestamp): so a late will of an old connection is older than
the birth of the new one, and edge nodes ignore it.
"""

from ingest.event import Publish
from schemas.errors import PayloadError
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import state_topic


class Certificate:
    """The STATE of one host on one broker."""

    def __init__(self, host: str) -> None:
        self.topic = state_topic(host)
        self._since_ms: int | None = None

    def will(self, now_ms: int) -> Publish:
        """The will to leave with a CONNECT made at *now_ms*; asked anew for each attempt."""
        return self._state(online=False, timestamp=now_ms)

    def birth(self, will_ms: int) -> Publish:
        """The first publication after the subscriptions, on the connection of that will."""
        self._since_ms = will_ms
        return self._state(online=True, timestamp=will_ms)

    def heard(self, payload: bytes) -> Publish | None:
        """What to answer to a STATE of our own id.

        Offline while we are online is the late will of an earlier connection: online is said again
        at once with the will's time (tck-id-message-flow-hid-sparkplug-state-message-delivered).
        """
        try:
            online = HostState.decode(payload).online
        except PayloadError:
            online = False
        if online or self._since_ms is None:
            return None
        return self._state(online=True, timestamp=self._since_ms)

    def death(self, now_ms: int) -> Publish:
        """The last publication before leaving on purpose.

        Source: tck-id-host-topic-phid-death-payload-timestamp-disconnect-clean.
        """
        self._since_ms = None
        return self._state(online=False, timestamp=now_ms)

    def lost(self) -> None:
        """The connection is gone: there is nothing to guard until the next birth."""
        self._since_ms = None

    def _state(self, *, online: bool, timestamp: int) -> Publish:
        payload = HostState(online=online, timestamp=timestamp).encode()
        return Publish(self.topic, payload, qos=1, retain=True)
