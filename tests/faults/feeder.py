"""``python -m tests.faults.feeder``: the edge agent, fed from a `Load` and not from PLCs.

Spool, session and connection are those of ``python -m edge run``. The source differs: it is fast
enough for thousands of frames, and it repeats itself. How far it was read is kept in the spool with
the readings, as for an event log, so that even a kill of this process may lose nothing. Ends with 0
once everything is known to be in the database.
"""

import asyncio
import json
import sys
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

import structlog
from prometheus_client import CollectorRegistry

from edge.agent import Agent
from edge.bootstrap import make_agent, open_spool, operate
from edge.config import DeliveryTable, NodeTable, SpoolTable
from edge.counters import EdgeCounters
from schemas.process import configure_logs
from tests.faults.load import GROUP, HOST, Load

log = structlog.get_logger()

_MARK: Final = "step"
#: A tenth of the usual, so that a scenario is soon over.
_ACK_TIMEOUT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class Feed:
    """What one feeder is told: the load, steps a second, and how the agent delivers.

    Without a ``rate`` each step waits for its own time: its readings are as live as can be.
    """

    load: Load
    data_dir: str
    rate: float | None
    replay_readings_per_s: float

    def to_json(self) -> str:
        """As the command's argument."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> "Feed":
        """Out of the command's argument."""
        given = json.loads(text)
        return cls(Load(**given.pop("load")), **given)


@dataclass(frozen=True, slots=True)
class _Config:
    node: NodeTable
    spool: SpoolTable
    delivery: DeliveryTable


async def run(feed: Feed) -> bool:
    """Feed and deliver everything; whether it came to its end."""
    config = _Config(
        NodeTable(group=GROUP, id=feed.load.node, host=HOST),
        SpoolTable(),
        DeliveryTable(
            ack_timeout_s=_ACK_TIMEOUT_S, replay_readings_per_s=feed.replay_readings_per_s
        ),
    )
    spool = open_spool(config.node, config.spool, Path(feed.data_dir))
    done = spool.marks().get(_MARK, 0)
    agent = make_agent(config, feed.load.devices, spool, EdgeCounters(CollectorRegistry()))
    return await operate(agent, [_measure(agent, feed, done)])


async def _measure(agent: Agent, feed: Feed, done: int) -> None:
    load, true_ns, ahead_ns = feed.load, time.time_ns, 0
    for device in load.devices:
        agent.feed(device, link=True)
    started_s = time.monotonic()
    with patch("time.time_ns", lambda: true_ns() + ahead_ns):
        for step in range(done, load.steps):
            ahead_ns = load.ahead_ns(step)
            # No await before the end of the loop: one group commit takes all, and the mark.
            for device, readings in load.step(step):
                agent.feed(device, readings, marks={_MARK: step + 1})
            if feed.rate is None:
                await asyncio.sleep(load.ts_ms(step + 1) / 1000 - time.time())
            else:
                await asyncio.sleep(started_s + (step + 1 - done) / feed.rate - time.monotonic())
        log.info("fed", steps=load.steps)
        await agent.settled()


def main() -> None:
    """Run the feed that the argument describes."""
    configure_logs("feeder")
    sys.exit(0 if asyncio.run(run(Feed.from_json(sys.argv[1]))) else 1)


if __name__ == "__main__":
    main()
