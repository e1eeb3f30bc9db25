"""A Siemens S7 CPU, read with python-snap7.

Data blocks of an S7-1200 or S7-1500 are read only if "optimized block access" is off for the block
and PUT/GET is permitted in the CPU: the protocol knows places, not names.
"""

import asyncio
import math
import re
import time
from contextlib import suppress
from typing import Final

from snap7 import type as snap7
from snap7.async_client import AsyncClient
from snap7.error import S7Error, S7ProtocolError

from edge.source import Scan
from edge.sources.s7.address import Area, Block, Variable, plan
from edge.sources.s7.table import S7Device
from schemas.errors import DeviceDown
from schemas.quality import Quality
from schemas.reading import Reading

_AREAS: Final = {
    Area.DATA_BLOCK: snap7.Area.DB,
    Area.MEMORY: snap7.Area.MK,
    Area.INPUT: snap7.Area.PE,
    Area.OUTPUT: snap7.Area.PA,
}
#: The item was refused, the CPU is well: no access, no such address, type or object. The library
#: has the return code of an item in its message alone.
_REFUSED: Final = re.compile(r"Read operation failed.*\(0x(03|05|06|07|0a)\)$")


class S7Source:
    """One CPU."""

    def __init__(self, device: S7Device) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = device.table.scan_s
        self._table = device.table
        self._blocks = plan(device.variables, device.table.max_gap)
        self._order = {path: place for place, path in enumerate(device.paths)}
        self._client: AsyncClient | None = None

    async def scan(self) -> Scan:
        """Read every block once; see `edge.source.Source`."""
        try:
            client = await self._connected()
            ts_ms = self.now_ms()
            readings = [
                reading
                for block in self._blocks
                for reading in _readings(block, await self._read(client, block), ts_ms)
            ]
        except (S7Error, OSError, TimeoutError) as error:
            await self.close()
            raise DeviceDown(f"{self._address}: {error!r}") from error
        readings.sort(key=lambda reading: self._order[reading.tag])
        return Scan(readings)

    def now_ms(self) -> int:
        """The agent's time: the protocol carries none."""
        return time.time_ns() // 1_000_000

    async def close(self) -> None:
        """Close the connection; the next scan opens a new one."""
        client, self._client = self._client, None
        if client is not None:
            with suppress(S7Error, OSError, TimeoutError):
                await asyncio.wait_for(client.disconnect(), self._table.timeout_s)

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.host}:{self._table.port}"

    async def _connected(self) -> AsyncClient:
        if self._client is None:
            self._client = AsyncClient()
            table = self._table
            await asyncio.wait_for(
                self._client.connect(table.host, table.rack, table.slot, table.port),
                table.timeout_s,
            )
        return self._client

    async def _read(self, client: AsyncClient, block: Block) -> bytearray | None:
        """The block's bytes; None if the CPU refuses them."""
        try:
            return await asyncio.wait_for(
                client.read_area(_AREAS[block.area], block.db, block.start, block.count),
                self._table.timeout_s,
            )
        except S7ProtocolError as error:
            if _REFUSED.search(str(error)):
                return None
            raise


def _readings(block: Block, data: bytearray | None, ts_ms: int) -> list[Reading]:
    return [_reading(one, data, block.start, ts_ms) for one in block.variables]


def _reading(variable: Variable, data: bytearray | None, start: int, ts_ms: int) -> Reading:
    """The reading of *variable*; bad without a value where there is none, or it is no number."""
    value = math.nan if data is None else variable.value(data, start)
    if math.isfinite(value):
        return Reading(variable.path, ts_ms, value)
    return Reading(variable.path, ts_ms, None, Quality.BAD)
