"""TCP ports of the loopback address: free before a start, answering after it."""

import errno
import http.client
import socket
from collections.abc import Iterable, Mapping

from schemas.errors import ConfigError

HOST = "127.0.0.1"
ANSWER_WITHIN_S = 2.0


def check_ports(wanted: Mapping[str, Iterable[int]]) -> None:
    """Make sure that the ports *wanted* by each option are free.

    Raises
    ------
    ConfigError
        A port is taken or not ours to take, or two options want the same one; names the option and
        a port that would do.
    """
    owners: dict[int, str] = {}
    for option, ports in wanted.items():
        for port in ports:
            if port in owners:
                raise ConfigError(option, port, f"{owners[port]} wants it too; choose another")
            owners[port] = option
            if (reason := _obstacle(port)) is not None:
                free = _free_port(port + 1, avoid=owners)
                raise ConfigError(option, port, f"{reason}; choose another: {option} {free}")


def _obstacle(port: int) -> str | None:
    """Why this process cannot listen on *port*; None if it can."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OverflowError:
            return "ports end at 65535"
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return "another program listens there"
            return f"the system refuses it ({error.strerror})"
    return None


def _free_port(start: int, avoid: Iterable[int]) -> int:
    taken = set(avoid)
    candidates = (port for port in range(max(start, 1024), 65536) if port not in taken)
    return next((port for port in candidates if _obstacle(port) is None), 0)


def listens(port: int) -> bool:
    """Whether something accepts connections on *port*."""
    with socket.socket() as probe:
        probe.settimeout(ANSWER_WITHIN_S)
        return probe.connect_ex((HOST, port)) == 0


def answers(port: int, path: str, having: str = "") -> bool:
    """Whether ``GET path`` on *port* is answered with 200 and a text *having* these words."""
    connection = http.client.HTTPConnection(HOST, port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException):
        return False
    else:
        return answer.status == http.client.OK and having in text
    finally:
        connection.close()
