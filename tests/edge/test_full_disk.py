"""An agent whose disk is full, and then is not."""

import asyncio
from pathlib import Path

from prometheus_client import CollectorRegistry

from edge.agent import Agent
from edge.counters import EdgeCounters
from edge.delivery import Limits
from edge.identity import Identity
from edge.spool import Spool
from schemas.reading import Reading
from schemas.settings import MqttSettings
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

COUNT = 20_000


def test_readings_wait_in_memory_until_the_disk_has_room(tmp_path: Path) -> None:
    """None is lost and each is counted once; events and their marks wait together."""
    registry = CollectorRegistry()

    def count(name: str) -> float:
        return registry.get_sample_value(f"ertis_edge_{name}") or 0.0

    async def run() -> None:
        spool = Spool(tmp_path / "spool.sqlite")
        agent = Agent(
            Identity("site", "node", "ertis"),
            {"plc": ["a"]},
            spool,
            limits=Limits(),
            settings=MqttSettings(port=free_port()),
            counters=EdgeCounters(registry),
        )
        (pages,) = spool._db.execute("pragma page_count").fetchone()
        spool._db.execute(f"pragma max_page_count = {pages + 2}")
        running = asyncio.create_task(agent.run())
        agent.feed("plc", [Reading("a", ts, 1.0) for ts in range(COUNT)], marks={"log": 7})
        await asyncio.to_thread(until, lambda: agent._full, "a full disk")
        agent.feed("plc", [Reading("a", COUNT, 1.0)])
        assert (count("readings_spooled_total"), agent.unacknowledged) == (0, COUNT + 1)
        await agent._on_disk(spool._db.execute, "pragma max_page_count = 1000000")
        spooled = "readings_spooled_total"
        await asyncio.to_thread(until, lambda: count(spooled) == COUNT + 1, "all on disk")
        agent.leave()
        await running

    asyncio.run(run())
    spool = Spool(tmp_path / "spool.sqlite")

    assert spool.contents().readings == COUNT + 1
    assert spool.marks() == {"log": 7}
    assert count("readings_overflowed_total") == 0
