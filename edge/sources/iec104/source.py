"""A station on IEC 60870-5-104, listened to with c104.

The station reports changes by itself; a general interrogation, at every connection and then now and
again, asks for the state of everything. The library has threads of its own, which hand over what
they received to the event loop.
"""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final
from zoneinfo import ZoneInfo

import c104

from edge.source import PATIENCE_S, Scan
from edge.sources.iec104.information import reading
from edge.sources.iec104.table import Iec104Device
from schemas.errors import DeviceDown
from schemas.reading import Reading

#: How often the library looks for work of its own [ms].
_TICK_MS: Final = 50
#: One connection in about 100 stays without data transfer, its STARTDT not sent (c104 2.2.1, seen
#: 2026-11-22); asked for once more, it starts [s].
_START_AGAIN_S: Final = 0.2
#: Interrogations are the agent's task, so that they can be asked for again.
_INIT: Final = c104.Init.NONE
_OPEN: Final = c104.ConnectionState.OPEN
_LOST: Final = (c104.ConnectionState.CLOSED_AWAIT_RECONNECT, c104.ConnectionState.CLOSED)


class Iec104Source:
    """One link, and the points of its stations."""

    def __init__(self, device: Iec104Device) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = 0.0
        self._table = device.table
        self._points = device.points
        self._zone = ZoneInfo(device.table.time_zone)
        self._link: _Link | None = None
        self._ask_at = 0.0

    async def scan(self) -> Scan:
        """Wait for what is reported; see `edge.source.Source`. A new link returns at once."""
        try:
            if self._link is None:
                await self._connect()
            else:
                await self._wait(self._link)
        except DeviceDown:
            await self.close()
            raise
        assert self._link is not None  # noqa: S101 - connected above
        return Scan(self._link.taken())

    def now_ms(self) -> int:
        """The agent's time; what the station's is, its messages do not tell."""
        return _utc_ms()

    async def close(self) -> None:
        """Close the link; the next scan opens a new one."""
        link, self._link = self._link, None
        if link is not None:
            await asyncio.to_thread(link.client.stop)

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.host}:{self._table.port}"

    async def _connect(self) -> None:
        self._link = link = _Link(self._table.host, self._table.port, self._take)
        parameters = link.connection.protocol_parameters
        parameters.connection_timeout = self._table.timeout_s
        parameters.message_timeout = self._table.timeout_s
        parameters.confirm_interval = max(1, min(10, self._table.timeout_s - 1))
        parameters.keep_alive_interval = self._table.keep_alive_s
        for station in {station for station, _ioa in self._points}:
            link.connection.add_station(station)
        link.client.start()
        link.connection.connect()
        deadline = time.monotonic() + self._table.timeout_s
        while not link.opened.is_set():
            left_s = max(0.0, deadline - time.monotonic())
            with suppress(TimeoutError):
                await asyncio.wait_for(link.news.wait(), min(_START_AGAIN_S, left_s))
            link.news.clear()
            if link.lost or time.monotonic() >= deadline:
                raise DeviceDown(f"{self._address}: no connection")
            if link.connection.state == c104.ConnectionState.OPEN_MUTED:
                link.connection.unmute()
        self._interrogate(link)

    def _interrogate(self, link: "_Link") -> None:
        for station in link.connection.stations:
            link.connection.interrogation(station.common_address, wait_for_response=False)
        self._ask_at = time.monotonic() + (self._table.interrogate_s or float("inf"))

    async def _wait(self, link: "_Link") -> None:
        """Until something was reported, a while at the most."""
        if not link.arrived:
            with suppress(TimeoutError):
                await asyncio.wait_for(link.news.wait(), PATIENCE_S)
        link.news.clear()
        if link.lost:
            raise DeviceDown(f"{self._address}: connection lost")
        if time.monotonic() >= self._ask_at:
            self._interrogate(link)

    def _take(self, station: int, ioa: int, info: c104.Information) -> Reading | None:
        point = self._points.get((station, ioa))
        return None if point is None else reading(point, info, self._zone, _utc_ms())


class _Link:
    """One connection of the library, until it is lost; *take* makes readings of what it receives.

    The library wants callbacks annotated exactly so.
    """

    def __init__(
        self, host: str, port: int, take: Callable[[int, int, c104.Information], Reading | None]
    ) -> None:
        self._take = take
        self._loop = asyncio.get_running_loop()
        self.arrived: list[Reading] = []
        self.news = asyncio.Event()
        self.opened = asyncio.Event()
        self.lost = False
        self.client = c104.Client(tick_rate_ms=_TICK_MS)
        connection = self.client.add_connection(host, port, init=_INIT)
        if connection is None:
            raise DeviceDown(f"{host}:{port}: write the host as an IPv4 address")
        self.connection = connection
        self.client.on_new_point(self._on_new_point)
        connection.on_unexpected_message(self._on_unexpected)
        connection.on_state_change(self._on_state)

    def taken(self) -> list[Reading]:
        """What arrived since the last call."""
        arrived, self.arrived = self.arrived, []
        return arrived

    def _on_new_point(
        self,
        client: c104.Client,  # noqa: ARG002 - the library's signature
        station: c104.Station,
        io_address: int,
        point_type: c104.Type,
    ) -> None:
        """A point that was never seen: it is of the type that it first has."""
        point = station.add_point(io_address, point_type)
        if point is not None:
            point.on_receive(self._on_receive)

    def _on_receive(
        self,
        point: c104.Point,  # noqa: ARG002 - the library's signature
        previous_info: c104.Information,  # noqa: ARG002 - likewise
        message: c104.IncomingMessage,
    ) -> c104.ResponseState:
        self._on_message(message)
        return c104.ResponseState.SUCCESS

    def _on_unexpected(
        self,
        connection: c104.Connection,  # noqa: ARG002 - the library's signature
        message: c104.IncomingMessage,
        cause: c104.Umc,
    ) -> None:
        """Stations answer an interrogation without times, and report with them: another type."""
        if cause == c104.Umc.MISMATCHED_TYPE_ID:
            self._on_message(message)

    def _on_message(self, message: c104.IncomingMessage) -> None:
        if message.is_test or message.is_negative:
            return
        reading = self._take(message.common_address, message.io_address, message.info)
        if reading is not None:
            self._tell(reading)

    def _on_state(
        self,
        connection: c104.Connection,  # noqa: ARG002 - the library's signature
        state: c104.ConnectionState,
    ) -> None:
        self._tell(state)

    def _tell(self, what: Reading | c104.ConnectionState) -> None:
        """From a thread of the library to the loop; one that has ended needs to know nothing."""
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self._note, what)

    def _note(self, what: Reading | c104.ConnectionState) -> None:
        if isinstance(what, Reading):
            self.arrived.append(what)
        elif what == _OPEN:
            self.opened.set()
        elif what in _LOST:
            self.lost = True
        self.news.set()


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
