"""``/metrics``, ``/health/live`` and ``/health/ready`` over HTTP."""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CONTENT_TYPE_LATEST

from ingest.counters import Counters
from schemas.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Part:
    """One thing that ingest needs: whether it is there, and in words."""

    ready: bool
    state: str


class Readiness:
    """What `look` finds, and since when each part is as it is. Any thread may `see`."""

    def __init__(self, look: Callable[[], Mapping[str, Part]]) -> None:
        self._look = look
        self._lock = threading.Lock()
        self._since: dict[str, tuple[Part, datetime]] = {}

    def see(self) -> Mapping[str, tuple[Part, datetime]]:
        """Every part with the time at which it was first seen so; look often, or that is late."""
        with self._lock:
            now = datetime.now(UTC)
            self._since = {
                name: known
                if (known := self._since.get(name)) and known[0] == part
                else (part, now)
                for name, part in self._look().items()
            }
            return self._since

    def document(self) -> tuple[bool, Mapping[str, object]]:
        """Whether all are ready; and as JSON, with the times of those that are not."""
        parts = self.see()
        missing = {name: f"{at:%FT%TZ}" for name, (part, at) in parts.items() if not part.ready}
        states = {name: part.state for name, (part, _) in parts.items()}
        return not missing, {
            "ready": not missing,
            **states,
            **({"since": missing} if missing else {}),
        }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ANN401 - the base's
        if not isinstance(sys.exception(), ConnectionError):  # a probe may hang up
            super().handle_error(request, client_address)


class HealthServer:
    """A small HTTP server on threads of its own, from construction to `close`.

    Raises
    ------
    ConfigError
        The port is taken.
    """

    def __init__(self, host: str, port: int, counters: Counters, readiness: Readiness) -> None:
        try:
            self._server = _Server((host, port), _handler(counters, readiness))
        except OSError as error:
            raise ConfigError(
                "INGEST_METRICS_PORT", port, f"name a free port of {host} ({error.strerror})"
            ) from error
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
                    self._ready(*readiness.document())
                case _:
                    self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"no such page\n")

        def _ready(self, ready: bool, document: Mapping[str, object]) -> None:
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
