"""An OPC UA server, subscribed to with asyncua.

The server reports changes by itself; `OpcUaSource.scan` waits for them. What it promises besides is
a sign of life every ``keep_alive_s``: a session can be well while its subscription is gone, so the
silence of the subscription, not of the connection, is what is watched.
"""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.uaerrors import UaError

from edge.source import PATIENCE_S, Scan
from edge.sources.opcua import status
from edge.sources.opcua.session import check_files, connect, disconnect
from edge.sources.opcua.table import Item, OpcUaDevice
from schemas.errors import ConfigError, DeviceDown
from schemas.quality import Quality
from schemas.reading import Reading

#: Servers bound the items of one request; 1000 is the least that any named profile asks for.
_ITEMS_A_CALL: Final = 1000
#: A node that the server did not have is asked for again: programs are loaded, drivers restart [s].
_ASK_AGAIN_S: Final = 30.0
#: Changes that the server keeps of one node between two messages, if it samples faster.
_LEAST_QUEUE: Final = 10


class OpcUaSource:
    """One server and one subscription to all of its items."""

    def __init__(self, device: OpcUaDevice) -> None:
        self.device = device.device
        self.paths = device.paths
        self.period_s = 0.0
        check_files(device.table)
        self._table = device.table
        self._items = device.items
        self._client: Client | None = None
        self._ahead_ms = 0
        self._news = asyncio.Event()
        self._arrived: list[Reading] = []
        self._overflowed = 0
        self._failure: str | None = None
        self._heard = 0.0
        self._silence_s = 0.0
        self._subscription = 0
        self._namespaces: Sequence[str] = ()
        self._missing: Sequence[tuple[int, Item]] = ()
        self._ask_at = 0.0

    async def scan(self) -> Scan:
        """Wait for changes; see `edge.source.Source`. A new connection returns at once."""
        try:
            if self._client is None:
                await self._subscribe()
            else:
                await self._wait()
        except (UaError, OSError, TimeoutError, ConfigError) as error:
            await self.close()
            raise DeviceDown(f"{self._address}: {error!r}") from error
        except DeviceDown:
            await self.close()
            raise
        readings, self._arrived = self._arrived, []
        lost, self._overflowed = self._overflowed, 0
        return Scan(readings, lost=lost)

    def now_ms(self) -> int:
        """The server's time, as its last message said it."""
        return _utc_ms() + self._ahead_ms

    async def close(self) -> None:
        """End session and connection; the next scan makes new ones."""
        client, self._client = self._client, None
        if client is not None:
            await disconnect(client, self._table.timeout_s)
        self._arrived, self._missing, self._failure = [], (), None

    @property
    def _address(self) -> str:
        return f"{self.device} at {self._table.url}"

    async def _subscribe(self) -> None:
        """Connect and subscribe to everything; the server sends what each node is now."""
        self._client = await connect(self._table)
        self._client.connection_lost_callback = self._on_lost
        interval_ms = self._table.publish_s * 1000
        count = max(1, round(self._table.keep_alive_s / self._table.publish_s))
        made = await self._client.uaclient.session.create_subscription(
            ua.CreateSubscriptionParameters(
                RequestedPublishingInterval=interval_ms,
                RequestedMaxKeepAliveCount=count,
                RequestedLifetimeCount=count * 4,  # three is the least (Part 4, 5.14.2)
                PublishingEnabled=True,
            ),
            self._on_publish,
        )
        # What the server made of it counts, and half as much again for it to be late.
        alive_s = made.RevisedPublishingInterval / 1000 * made.RevisedMaxKeepAliveCount
        self._silence_s = 1.5 * alive_s + self._table.timeout_s
        self._subscription = made.SubscriptionId
        self._namespaces = await self._client.get_namespace_array()
        self._heard = time.monotonic()
        self._missing = await self._monitor(list(enumerate(self._items)))
        now_ms = self.now_ms()
        self._arrived += [
            Reading(item.path, now_ms, None, Quality.BAD) for _handle, item in self._missing
        ]

    async def _monitor(self, items: Sequence[tuple[int, Item]]) -> list[tuple[int, Item]]:
        """Monitor *items*, each by its handle; those that the server does not have."""
        refused = await self._create(items, plain=False)
        # A deadband may be beyond a server, or an item without a range: then it is ours alone.
        filtered = [(handle, item) for handle, item in refused if item.deadband is not None]
        still = await self._create(filtered, plain=True)
        self._ask_at = time.monotonic() + _ASK_AGAIN_S
        return [(handle, item) for handle, item in refused if item.deadband is None] + still

    async def _create(
        self, items: Sequence[tuple[int, Item]], *, plain: bool
    ) -> list[tuple[int, Item]]:
        assert self._client is not None  # noqa: S101 - only a connected source monitors
        refused: list[tuple[int, Item]] = []
        for start in range(0, len(items), _ITEMS_A_CALL):
            some = items[start : start + _ITEMS_A_CALL]
            results = await self._client.uaclient.session.create_monitored_items(
                ua.CreateMonitoredItemsParameters(
                    SubscriptionId=self._subscription,
                    TimestampsToReturn=ua.TimestampsToReturn.Both,
                    ItemsToCreate=[self._request(*one, plain=plain) for one in some],
                )
            )
            refused += [
                one
                for one, result in zip(some, results, strict=True)
                if not result.StatusCode.is_good()
            ]
        return refused

    def _request(self, handle: int, item: Item, *, plain: bool) -> ua.MonitoredItemCreateRequest:
        publish_s = self._table.publish_s
        sampling_s = self._table.sampling_s if self._table.sampling_s is not None else publish_s
        asked = ua.MonitoringParameters(
            ClientHandle=handle,
            SamplingInterval=sampling_s * 1000,
            QueueSize=max(_LEAST_QUEUE, int(2 * publish_s / sampling_s) if sampling_s else 0),
            DiscardOldest=True,
        )
        if item.deadband is not None and not plain:
            kind = ua.DeadbandType.Percent if item.deadband.percent else ua.DeadbandType.Absolute
            asked.Filter = ua.DataChangeFilter(
                Trigger=ua.DataChangeTrigger.StatusValue,
                DeadbandType=kind,
                DeadbandValue=item.deadband.value,
            )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(
                NodeId=ua.NodeId.from_string(self._indexed(item.node)),
                AttributeId=AttributeIds.Value,
            ),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=asked,
        )

    def _indexed(self, node: str) -> str:
        """*node* with the index that its namespace has today; that of an unknown one is no node."""
        if not node.startswith("nsu="):
            return node
        uri, _semicolon, name = node.removeprefix("nsu=").partition(";")
        known = uri in self._namespaces
        return f"ns={self._namespaces.index(uri) if known else 65535};{name}"

    async def _wait(self) -> None:
        """Until something arrived, a while at the most."""
        if not self._arrived:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), PATIENCE_S)
        self._news.clear()
        if self._failure is not None:
            raise DeviceDown(f"{self._address}: {self._failure}")
        self._check_silence()
        if self._missing and time.monotonic() >= self._ask_at:
            self._missing = await self._monitor(self._missing)

    def _check_silence(self) -> None:
        silent_s = time.monotonic() - self._heard
        if silent_s >= self._silence_s:
            raise DeviceDown(
                f"{self._address}: its subscription was silent for {silent_s:.1f} s, "
                f"though a sign of life is due every {self._table.keep_alive_s:g} s"
            )

    def _on_publish(self, result: ua.PublishResult) -> None:
        """Take one message of the server; a keep-alive has no data."""
        self._heard = time.monotonic()
        message = result.NotificationMessage
        if message.PublishTime is not None:
            self._ahead_ms = status.instant_ms(message.PublishTime) - _utc_ms()
        for data in message.NotificationData or ():
            if isinstance(data, ua.DataChangeNotification):
                self._take(data.MonitoredItems)
            elif isinstance(data, ua.StatusChangeNotification):
                self._failure = f"subscription ended: {data.Status.name}"
        self._news.set()

    def _take(self, items: Sequence[ua.MonitoredItemNotification]) -> None:
        now_ms = self.now_ms()
        for one in items:
            if status.overflowed(one.Value.StatusCode.value):
                self._overflowed += 1
            self._arrived.append(status.reading(self._items[one.ClientHandle], one.Value, now_ms))

    async def _on_lost(self, error: Exception) -> None:
        self._failure = f"connection lost: {error!r}"
        self._news.set()


def _utc_ms() -> int:
    return time.time_ns() // 1_000_000
