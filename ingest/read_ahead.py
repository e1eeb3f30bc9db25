"""A paho client that reads its socket in large pieces.

paho 2.2.0 asks the kernel three to five times for each packet (a byte of type, each byte of length,
the rest) and waits in ``select`` before every one; each of those calls gives the interpreter to
another thread. Reading ahead makes it two calls for as many packets as the buffer holds.
"""

from typing import TYPE_CHECKING, Final

from paho.mqtt.client import Client
from paho.mqtt.enums import MQTTErrorCode

if TYPE_CHECKING:
    from paho.mqtt.client import SocketLike  # defined for type checkers alone

_AHEAD_BYTES: Final = 256 * 1024
#: Then paho gets a turn to write: acknowledgements must not wait for a lull.
_PACKETS_A_TURN: Final = 256


class ReadAhead:
    """A socket that reads more than it was asked for, and says what it holds as TLS sockets do."""

    def __init__(self, socket: "SocketLike") -> None:
        self._socket = socket
        self._ahead = b""
        self._at = 0

    def recv(self, buffer_size: int) -> bytes:
        """At most *size* bytes; none at the end of the stream."""
        if self._at == len(self._ahead):
            self._ahead, self._at = self._socket.recv(_AHEAD_BYTES), 0
        part = self._ahead[self._at : self._at + buffer_size]
        self._at += len(part)
        return part

    def send(self, buffer: bytes | bytearray) -> int:
        """Write; returns how many bytes went."""
        return self._socket.send(buffer)

    def close(self) -> None:
        """Close the socket."""
        self._socket.close()

    def fileno(self) -> int:
        """For ``select``."""
        return self._socket.fileno()

    def setblocking(self, flag: bool) -> None:
        """Whether calls wait."""
        self._socket.setblocking(flag)

    def pending(self) -> int:
        """How many bytes can be read without the kernel (paho asks before it waits)."""
        inner = getattr(self._socket, "pending", None)
        return len(self._ahead) - self._at + (0 if inner is None else int(inner()))


class ReadAheadClient(Client):
    """A `paho.mqtt.client.Client` on a `ReadAhead`."""

    def _create_socket(self) -> ReadAhead:
        return ReadAhead(super()._create_socket())

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Read packets as long as they are in the buffer, up to a bound."""
        for _ in range(_PACKETS_A_TURN):
            result = super().loop_read(max_packets)
            socket = self.socket()
            if result or not isinstance(socket, ReadAhead) or not socket.pending():
                return result
        return MQTTErrorCode.MQTT_ERR_SUCCESS
