"""Ingest and API as processes, behind a broker and a database of the test's own."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.processes import Service
from tests.fixtures.broker import Broker
from tests.fixtures.monitor import Judge
from tests.fixtures.ports import free_port


@dataclass
class Backend:
    """The services by name, and how to ask them."""

    folder: Path
    dsn: str
    broker: Broker
    api_port: int = field(default_factory=free_port)
    services: dict[str, Service] = field(default_factory=dict)

    def service(self, name: str, *command: str) -> Service:
        """A service that is not started yet, with broker and database in its environment."""
        env = {
            "MQTT_HOST": self.broker.host,
            "MQTT_PORT": str(self.broker.port),
            "ERTIS_DSN": self.dsn,
            "API_KEYLESS_ROLE": "viewer",
        }
        made = Service(name, command, env, self.folder / f"{name}.log")
        self.services[name] = made
        return made

    def get(self, path: str, **parameters: str) -> dict[str, Any]:
        """The API's JSON answer; anything but 200 fails the test with the problem's text."""
        answer = httpx.get(f"http://127.0.0.1:{self.api_port}{path}", params=parameters, timeout=60)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def ready(self) -> bool:
        """Whether the API is up and finds its database."""
        try:
            answer = httpx.get(f"http://127.0.0.1:{self.api_port}/health/ready", timeout=5)
        except httpx.TransportError:
            return False
        return answer.status_code == 200


@contextmanager
def backend(folder: Path, dsn: str, broker: Broker, plant: Path) -> Iterator[Backend]:
    """Migrate, store *plant*, start ingest and API; end whatever still runs at the end.

    All that is said on the broker is held to Sparkplug's rules, and judged at the end.
    """
    made = Backend(folder, dsn, broker)
    judge = Judge(broker.host, broker.port)
    migrate = made.service("migrate", "ingest", "migrate", "--plant", str(plant))
    migrate.start()
    assert migrate.wait() == 0, migrate.tail()
    made.service("ingest", "ingest", "run").start()
    made.service("api", "api", "serve", "--port", str(made.api_port)).start()
    try:
        yield made
    finally:
        for each in reversed(made.services.values()):
            if each.running:
                each.kill()
        judge.close()
