"""How soon a committed reading is with everybody who watches it live, and at what cost.

Each of ``subscribers`` holds a stream of its own over HTTP: 20 tags, one of ``screens`` choices.
All tags get a reading a second, whose value is the instant just before its commit; ``p50_ms`` and
``p99_ms`` are from then until the event is read by the subscriber, over all of them. ``cores`` is
what the API's process used, ``server_cores`` the database, while that ran.
"""

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from typing import Annotated, Final

import numpy as np
import psycopg
import typer

from benchmarks import stand
from benchmarks.load import MEASURES, plant
from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.db.tiers import ensure_span

_TAGS: Final = 20
_SETTLE_S: Final = 3.0
#: Values are milliseconds since the start of the run, so that they fit any number format.
_VALUE: Final = re.compile(rb'"value":(\d+)')
_FEED: Final = """
    INSERT INTO reading (tag_id, ts, value, quality)
    SELECT id, %s, %s, 192 FROM tag"""


def main(
    quick: Annotated[bool, typer.Option(help="a tenth of the load")] = False,
    subscribers: Annotated[int, typer.Option(min=10, help="streams that are open")] = 500,
    screens: Annotated[int, typer.Option(min=1, help="different choices among them")] = 50,
    seconds: Annotated[int, typer.Option(min=5, help="how long it runs")] = 30,
) -> None:
    """Live streams with an update a second each."""
    if quick:
        subscribers, screens, seconds = subscribers // 10, max(1, screens // 10), 3
    tags = -(-screens * _TAGS // MEASURES) * MEASURES
    with stand.database() as dsn:
        paths = _prepare(dsn, tags)
        port = stand.free_port()
        environment = {
            "ERTIS_DSN": dsn,
            "API_PORT": str(port),
            "API_KEYLESS_ROLE": "viewer",
            "API_RATE_BURST": str(10 * subscribers),
        }
        with stand.process("-m", "api", "serve", environment=environment) as api:
            stand.until(lambda: _ready(port), "the API")
            with psycopg.connect(dsn, autocommit=True) as connection, _feeding(dsn) as start_s:
                queries = [
                    "&".join(f"tag={path}" for path in paths[place * _TAGS :][:_TAGS])
                    for place in range(screens)
                ]
                readers = [Reader(queries[n % screens], start_s) for n in range(subscribers)]
                meter = Meter(lambda: (stand.cpu_s(api), stand.server_cpu_s(connection)))
                asyncio.run(_read(readers, port, seconds, meter))
    delays = np.concatenate([np.asarray(reader.delays_ms) for reader in readers])
    typer.echo(
        json.dumps(
            {
                "benchmark": "live",
                "subscribers": subscribers,
                "screens": screens,
                "seconds": seconds,
                "updates": len(delays),
                "updates_per_s_each": round(len(delays) / seconds / subscribers, 3),
                "p50_ms": round(float(np.percentile(delays, 50)), 1),
                "p99_ms": round(float(np.percentile(delays, 99)), 1),
                "cores": round(meter.used[0] / meter.seconds, 3),
                "server_cores": round(meter.used[1] / meter.seconds, 3),
            }
        )
    )


class Meter:
    """What a measured span of time cost: processor seconds as *read* gives them."""

    def __init__(self, read: Callable[[], tuple[float, float]]) -> None:
        self._read = read
        self._began = (0.0, 0.0)
        self._began_s = 0.0
        self.used = (0.0, 0.0)
        self.seconds = 0.0

    def start(self) -> None:
        """The span begins."""
        self._began, self._began_s = self._read(), time.monotonic()

    def stop(self) -> None:
        """The span ends."""
        now = self._read()
        self.used = (now[0] - self._began[0], now[1] - self._began[1])
        self.seconds = time.monotonic() - self._began_s


@dataclass
class Reader:
    """One subscriber: which tags it asks for, and how late their values came [ms]."""

    query: str
    start_s: float
    delays_ms: list[float] = field(default_factory=list)
    _last: bytes = b""

    async def run(self, port: int, measured: asyncio.Event) -> None:
        """Read events until cancelled; those that come while *measured* count."""
        reader, writer = await asyncio.open_connection(stand.HOST, port, limit=1 << 20)
        try:
            request = f"GET /api/v1/live?{self.query} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            writer.write(request.encode())
            while True:
                line = await reader.readuntil(b"\n")
                if line.startswith(b"data: "):
                    self._took(line, counts=measured.is_set())
        finally:
            writer.close()

    def _took(self, line: bytes, *, counts: bool) -> None:
        found = _VALUE.search(line)
        # An event may repeat a value, when another of the tags moved.
        if found is None or found[1] == self._last:
            return
        self._last = found[1]
        if counts:
            self.delays_ms.append((time.monotonic() - self.start_s) * 1000 - int(found[1]))


async def _read(readers: list[Reader], port: int, seconds: int, meter: Meter) -> None:
    measured = asyncio.Event()
    tasks = [asyncio.create_task(reader.run(port, measured)) for reader in readers]
    await asyncio.sleep(_SETTLE_S)
    meter.start()
    measured.set()
    await asyncio.sleep(seconds)
    measured.clear()
    meter.stop()
    for task in tasks:
        task.cancel()
    for task, result in zip(
        tasks, await asyncio.gather(*tasks, return_exceptions=True), strict=True
    ):
        if not task.cancelled() and isinstance(result, BaseException):
            raise result


def _prepare(dsn: str, tags: int) -> list[str]:
    """Tables and a plant; the paths of its tags."""
    upgrade(dsn)
    model = plant(tags)
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, model)
    engine.dispose()
    now = datetime.now(UTC)
    with psycopg.connect(dsn, autocommit=True) as connection:
        ensure_span(connection, "reading", now, now + timedelta(days=1))
    return list(model.tags)


@contextmanager
def _feeding(dsn: str) -> Iterator[float]:
    """A reading a second for each tag; yields when its values count from [s, steady clock]."""
    start_s = time.monotonic()
    stop = threading.Event()

    def feed() -> None:
        with psycopg.connect(dsn, autocommit=True) as connection:
            while not stop.is_set():
                began_s = time.monotonic()
                value = round((began_s - start_s) * 1000)
                connection.execute(_FEED, (datetime.now(UTC), value))
                # Seconds of the feed and ticks of the API must not keep step.
                stop.wait(began_s + 1.013 - time.monotonic())

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield start_s
    finally:
        stop.set()
        thread.join()


def _ready(port: int) -> bool:
    connection = HTTPConnection(stand.HOST, port, timeout=2)
    try:
        connection.request("GET", "/health/ready")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
