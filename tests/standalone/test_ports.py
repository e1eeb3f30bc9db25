"""Ports: taken, free, answering."""

import re
import socket
from collections.abc import Iterator

import pytest

from schemas.errors import ConfigError
from standalone.ports import answers, check_ports, listens
from tests.fixtures.ports import free_port


@pytest.fixture
def busy() -> Iterator[int]:
    """A port on which something listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_free_ports_pass() -> None:
    """Free ports raise nothing."""
    check_ports({"--port": [free_port()]})


def test_busy_port_names_the_option_and_one_that_is_free(busy: int) -> None:
    """A busy port is the operator's error, and the port that is offered instead is free."""
    with pytest.raises(ConfigError, match="another program listens there") as caught:
        check_ports({"--port": [busy]})

    offered = re.search(r"--port (\d+)$", str(caught.value))
    assert caught.value.key == "--port"
    assert offered is not None
    check_ports({"--port": [int(offered.group(1))]})


def test_port_listened_on_at_every_address_is_busy() -> None:
    """A server on 0.0.0.0 has the loopback address too."""
    with socket.create_server(("0.0.0.0", 0)) as server, pytest.raises(ConfigError):  # noqa: S104 - the case
        check_ports({"--port": [server.getsockname()[1]]})


def test_one_port_for_two_options_is_refused() -> None:
    """Two options must not share a port, which would show only when the second service starts."""
    port = free_port()
    with pytest.raises(ConfigError, match="--port wants it too"):
        check_ports({"--port": [port], "--mqtt-port": [port]})


def test_port_beyond_the_last_is_refused() -> None:
    """A row of ports that runs past 65535 is an error of the option, not a crash."""
    with pytest.raises(ConfigError, match="65535"):
        check_ports({"--plc-port": [65536]})


def test_listening_is_noticed(busy: int) -> None:
    """`listens` tells a server from a free port."""
    assert listens(busy)
    assert not listens(free_port())


def test_no_answer_is_not_an_answer(busy: int) -> None:
    """A port without HTTP, or without anything, does not answer."""
    assert not answers(free_port(), "/health/ready")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)
        port = server.getsockname()[1]
        client = socket.create_connection(("127.0.0.1", port))
        client.close()
    assert not answers(port, "/")
