"""A conversation with a source that is opened as the agent opens it."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from edge.source import Source
from edge.sources.device import Device
from schemas.reading import Reading

Result = TypeVar("Result")
#: No answer of a server on the same machine takes so long [s].
_PATIENCE_S = 20.0


def talk(device: Device, work: Callable[[Source], Awaitable[Result]]) -> Result:
    """Run *work* with the source of *device*, which is closed behind it."""

    async def run() -> Result:
        source = device.open({})
        try:
            return await asyncio.wait_for(work(source), _PATIENCE_S)
        finally:
            await source.close()

    return asyncio.run(run())


async def once(source: Source) -> list[Reading]:
    """The readings of one scan."""
    return list((await source.scan()).readings)


async def gather(source: Source, enough: Callable[[list[Reading]], bool]) -> list[Reading]:
    """Scan until what came is *enough*."""
    readings: list[Reading] = []
    while not enough(readings):
        readings += await once(source)
    return readings
