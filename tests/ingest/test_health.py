"""The health server beside clients that misbehave."""

import http.client
import socket
import struct

import pytest

from ingest.counters import Counters
from ingest.health import HealthServer, Readiness

_LINGER_NOT = struct.pack("ii", 1, 0)  # close sends RST


def test_a_probe_that_hangs_up_is_no_error(capfd: pytest.CaptureFixture[str]) -> None:
    """Reset before the answer: nothing is printed, and the next probe is answered."""
    server = HealthServer("127.0.0.1", 0, Counters(), Readiness(dict))
    try:
        for _ in range(20):
            probe = socket.create_connection(("127.0.0.1", server.port))
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_NOT)
            probe.sendall(b"GET /metrics HTTP/1.1\r\nHost: ertis\r\n\r\nGET /metrics HTTP/1.1\r\n")
            probe.close()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request("GET", "/health/ready")
        assert connection.getresponse().status == 200
        connection.close()
    finally:
        server.close()

    assert "Traceback" not in "".join(capfd.readouterr())
