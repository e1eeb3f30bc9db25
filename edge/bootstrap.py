"""The one place where an agent is put together and run."""

import asyncio
import signal
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from prometheus_client import CollectorRegistry, start_http_server

from edge.agent import Agent
from edge.command import NOTHING, Writable
from edge.config import DeliveryTable, EdgeConfig, NodeTable, SpoolTable
from edge.counters import EdgeCounters
from edge.delivery import Limits
from edge.identity import Identity
from edge.roster import Roster, keep_reloading, paths_of, writable_of
from edge.spool import Spool
from schemas.errors import ConfigError
from schemas.fault import FaultPoint
from schemas.settings import MqttSettings, read_environment

_MB: Final = 1_000_000
_SPOOLS: Final = Path(".ertis/spool")


class NodeConfig(Protocol):
    """What every kind of agent file says."""

    @property
    def node(self) -> NodeTable:
        """Who it is."""

    @property
    def spool(self) -> SpoolTable:
        """What it keeps."""

    @property
    def delivery(self) -> DeliveryTable:
        """How it sends."""


async def run_agent(
    read: Callable[[], EdgeConfig], data_dir: Path | None, metrics_port: int | None
) -> None:
    """Scan and deliver what *read* says until SIGTERM or SIGINT; read again at SIGHUP.

    Raises
    ------
    ConfigError
        The file, the spool, the port for counters or the environment cannot be used.
    """
    registry = CollectorRegistry()
    counters = EdgeCounters(registry)
    config = read()
    agent = make_agent(
        config,
        paths_of(config),
        open_spool(config.node, config.spool, data_dir),
        counters,
        writable=writable_of(config),
    )
    if metrics_port is not None:
        try:
            start_http_server(metrics_port, "127.0.0.1", registry)
        except OSError as error:
            raise ConfigError("--metrics-port", metrics_port, f"{error.strerror}") from error
    roster = Roster(config, agent, counters)
    hangup = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, hangup.set)
    await operate(agent, [roster.keep(), keep_reloading(read, roster, hangup)])


def open_spool(node: NodeTable, table: SpoolTable, data_dir: Path | None) -> Spool:
    """The spool in *data_dir*, or where the node has its own."""
    folder = data_dir or _SPOOLS / node.id
    return Spool(
        folder / "spool.sqlite",
        max_bytes=int(table.max_mb * _MB),
        max_age_s=table.max_age_h * 3600,
        fault=FaultPoint.of_environment(),
    )


def make_agent(
    config: NodeConfig,
    paths: Mapping[str, Sequence[str]],
    spool: Spool,
    counters: EdgeCounters,
    *,
    live: bool = True,
    writable: Mapping[str, Writable] = NOTHING,
) -> Agent:
    """An agent for the devices that *paths* name, with the broker of the environment."""
    delivery = config.delivery
    limits = Limits(
        delivery.window_frames,
        int(delivery.window_mb * _MB),
        delivery.replay_readings_per_s,
        delivery.ack_timeout_s,
    )
    node = config.node
    return Agent(
        Identity(node.group, node.id, node.host),
        paths,
        spool,
        limits=limits,
        settings=read_environment(MqttSettings),
        counters=counters,
        live=live,
        writable=writable,
        max_bytes=int(config.spool.max_mb * _MB),
    )


async def operate(agent: Agent, works: Sequence[Coroutine[None, None, None]]) -> bool:
    """Run *agent* and what feeds it, until all that has ended or a signal asks for the end.

    Whether it ended by itself. What was fed is committed in either case, and the node says
    farewell.
    """
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked.set)
    running: asyncio.Task[object] = asyncio.create_task(agent.run(), name="agent")
    waiting: asyncio.Task[object] = asyncio.create_task(asked.wait(), name="signal")
    feeding: asyncio.Task[object] = asyncio.create_task(_all(works), name="works")
    try:
        await asyncio.wait([running, waiting, feeding], return_when=asyncio.FIRST_COMPLETED)
        finished = feeding.done()
        feeding.cancel()
        waiting.cancel()
        with suppress(asyncio.CancelledError):
            await feeding
    finally:
        agent.leave()
        await running
    return finished


async def _all(works: Sequence[Coroutine[None, None, None]]) -> None:
    await asyncio.gather(*works)
