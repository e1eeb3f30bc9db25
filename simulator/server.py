"""All PLCs of a park on the network, and the loop that scans them."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from simulator.clock import seconds
from simulator.ledger import Ledger
from simulator.memory import Memory
from simulator.modbus import ModbusServer
from simulator.park import Park


@asynccontextmanager
async def serving(
    park: Park, host: str, port: int, ledger: Ledger | None = None
) -> AsyncIterator[list[ModbusServer]]:
    """Serve the stations of *park* at *port* and the ports after it (0: any free ones)."""
    async with AsyncExitStack() as stack:
        servers = []
        for place, station in enumerate(park.stations):
            server = ModbusServer(station, host, port and port + place, ledger)
            await server.start()
            stack.push_async_callback(server.stop)
            servers.append(server)
        yield servers


async def scanning(
    park: Park,
    servers: Sequence[ModbusServer],
    stop: asyncio.Event,
    ledger: Ledger | None,
    memory: Memory | None,
) -> None:
    """Scan *park* at every whole second until *stop* is set; keep ledger and memory."""
    if ledger:
        ledger.scan(park.ts_ms, park.totals())
    async for now_ms in seconds(park.ts_ms, stop):
        park.scan(now_ms)
        if ledger:
            ledger.scan(now_ms, park.totals())
        if memory:
            # No await since the scan: what a client sees is remembered already.
            memory.store(park.remember())
        for server in servers:
            await server.follow()
