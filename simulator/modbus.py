"""A station on Modbus TCP."""

import asyncio
import errno
import socket
from typing import cast

from pymodbus.constants import ExcCodes
from pymodbus.exceptions import NoSuchIdException
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from schemas.errors import ConfigError
from simulator.command import REGISTERS, read_command
from simulator.ledger import Ledger
from simulator.station import Station

UNIT_ID = 1
READ_HOLDING, READ_INPUT, WRITE_MULTIPLE = 3, 4, 16


class ModbusServer:
    """Serves *station* at *host* and *port* (0: any free one); writes answers to *ledger*."""

    def __init__(
        self, station: Station, host: str, port: int, ledger: Ledger | None = None
    ) -> None:
        self.station = station
        self.host = host
        self.port = port
        self.ledger = ledger
        self._server: ModbusTcpServer | None = None

    async def start(self) -> None:
        """Listen; ``port`` is the real one then.

        Raises
        ------
        ConfigError
            The address cannot be had; says why and what to do.
        """
        _check_free(self.host, self.port, self.station.plc.name)
        server = ModbusTcpServer(
            _device(self), address=(self.host, self.port), ignore_missing_devices=True
        )
        await server.serve_forever(background=True)
        self._server = server
        listener = cast("asyncio.Server", server.transport)
        self.port = listener.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Stop listening and drop all connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call] # pymodbus
            self._server = None

    async def follow(self) -> None:
        """Fall off the network, or come back to it, as the station has it since its last scan."""
        if self.station.cut_off and self._server is not None:
            await self.stop()
        elif not self.station.cut_off and self._server is None:
            await self.start()

    async def access(  # noqa: PLR0917 - pymodbus passes them by place
        self,
        function: int,
        start: int,
        address: int,
        count: int,
        registers: list[int],
        written: list[int] | list[bool] | None,
    ) -> ExcCodes | None:
        """Called by pymodbus before it answers from *registers*, whose first address is *start*.

        There is no await between filling the registers and their copying into the answer, so an
        answer never mixes two scans.
        """
        station = self.station
        if station.silent:
            # What pymodbus leaves unanswered under ignore_missing_devices.
            raise NoSuchIdException(f"{station.plc.name} is silent")
        if station.refusing:
            return ExcCodes(station.refusal)
        if function == READ_INPUT:
            registers[address - start : address - start + count] = station.plc.image[
                address : address + count
            ].tolist()
            if self.ledger is not None:
                self.ledger.answer(station.plc.carried(address, count))
            return None
        if function == WRITE_MULTIPLE and written is not None:
            return self._obey(address, [int(word) for word in written])
        return None if function == READ_HOLDING else ExcCodes.ILLEGAL_FUNCTION

    def _obey(self, address: int, words: list[int]) -> ExcCodes | None:
        if address != 0 or len(words) != REGISTERS:
            return ExcCodes.ILLEGAL_ADDRESS
        try:
            self.station.obey(read_command(words))
        except ValueError:
            return ExcCodes.ILLEGAL_VALUE
        return None


def _device(server: ModbusServer) -> SimDevice:
    """The four tables as pymodbus wants them; coils and discrete inputs answer illegal function."""
    bits = [SimData(0, values=[False] * 16, datatype=DataType.BITS)]
    holding = [SimData(0, values=[0] * REGISTERS, datatype=DataType.REGISTERS)]
    inputs = [
        SimData(first, values=[0] * length, datatype=DataType.REGISTERS)
        for first, length in server.station.plc.spans
    ]
    return SimDevice(UNIT_ID, (bits, list(bits), holding, inputs), action=server.access)


def _check_free(host: str, port: int, name: str) -> None:
    # pymodbus hides why it cannot listen: ask the system first.
    try:
        socket.create_server((host, port)).close()
    except OSError as error:
        right = (
            "another program listens there; end it or choose another --port"
            if error.errno == errno.EADDRINUSE
            else f"choose another --host or --port ({error.strerror})"
        )
        raise ConfigError(f"address of {name}", f"{host}:{port}", right) from error
