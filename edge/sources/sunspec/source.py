"""An inverter, meter or battery whose map of registers is SunSpec's, read with pymodbus."""

import math
import struct
import time
from collections.abc import Sequence
from typing import Final

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException

from edge.source import Scan
from edge.sources.sunspec.model import END, MARKER, Model
from edge.sources.sunspec.table import Place, SunSpecDevice
from schemas.errors import DeviceDown
from schemas.quality import Quality
from schemas.reading import Reading

#: Where the marker may stand (SunSpec Device Information Model Specification, 6.2).
_BASES: Final = (40000, 50000, 0)
#: Registers of one request.
_MOST: Final = 125
#: A chain of more models than this has no end.
_MODELS: Final = 200


class SunSpecSource:
    """One device."""

    def __init__(self, device: SunSpecDevice) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = device.table.scan_s
        self._table = device.table
        self._places = device.places
        self._client: AsyncModbusTcpClient | None = None
        self._models: Sequence[Model] = ()

    async def scan(self) -> Scan:
        """Read every model that has a tag once; see `edge.source.Source`."""
        try:
            if self._client is None:
                self._client = await self._connected()
                self._models = await self._discover(self._client)
            client, ts_ms = self._client, self.now_ms()
            models = [self._model(place) for place in self._places]
            data = {
                model: await self._words(client, model.address, model.count)
                for model in dict.fromkeys(models)
                if model is not None
            }
        except (ModbusException, OSError, TimeoutError) as error:
            await self.close()
            raise DeviceDown(f"{self._address}: {error}") from error
        except DeviceDown:
            await self.close()
            raise
        return Scan(
            [
                _reading(place, None if model is None else model.value(place, data[model]), ts_ms)
                for place, model in zip(self._places, models, strict=True)
            ]
        )

    def now_ms(self) -> int:
        """The agent's time: what a device may know of the time, it does not know of its values."""
        return time.time_ns() // 1_000_000

    async def close(self) -> None:
        """Close the connection; the next scan opens a new one and looks for the models anew."""
        client, self._client = self._client, None
        if client is not None:
            client.close()

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.host}:{self._table.port}"

    async def _connected(self) -> AsyncModbusTcpClient:
        client = AsyncModbusTcpClient(
            self._table.host,
            port=self._table.port,
            timeout=self._table.timeout_s,
            retries=1,
            reconnect_delay=0,  # reaching the device again is the agent's task
        )
        if not await client.connect():
            client.close()
            raise DeviceDown(f"{self._address}: no connection")
        return client

    async def _discover(self, client: AsyncModbusTcpClient) -> list[Model]:
        """Every model of the device, in the order of its registers."""
        at = await self._base(client) + len(MARKER)
        models: list[Model] = []
        while len(models) < _MODELS:
            number, length = await self._head(client, at)
            if number == END:
                break
            model = Model(number, at, length)
            if any(number in place.models for place in self._places):
                model.load(await self._words(client, at, model.count))
            models.append(model)
            at += model.count
        return models

    async def _base(self, client: AsyncModbusTcpClient) -> int:
        given = self._table.base_address
        bases = _BASES if given is None else (given,)
        for base in bases:
            words = await self._read(client, base, len(MARKER))
            if words is not None and tuple(words) == MARKER:
                return base
        tried = ", ".join(map(str, bases))
        raise DeviceDown(f"{self._address}: no SunSpec map at {tried}; give base_address")

    async def _head(self, client: AsyncModbusTcpClient, at: int) -> tuple[int, int]:
        """Number and length of the model at *at*; the last may have no length."""
        words = await self._read(client, at, 2) or await self._read(client, at, 1)
        if words is None:
            raise DeviceDown(f"{self._address}: refuses the model at {at}")
        return words[0], words[1] if len(words) > 1 else 0

    def _model(self, place: Place) -> Model | None:
        """The model that *place* is in, if the device has it."""
        found = [model for model in self._models if model.number in place.models]
        return found[place.instance - 1] if place.instance <= len(found) else None

    async def _words(self, client: AsyncModbusTcpClient, start: int, count: int) -> bytes:
        """*count* registers as bytes.

        Raises
        ------
        DeviceDown
            The device refuses what it says it has: a restart of its own may have moved it.
        """
        words: list[int] = []
        for at in range(start, start + count, _MOST):
            some = await self._read(client, at, min(_MOST, start + count - at))
            if some is None:
                raise DeviceDown(f"{self._address}: refuses registers at {at}")
            words += some
        return struct.pack(f">{len(words)}H", *words)

    async def _read(
        self, client: AsyncModbusTcpClient, start: int, count: int
    ) -> Sequence[int] | None:
        answer = await client.read_holding_registers(
            start, count=count, device_id=self._table.unit_id
        )
        if answer.isError() or len(answer.registers) < count:
            return None
        return answer.registers


def _reading(place: Place, number: float | None, ts_ms: int) -> Reading:
    """The reading of *place*; bad without a value where the device gives none."""
    value = math.nan if number is None else number * place.scale + place.offset
    if math.isfinite(value):
        return Reading(place.path, ts_ms, value)
    return Reading(place.path, ts_ms, None, Quality.BAD)
