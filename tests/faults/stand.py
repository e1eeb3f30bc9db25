"""What a fault scenario stands on: real services that it may kill, and the checks afterwards."""

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import polars as pl
import psycopg
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from ingest.rollup.worker import RollupWorker
from kpi.derive import derive, derived_tags
from kpi.frames import READINGS, SUMMARY
from kpi.merge import merge
from kpi.summary import summarise
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import make_engine
from schemas.db.frames import FrameReader, tag_frame
from schemas.db.tables import rollup_1h, rollup_1m
from schemas.instant import from_ms, to_ms
from tests.e2e.processes import Service
from tests.faults.feeder import Feed
from tests.faults.load import Load, Readings
from tests.faults.metrics import Watch, fetch
from tests.faults.scenario import Scenario
from tests.fixtures.broker import Broker
from tests.fixtures.monitor import Judge
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_QUICK: Final = {"INGEST_BATCH_MS": "50", "INGEST_ACK_MS": "50", "INGEST_REORDER_MS": "1000"}
#: A slow machine under load takes its time; a promise that is broken never comes true.
PATIENCE_S: Final = 90.0


@dataclass
class Stand:
    """Ingest and edge nodes around one database and one broker.

    ``mqtt`` is where ingest connects; edge nodes connect there too unless told otherwise. All that
    is said there is held to Sparkplug's rules, and judged at the end.
    """

    folder: Path
    dsn: str
    mqtt: tuple[str, int]
    scenario: Scenario
    services: list[Service] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = Watch(free_port())
        self.judge = Judge(*self.mqtt)

    def use(self, broker: Broker) -> None:
        """Stand on another broker than the scenario's own."""
        self.mqtt = (broker.host, broker.port)
        self.listen(broker)

    def listen(self, broker: Broker) -> None:
        """Judge what edge nodes say there."""
        self.judge.close()
        self.judge = Judge(broker.host, broker.port)

    def start_ingest(self, fault: str = "", **settings: str) -> Service:
        """A running ingest; *fault* is the point at which it dies."""
        env = _QUICK | settings
        env |= {"INGEST_METRICS_PORT": str(self.watch.port), "ERTIS_FAULT": fault}
        return self.start("ingest", "ingest", "run", env=env)

    def start_edge(
        self,
        load: Load,
        *,
        mqtt: tuple[str, int] | None = None,
        fault: str = "",
        rate: float | None = 100.0,
        replay_readings_per_s: float = 100_000.0,
    ) -> Service:
        """A running edge node that sends *load*; one that was killed goes on from its spool."""
        folder = str(self.folder / load.node)
        feed = Feed(load, folder, rate=rate, replay_readings_per_s=replay_readings_per_s)
        env = {"ERTIS_FAULT": fault}
        return self.start(
            load.node, "tests.faults.feeder", feed.to_json(), env=env, mqtt=mqtt or self.mqtt
        )

    def start(
        self,
        name: str,
        *command: str,
        env: Mapping[str, str] | None = None,
        mqtt: tuple[str, int] | None = None,
    ) -> Service:
        """A process of ours."""
        host, port = mqtt or self.mqtt
        known = {
            "ERTIS_DSN": self.dsn,
            "MQTT_HOST": host,
            "MQTT_PORT": str(port),
            "MQTT_KEEP_ALIVE_S": "5",
        }
        service = Service(name, command, known | dict(env or {}), self.folder / f"{name}.log")
        service.start()
        assert service.process is not None
        self.services.append(service)
        if command[0] == "ingest":
            self.watch.lives(service.process.pid)
        return service

    def close(self) -> None:
        """End what still runs."""
        self.watch.close()
        for service in self.services:
            if service.running:
                service.kill()
        self.judge.close()

    def ready(self) -> dict[str, object]:
        """What ingest says of its parts; nothing while it does not answer."""
        try:
            return dict(json.loads(fetch(self.watch.port, "/health/ready")))
        except OSError:
            return {}

    def wait_ready(self) -> None:
        """Wait until ingest has all its parts."""
        until(lambda: self.ready().get("ready"), "ingest to be ready", PATIENCE_S)

    def count(self) -> int:
        """Rows in ``reading``; 0 while the database is away."""
        try:
            with psycopg.connect(self.dsn) as connection:
                row = connection.execute("SELECT count(*) FROM reading").fetchone()
        except psycopg.OperationalError:
            return 0
        assert row is not None
        return int(row[0])

    def wait_rows(self, rows: int) -> None:
        """Wait until so many readings are stored."""
        until(lambda: self.count() >= rows, f"{rows} readings in the database", PATIENCE_S)

    def deferred(self, node: str = "") -> int:
        """Readings that this life of ingest left to the spools, or to that of *node*."""
        tallies = self.watch.look().items()
        return sum(tally["deferred"] for source, tally in tallies if node in source)

    def finish(self, ingest: Service, *edges: Service) -> None:
        """Wait until the edge nodes know everything in the database, then end ingest in order."""
        for edge in edges:
            assert edge.wait(PATIENCE_S) == 0, edge.tail()
        self.end(ingest)

    def end(self, ingest: Service) -> None:
        """Wait until nothing is in flight, then end ingest in order."""
        until(self._settled, "nothing in flight", PATIENCE_S)
        assert ingest.stop() == 0, ingest.tail()

    def _settled(self) -> bool:
        return not any(tally["in_flight"] for tally in self.watch.look().values())

    def check(self, ledger: Readings) -> None:
        """Nothing lost, nothing twice, the counts add up, the summaries are those of no fault."""
        stored = stored_readings(self.dsn)
        self._record(ledger, stored)
        missing = dict(ledger.items() - stored.items())
        strange = dict(stored.items() - ledger.items())
        assert not missing, f"{len(missing)} of {len(ledger)} lost: {sorted(missing)[:5]}"
        assert not strange, f"{len(strange)} never sent: {sorted(strange)[:5]}"
        assert self.watch.scrapes, "the counters were never read"
        assert self.judge.messages, "the monitor heard nothing"
        assert not self.watch.broken, self.watch.broken[:3]
        check_summaries(self.dsn, ledger)

    def _record(self, ledger: Readings, stored: Readings) -> None:
        scenario, total = self.scenario, self.watch.total()
        scenario.sent, scenario.stored = len(ledger), len(stored)
        for fate in ("duplicate", "conflicting", "dead_letter", "deferred"):
            setattr(scenario, fate, total[fate])
        scenario.peak_mb = round(self.watch.peak_mb)
        scenario.scrapes = self.watch.scrapes


