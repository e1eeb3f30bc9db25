"""A PLC for tests: a real Modbus TCP server in a thread, with registers that the test sets."""

import asyncio
import struct
import threading
from collections.abc import Sequence
from typing import Self, cast

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

COIL, DISCRETE, HOLDING, INPUT = 1, 2, 3, 4
SIZE = 2048
#: Which table a function writes: coils 5 and 15, registers 6 and 16.
WRITTEN = {5: COIL, 15: COIL, 6: HOLDING, 16: HOLDING}


def words(form: str, *numbers: float) -> list[int]:
    """*numbers*, packed by *form* of `struct`, as registers."""
    packed = struct.pack(f">{form}", *numbers)
    return list(struct.unpack(f">{len(packed) // 2}H", packed))


class Plc:
    """Unit 1 at a free port. Tables are lists of words or bits by function code."""

    def __init__(self, framer: FramerType = FramerType.SOCKET) -> None:
        self.framer = framer
        self.tables: dict[int, list[int]] = {code: [0] * SIZE for code in (1, 2, 3, 4)}
        self.missing: set[int] = set()
        self.refusal: ExcCodes | None = None
        self.silent = False
        self.requests: list[tuple[int, int, int]] = []
        self.on_request: list[tuple[int, list[int], int]] = []
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._server: ModbusTcpServer | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._ready = threading.Event()

    def set(self, table: int, address: int, values: Sequence[int]) -> None:
        """Write *values* at once, between two requests."""
        self._loop.call_soon_threadsafe(self._store, table, address, list(values))

    def after_next_request(self, table: int, address: int, values: Sequence[int]) -> None:
        """Write *values* as soon as one more request was answered: the PLC scans in between."""
        self.on_request.append((table, list(values), address))

    def stop(self) -> None:
        """Stop listening; open connections are dropped."""
        if self._server is not None:
            asyncio.run_coroutine_threadsafe(self._shutdown(), self._loop).result(10)
            self._server = None

    def start(self) -> None:
        """Listen (again, at the same port)."""
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)

    def __enter__(self) -> Self:
        self._thread.start()
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def _listen(self) -> None:
        bits = [SimData(0, values=[False] * SIZE, datatype=DataType.BITS)]
        registers = [SimData(0, values=[0] * SIZE, datatype=DataType.REGISTERS)]
        device = SimDevice(1, (bits, list(bits), registers, list(registers)), action=self._access)
        self._server = ModbusTcpServer(
            device,
            framer=self.framer,
            address=("127.0.0.1", self.port),
            ignore_missing_devices=True,
        )
        await self._server.serve_forever(background=True)
        listener = cast("asyncio.Server", self._server.transport)
        self.port = listener.sockets[0].getsockname()[1]

    async def _shutdown(self) -> None:
        assert self._server is not None
        await self._server.shutdown()  # type: ignore[no-untyped-call]  # pymodbus

    def _store(self, table: int, address: int, values: list[int]) -> None:
        self.tables[table][address : address + len(values)] = values

    async def _access(  # noqa: PLR0917 - pymodbus's own
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        self.requests.append((function, address, count))
        if self.silent:
            raise NoSuchIdException("silent")
        if self.refusal is not None:
            return self.refusal
        if self.missing & set(range(address, address + count)):
            return ExcCodes.ILLEGAL_ADDRESS
        if written is not None:
            self._store(WRITTEN[function], address, [int(each) for each in written])
            return None
        table = self.tables[function]
        if function in (COIL, DISCRETE):
            self._copy_bits(registers, start, table)
        else:
            registers[address - start : address - start + count] = table[address : address + count]
        for pending in self.on_request:
            self._loop.call_soon(self._store, pending[0], pending[2], pending[1])
        self.on_request.clear()
        return None

    @staticmethod
    def _copy_bits(registers: list[int], start: int, table: list[int]) -> None:
        """Pymodbus keeps 16 bits in a word, the first one lowest."""
        for place in range(len(registers)):
            bits = table[start + place * 16 : start + place * 16 + 16]
            registers[place] = sum(bit << number for number, bit in enumerate(bits))
