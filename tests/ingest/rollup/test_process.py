"""The rollup worker in its own process."""

import threading

import psutil
import psycopg

from ingest.rollup.process import RollupProcess
from tests.fixtures.until import until


def children() -> list[psutil.Process]:
    """The Python processes that this one started by multiprocessing's spawn."""
    return [
        child
        for child in psutil.Process().children()
        if any("spawn_main" in word for word in child.cmdline())
    ]


def test_it_tells_its_counters_and_ends_when_told(database: str) -> None:
    """Counters of the worker are shown here; after stop no process of it is left."""
    rollup, stop = RollupProcess(database, None), threading.Event()
    running = threading.Thread(target=rollup.run, args=(stop,))
    running.start()
    try:
        until(lambda: any(m.name == "ertis_rollup_failures" for m in rollup.collect()), "counters")
        assert len(children()) == 1
    finally:
        stop.set()
        running.join()
    assert not children()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM rollup_1m").fetchone() == (0,)
