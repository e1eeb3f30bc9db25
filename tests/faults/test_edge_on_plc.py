"""SIGKILL of ``python -m edge run`` beside a PLC: how much a source that forgets can lose."""

import random
import shutil
import time
from functools import partial
from pathlib import Path

import pytest

from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.plant.file import load_plant
from schemas.quality import Quality
from simulator.ledger import read_served
from simulator.potline import EVENTS
from simulator.wiring import wire
from tests.e2e.park import PLANTS, every_scan, sources
from tests.e2e.processes import Service
from tests.faults.load import Readings
from tests.faults.metrics import sample
from tests.faults.scenario import Promise
from tests.faults.stand import PATIENCE_S, Stand, stored_readings
from tests.fixtures.ports import free_port, free_row
from tests.fixtures.until import until

KILLS = 3
#: A group commit may be 250 ms old, and a scan 1 s when it is read.
LOST_MS = 1_250


@pytest.fixture
def faults_database(database: str) -> str:
    """DSN of a database with the plant that the simulator plays."""
    engine = make_engine(database, pool_size=1)
    with engine.begin() as connection:
        store_plant(connection, load_plant(PLANTS / "pavlodar.toml"))
    engine.dispose()
    return database


@pytest.mark.fault(
    f"SIGKILL of the edge beside a PLC, {KILLS} times at random", promise=Promise.EDGE
)
def test_edge_killed_beside_plc(stand: Stand) -> None:
    """At most what the PLC answered in the last 250 ms is gone; no event of its log ever is."""
    shutil.copytree(PLANTS, stand.folder / "plants")
    config = stand.folder / "plants" / "pavlodar" / "potline-1.toml"
    config.write_text(every_scan(config.read_text()))
    plcs = wire(load_plant(PLANTS / "pavlodar.toml"))
    ports, metrics = free_row(len(plcs)), free_port()
    plc = stand.start(
        "simulator",
        *("simulator", "run", "--plant", str(stand.folder / "plants" / "pavlodar.toml")),
        *("--port", str(ports[0]), "--tap-every-s", "5", "--ledger", str(stand.folder / "truth")),
    )
    ingest = stand.start_ingest()

    def start() -> Service:
        return stand.start(
            "potline-1",
            *("edge", "run", "--config", str(config), "--data-dir", str(stand.folder / "spool")),
            *(*sources(plcs, "potline-1", ports), "--metrics-port", str(metrics)),
        )

    edge, killed_ms = start(), []
    chance = random.Random(3)  # noqa: S311 - a fault, not a secret
    for _ in range(KILLS):
        rows = stand.count()
        stand.wait_rows(rows + 100)
        time.sleep(chance.uniform(0.0, 1.0))  # the fault itself: at any moment of a scan
        edge.kill()
        killed_ms.append(time.time_ns() // 1_000_000)
        edge = start()
    with stand.scenario.recovery():
        stand.wait_rows(stand.count() + 100)
    assert plc.stop() == 0
    for name, what in (
        ("ertis_edge_device_up", "the agent to miss the PLC"),
        ("ertis_edge_readings_unacknowledged", "the last Commit Through"),
    ):
        until(partial(is_zero, metrics, name), what, PATIENCE_S)
    assert edge.stop() == 0
    stand.end(ingest)

    served, stored = ledger(stand.folder / "truth"), stored_readings(stand.dsn)
    missing = {key for key in served if key not in stored}
    assert {tag for tag, _ in missing if tag.endswith(EVENTS)} == set()
    late = [key for key in missing if not any(0 <= at - key[1] <= LOST_MS for at in killed_ms)]
    assert not late, late[:5]
    said = {key: value for key, value in stored.items() if key not in served}
    assert all(is_word_of_the_agent(path, *value) for (path, _), value in said.items())
    stand.check({key: value for key, value in served.items() if key not in missing} | said)
    stand.scenario.sent, stand.scenario.lost = len(served), len(missing)
    stand.scenario.stored = len(served) - len(missing)


def is_zero(port: int, metric: str) -> bool:
    """Whether *metric* is 0 by now."""
    return sample(port, metric) == 0.0


def ledger(folder: Path) -> Readings:
    """What the PLC answered, as readings."""
    return {key: (value, Quality.GOOD) for key, value in read_served(folder).items()}


def is_word_of_the_agent(path: str, value: float | None, quality: int) -> bool:
    """Whether a reading is the agent's own: a PLC that does not answer, a log that was read."""
    return quality == Quality.BAD or (path.endswith(EVENTS) and value == 0.0)
