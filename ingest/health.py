"""``/metrics``, ``/health/live`` and ``/health/ready`` over HTTP."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from prometheus_client import CONTENT_TYPE_LATEST

from ingest.counters import Counters
from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that ingest needs: whether it is there, and in words."""

    ready: bool
    state: str


Readiness = Callable[[], Mapping[str, Part]]


class HealthServer:
    """A small HTTP server on threads of its own, from construction to `close`.

    Raises
    ------
    ConfigError
        The port is taken.
    """

    def __init__(self, host: str, port: int, counters: Counters, readiness: Readiness) -> None:
        try:
            self._server = ThreadingHTTPServer((host, port), _handler(counters, readiness))
        except OSError as error:
            raise ConfigError(
                "INGEST_METRICS_PORT", port, f"name a free port of {host} ({error.strerror})"
            ) from error
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="health")
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _handler(counters: Counters, readiness: Readiness) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            match self.path:
                case "/metrics":
                    self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, counters.exposition())
                case "/health/live":
                    self._answer(HTTPStatus.OK, "application/json", b'{"live": true}')
                case "/health/ready":
                    self._ready(readiness())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"no such page\n")

        def _ready(self, parts: Mapping[str, Part]) -> None:
            ready = all(part.ready for part in parts.values())
            document = {"ready": ready, **{name: part.state for name, part in parts.items()}}
            status = HTTPStatus.OK if ready else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, "application/json", json.dumps(document).encode())

        def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """A probe every few seconds is nothing to log."""

    return Handler
