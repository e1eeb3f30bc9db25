"""``python -m benchmarks.plc``: PLCs on Modbus TCP whose every value changes once a second.

Each listens on a port of its own on loopback and serves float32 tags from input register 0 on.
Prints ``ready``; ends with its parent.
"""

import asyncio
import struct
import time
from typing import Final

import typer
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

INPUT: Final = 4


class Plc:
    """One PLC: *tags* ramps, each at its own level."""

    def __init__(self, port: int, tags: int) -> None:
        self._tags = tags
        self._image: list[int] = []
        self.scan(0)
        empty = [SimData(0, values=[0] * 8, datatype=DataType.REGISTERS)]
        bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
        registers = [SimData(0, values=[0] * (2 * tags), datatype=DataType.REGISTERS)]
        device = SimDevice(1, (bits, list(bits), empty, registers), action=self._access)
        self._server = ModbusTcpServer(device, address=("127.0.0.1", port))

    async def start(self) -> None:
        """Listen."""
        await self._server.serve_forever(background=True)

    def scan(self, second: int) -> None:
        """New values."""
        packed = struct.pack(
            f">{self._tags}f", *(place + second % 1000 for place in range(self._tags))
        )
        self._image = list(struct.unpack(f">{2 * self._tags}H", packed))

    async def _access(
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        _written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        if function == INPUT:
            place = address - start
            registers[place : place + count] = self._image[address : address + count]
        return None


async def serve(ports: list[int], tags: int) -> None:
    """Serve, and scan at whole seconds, until cancelled."""
    plcs = [Plc(port, tags) for port in ports]
    for plc in plcs:
        await plc.start()
    print("ready", flush=True)  # noqa: T201 - the protocol with the benchmark
    while True:
        await asyncio.sleep(1.0 - time.time() % 1.0)
        for plc in plcs:
            plc.scan(int(time.time()))


def main(tags: int, ports: list[int]) -> None:
    """Serve PLCs of *tags* each at *ports*."""
    asyncio.run(serve(ports, tags))


if __name__ == "__main__":
    typer.run(main)