def stored_readings(dsn: str) -> dict[tuple[str, int], tuple[float | None, int]]:
    """Value and quality by tag path and time [ms] of all that is in ``reading``."""
    with psycopg.connect(dsn) as connection:
        rows = connection.execute(
            "SELECT path, ts, value, quality FROM reading JOIN tag ON tag.id = tag_id"
        ).fetchall()
    found = {(path, to_ms(ts)): (value, quality) for path, ts, value, quality in rows}
    assert len(found) == len(rows)
    return found


def check_summaries(dsn: str, ledger: Readings) -> None:
    """``rollup_1m`` and ``rollup_1h`` are, bit for bit, what `kpi` makes of *ledger* at once."""
    newest = from_ms(max(ts_ms for _, ts_ms in ledger))
    now = max(datetime.now(UTC), newest) + 2 * _HOUR  # so that the hour of every reading is closed
    with closing(RollupWorker(dsn)) as worker:
        while worker.step(now).marked:
            pass
    closed = (now - timedelta(seconds=2)).replace(second=0, microsecond=0)
    expected = _summaries(dsn, ledger, closed)
    with FrameReader(dsn) as frames:
        minutes, hours = (_rollup(frames, table) for table in (rollup_1m, rollup_1h))
    _assert_same(minutes, expected)
    whole = merge(expected, every=_HOUR).filter(pl.col("bucket") + _HOUR <= closed)
    _assert_same(hours, whole)


def _assert_same(found: pl.DataFrame, expected: pl.DataFrame) -> None:
    """The same rows, bit for bit; tells those that differ."""
    columns = list(SUMMARY)
    wrong = found.join(expected, on=columns, how="anti", nulls_equal=True)
    right = expected.join(found, on=columns, how="anti", nulls_equal=True)
    assert wrong.is_empty(), f"summaries {wrong.rows()[:3]} should be {right.rows()[:3]}"
    assert right.is_empty(), f"summaries missing: {right.rows()[:3]}"
    assert_frame_equal(found, expected, check_exact=True)


def _rollup(frames: FrameReader, table: sa.Table) -> pl.DataFrame:
    rows = frames.fetch(sa.select(table).order_by(table.c.tag_id, table.c.bucket))
    return rows.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())


def _summaries(dsn: str, ledger: Readings, end: datetime) -> pl.DataFrame:
    """Summaries by minute of the readings of *ledger*, computed without ingest."""
    catalogue = _catalogue(dsn)
    ids = catalogue.tag_ids
    readings = pl.DataFrame(
        [(ids[path], from_ms(ts), *value) for (path, ts), value in ledger.items()],
        schema=dict(READINGS),
        orient="row",
    )
    tags = tag_frame(catalogue, catalogue.tags)
    start = readings["ts"].min()
    assert isinstance(start, datetime)
    start = start.replace(minute=0, second=0, microsecond=0)
    derived = derived_tags(catalogue.plant, ids)
    computed = derive(readings, derived, derived, tags)
    return summarise(pl.concat([readings, computed]), tags, start, end, _MINUTE)


def _catalogue(dsn: str) -> Catalogue:
    engine = make_engine(dsn, pool_size=1)
    try:
        with engine.connect() as connection:
            return load_catalogue(connection)
    finally:
        engine.dispose()
