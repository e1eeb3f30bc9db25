"""An MQTT 5 server that grants everything and keeps what its clients really put on the wire.

It reads the packets by itself, so that what a library claims to have sent is not taken on trust.
"""

import socket
import struct
import threading
from contextlib import suppress
from dataclasses import dataclass
from enum import IntEnum
from io import BytesIO
from typing import BinaryIO, Final, Self


class Kind(IntEnum):
    """MQTT 5, table 2-1."""

    CONNECT = 1
    PUBLISH = 3
    SUBSCRIBE = 8
    PINGREQ = 12
    DISCONNECT = 14


_SESSION_EXPIRY: Final = 0x11
#: Length of the value of each property that our clients may send; MQTT 5, table 2-4.
_PROPERTY_BYTES: Final = {_SESSION_EXPIRY: 4, 0x21: 2, 0x27: 4, 0x22: 2, 0x17: 1, 0x19: 1, 0x18: 4}


@dataclass(frozen=True, slots=True)
class Published:
    """A PUBLISH, or the will of a CONNECT."""

    topic: str
    payload: bytes
    qos: int
    retain: bool


@dataclass(frozen=True, slots=True)
class Connect:
    """A CONNECT."""

    client_id: str
    version: int
    clean_start: bool
    expiry_s: int
    will: Published | None


@dataclass(frozen=True, slots=True)
class Subscribed:
    """One filter of a SUBSCRIBE."""

    topic: str
    qos: int


@dataclass(frozen=True, slots=True)
class Disconnect:
    """A DISCONNECT with its reason code."""

    reason: int


Packet = Connect | Published | Subscribed | Disconnect


class Recorder:
    """Listens on a free port; `connections` has the packets of each connection, in order."""

    def __init__(self) -> None:
        self.connections: list[list[Packet]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._clients: list[socket.socket] = []
        self._thread = threading.Thread(target=self._accept)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()
        self._thread.join()

    @property
    def packets(self) -> list[Packet]:
        """All packets of all connections."""
        return [packet for each in list(self.connections) for packet in list(each)]

    def published(self, word: str) -> list[Published]:
        """What was published on topics with the level *word*."""
        return [
            packet
            for packet in self.packets
            if isinstance(packet, Published) and word in packet.topic.split("/")
        ]

    def deliver(self, topic: str, payload: bytes) -> None:
        """Send a PUBLISH at QoS 0 to the newest client."""
        body = _text(topic) + b"\0" + payload
        self._clients[-1].sendall(bytes([Kind.PUBLISH << 4]) + _varint(len(body)) + body)

    def cut(self) -> None:
        """End all connections without a word."""
        for client in self._clients:
            with suppress(OSError):  # it has gone by itself
                client.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:  # closed
                return
            self._clients.append(client)
            packets: list[Packet] = []
            self.connections.append(packets)
            try:
                with client, client.makefile("rb") as stream:
                    while head := stream.read(1):
                        body = BytesIO(stream.read(_read_varint(stream)))
                        self._take(client, packets, head[0], body)
            except OSError:  # cut
                continue

    def _take(self, client: socket.socket, packets: list[Packet], head: int, body: BytesIO) -> None:
        match head >> 4:
            case Kind.CONNECT:
                packets.append(_connect(body))
                client.sendall(b"\x20\x03\0\0\0")
            case Kind.PUBLISH:
                published, packet_id = _publish(head, body)
                packets.append(published)
                if packet_id is not None:
                    client.sendall(b"\x40\x02" + packet_id)
            case Kind.SUBSCRIBE:
                packet_id = body.read(2)
                _properties(body)
                granted = bytearray()
                while body.tell() < len(body.getbuffer()):
                    packets.append(Subscribed(_read_text(body), body.read(1)[0] & 3))
                    granted.append(1)
                client.sendall(bytes([0x90, 3 + len(granted)]) + packet_id + b"\0" + granted)
            case Kind.PINGREQ:
                client.sendall(b"\xd0\0")
            case Kind.DISCONNECT:
                packets.append(Disconnect((body.read(1) or b"\0")[0]))
                client.shutdown(socket.SHUT_RDWR)


def _connect(body: BytesIO) -> Connect:
    assert _read_text(body) == "MQTT"
    version, flags = body.read(2)
    body.read(2)  # keep alive
    expiry_s = _properties(body).get(_SESSION_EXPIRY, 0)
    client_id = _read_text(body)
    will = None
    if flags & 0x04:
        _properties(body)
        topic = _read_text(body)
        will = Published(topic, _read_bytes(body), flags >> 3 & 3, bool(flags & 0x20))
    return Connect(client_id, version, bool(flags & 0x02), expiry_s, will)


def _publish(head: int, body: BytesIO) -> tuple[Published, bytes | None]:
    qos = head >> 1 & 3
    topic = _read_text(body)
    packet_id = body.read(2) if qos else None
    _properties(body)
    return Published(topic, body.read(), qos, bool(head & 1)), packet_id


def _properties(body: BytesIO) -> dict[int, int]:
    length = _read_varint(body)
    end = body.tell() + length
    found: dict[int, int] = {}
    while body.tell() < end:
        kind = body.read(1)[0]
        found[kind] = int.from_bytes(body.read(_PROPERTY_BYTES[kind]))
    return found


def _read_varint(stream: BinaryIO) -> int:
    value = shift = 0
    while True:
        byte = stream.read(1)[0]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value
        shift += 7


def _varint(value: int) -> bytes:
    made = bytearray()
    while value >= 0x80:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*made, value])


def _read_bytes(body: BytesIO) -> bytes:
    (length,) = struct.unpack("!H", body.read(2))
    return body.read(length)


def _read_text(body: BytesIO) -> str:
    return _read_bytes(body).decode()


def _text(text: str) -> bytes:
    raw = text.encode()
    return struct.pack("!H", len(raw)) + raw
