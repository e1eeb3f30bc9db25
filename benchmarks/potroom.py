"""The whole park behind the API, with new readings of its 724 pots every second.

The plant is that of ``python -m simulator park --scale 1``: 57,581 tags, of which a map of the
potrooms shows three for each pot. The simulator's own values of these go straight into the table
that ingest fills; how readings get there is measured elsewhere.
"""

import http.client
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import psycopg

from benchmarks import stand
from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.db.tiers import ensure_span
from schemas.instant import from_ms
from schemas.plant.model import Plant
from simulator.park import Park
from simulator.scale import park_at

#: What a map shows of a pot.
MEASURES: Final = ("voltage", "voltage_target", "anode_effect")
_SEED: Final = 1
_WRITE: Final = """
    INSERT INTO reading (tag_id, ts, value, quality)
    SELECT tag_id, %(at)s, value, 192
    FROM unnest(%(ids)s::int4[], %(values)s::float8[]) AS told (tag_id, value)"""


class Potroom:
    """724 pots whose readings are written once a second while it feeds."""

    def __init__(self, dsn: str, plant: Plant, url: str) -> None:
        self.url = url
        #: The pots, in the order of the plant.
        self.pots = [asset.path for asset in plant.assets.values() if asset.type == "pot"]
        #: The value of each tag that was written last.
        self.values: Mapping[str, float] = {}
        #: How many times all of them were written.
        self.rounds = 0
        self._dsn = dsn
        self._park = Park(plant, time.time_ns() // 1_000_000_000 * 1000, _SEED)
        wanted = {f"{pot}/{measure}" for pot in self.pots for measure in MEASURES}
        self._places = [place for place, path in enumerate(self._park.paths) if path in wanted]
        self._paths = [self._park.paths[place] for place in self._places]
        engine = make_engine(dsn)
        with engine.connect() as connection:
            tag_ids = load_catalogue(connection).tag_ids
        engine.dispose()
        self._ids = [tag_ids[path] for path in self._paths]

    @contextmanager
    def feeding(self) -> Iterator[None]:
        """Write every second; at exit `values` are the last."""
        stop = threading.Event()

        def feed() -> None:
            with psycopg.connect(self._dsn, autocommit=True) as connection:
                while not stop.is_set():
                    self._write(connection)
                    stop.wait(1.0 - time.time() % 1.0)

        thread = threading.Thread(target=feed)
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()

    def _write(self, connection: psycopg.Connection) -> None:
        self._park.scan(max(self._park.ts_ms + 1, time.time_ns() // 1_000_000))
        values = self._park.values()[self._places].tolist()
        at: datetime = from_ms(self._park.ts_ms)
        connection.execute(_WRITE, {"at": at, "ids": self._ids, "values": values})
        self.values = dict(zip(self._paths, values, strict=True))
        self.rounds += 1


def potlines_alone() -> Plant:
    """Of the whole park the smelter, and of its tags those that the map shows."""
    whole = park_at(1.0)
    return replace(
        whole,
        assets={
            path: one
            for path, one in whole.assets.items()
            if path == whole.name or path.startswith("smelter")
        },
        tags={
            path: tag
            for path, tag in whole.tags.items()
            if whole.assets[tag.asset].type == "pot" and tag.measure in MEASURES
        },
        alarms=(),
        targets=(),
    )


@contextmanager
def potroom(plant: Plant) -> Iterator[Potroom]:
    """A database and an API of its own for *plant*; nothing is fed yet."""
    with stand.database() as dsn:
        upgrade(dsn)
        engine = make_engine(dsn)
        with engine.begin() as connection:
            store_plant(connection, plant)
        engine.dispose()
        now = from_ms(time.time_ns() // 1_000_000)
        with psycopg.connect(dsn, autocommit=True) as connection_:
            ensure_span(connection_, "reading", now, now + timedelta(days=1))
        port = stand.free_port()
        environment = {"ERTIS_DSN": dsn, "API_PORT": str(port), "API_KEYLESS_ROLE": "viewer"}
        with stand.process("-m", "api", "serve", environment=environment):
            stand.until(lambda: answers(port), "the API")
            yield Potroom(dsn, plant, f"http://{stand.HOST}:{port}")


def answers(port: int) -> bool:
    """Whether an API is there and has read its plant."""
    connection = http.client.HTTPConnection(stand.HOST, port, timeout=10)
    try:
        connection.request("GET", "/api/v1/plant")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()
