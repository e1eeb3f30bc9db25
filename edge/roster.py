"""The devices that are scanned, and how they change while the agent runs.

A device whose table and tags are the same in the new file goes on undisturbed, with its connection
and its deadbands. One that changed ends behind the scan that it is in, and begins anew at once:
nothing that was read is dropped, and event logs go on where they were. Spool and session go on for
all of them; the node is born anew, so that hosts know what it has now.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import structlog

from edge.agent import Agent
from edge.command import Writable
from edge.config import EdgeConfig
from edge.counters import EdgeCounters
from edge.scan import keep_scanning
from edge.source import Source, WritableSource
from edge.sources.device import Device
from schemas.errors import ConfigError

#: How long a device that is to end may take for the scan that it is in [s].
_LAST_SCAN_S: Final = 10.0
#: Time between two looks at links, ages and clocks [s].
_WATCH_S: Final = 1.0

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Difference:
    """What a new file has that the old one had not, by device."""

    added: Sequence[str]
    removed: Sequence[str]
    changed: Sequence[str]

    @classmethod
    def between(cls, old: EdgeConfig, new: EdgeConfig) -> "Difference":
        """From *old* to *new*.

        Raises
        ------
        ConfigError
            What cannot change while the agent runs has changed.
        """
        for table in ("node", "spool", "delivery"):
            if getattr(old, table) != getattr(new, table):
                raise ConfigError(f"[{table}]", "another one", "restart the agent to change it")
        before = {device.device: device for device in old.devices}
        after = {device.device: device for device in new.devices}
        return cls(
            sorted(after.keys() - before.keys()),
            sorted(before.keys() - after.keys()),
            sorted(n for n in before.keys() & after.keys() if before[n] != after[n]),
        )


@dataclass(frozen=True, slots=True)
class _Scanner:
    """A device that is scanned."""

    source: Source
    ending: asyncio.Event
    task: asyncio.Task[None]

    async def end(self) -> None:
        """Let it end behind its scan; what waits for the device to speak ends at once."""
        self.ending.set()
        if self.source.period_s == 0:
            self.task.cancel()
        await asyncio.wait([self.task], timeout=_LAST_SCAN_S)
        self.task.cancel()
        await asyncio.wait([self.task])


class Roster:
    """A scanning task for each device of *config*."""

    def __init__(self, config: EdgeConfig, agent: Agent, counters: EdgeCounters) -> None:
        self.config = config
        self._agent = agent
        self._counters = counters
        self._scanners: dict[str, _Scanner] = {}
        self._tasks = asyncio.TaskGroup()

    async def keep(self) -> None:
        """Scan until cancelled; a fault of one device's task is the fault of all."""
        self._agent.watch.follow(self.config.links)
        async with self._tasks:
            for device in self.config.devices:
                self._begin(device)
            while True:
                self._agent.feed("", self._agent.watch.look(time.time_ns() // 1_000_000))
                await asyncio.sleep(_WATCH_S)

    async def change(self, config: EdgeConfig) -> Difference:
        """Go over to *config*.

        Raises
        ------
        ConfigError
            It cannot be gone over to; nothing has changed.
        """
        difference = Difference.between(self.config, config)
        beginning = {*difference.added, *difference.changed}
        for device in config.devices:
            if device.device in beginning:
                device.open({})  # a missing library is told before anything ends
        ending = [*difference.removed, *difference.changed]
        for name in ending:
            self._agent.writers.pop(name, None)
        await asyncio.gather(*(self._scanners.pop(name).end() for name in ending))
        for name in difference.removed:
            self._agent.feed(name, link=False)
            self._agent.watch.forget(name)
            self._counters.device_up.labels(name).set(0)
        await self._agent.declare(
            {name: paths for name, paths in paths_of(config).items() if name in {"", *beginning}},
            writable_of(config),
        )
        self._agent.watch.follow(config.links)
        for device in config.devices:
            if device.device in beginning:
                self._begin(device)
        self.config = config
        return difference

    def _begin(self, device: Device) -> None:
        source, ending = device.open(self._agent.marks), asyncio.Event()
        scanning = keep_scanning(source, device.rules, self._agent, self._counters, ending)
        task = self._tasks.create_task(scanning, name=device.device)
        self._scanners[device.device] = _Scanner(source, ending, task)
        if device.writable and isinstance(source, WritableSource):
            self._agent.writers[device.device] = source.write


def paths_of(config: EdgeConfig) -> Mapping[str, Sequence[str]]:
    """The tags of each device, and under the empty name those of the node itself."""
    own = [link.path for link in config.links.values()]
    return {"": own} | {device.device: device.paths for device in config.devices}


def writable_of(config: EdgeConfig) -> Mapping[str, Writable]:
    """The tags of each device that may be written, within the limits of the plant model."""
    tags = config.plant.tags
    return {
        device.device: {path: (tags[path].low, tags[path].high) for path in device.writable}
        for device in config.devices
    }


async def keep_reloading(
    read: Callable[[], EdgeConfig], roster: Roster, hangup: asyncio.Event
) -> None:
    """Read the file again whenever *hangup* is set; a wrong one is told of and changes nothing."""
    while True:
        await hangup.wait()
        hangup.clear()
        try:
            difference = await roster.change(await asyncio.to_thread(read))
        except ConfigError as error:
            log.error("reload: refused, all goes on as it was", error=str(error))  # noqa: TRY400 - the line says it all
            continue
        log.info(
            "reload: done",
            added=difference.added,
            removed=difference.removed,
            changed=difference.changed,
        )
