"""The agent: what is read goes to the spool, from there to the host, until the host has it.

Four tasks share one event loop: scans (`edge.scan`, one for each device), group commit, connection,
and a clock tick for the session. The spool has a thread of its own, so that a slow disk delays
neither scans nor the network.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import chain
from typing import Final, ParamSpec, TypeVar

import structlog

from edge.action import Action, Disconnect, Now, Publish, Refused, Subscribe, Truncate, Write
from edge.batch import Batch
from edge.birth import NODE_METRICS
from edge.broker import Connection
from edge.command import NOTHING, WRITE, Writable
from edge.counters import EdgeCounters
from edge.delivery import Fetch, Limits
from edge.fill import FillRate
from edge.identity import Holdings, Identity
from edge.lifecycle import State
from edge.session import EdgeSession
from edge.source import Writer
from edge.spool import Committed, Spool
from edge.watch import Watch
from schemas.backoff import full_jitter
from schemas.errors import BrokerDown, CommandError, DeviceDown, StorageFull
from schemas.reading import Reading
from schemas.settings import MqttSettings

#: Time between two group commits [s]; with the commit itself a reading waits 250 ms at the most.
_COMMIT_S: Final = 0.2
_TICK_S: Final = 0.1
#: A clock that moves by more than this between two ticks was set [ms]; NTP slews 50 us in a tick.
_STEP_MS: Final = 1_000.0
#: How long the broker may take to end the connection after DISCONNECT [s].
_PART_S: Final = 2.0
#: A connection that held this long was sound [s].
_LASTING_S: Final = 10.0
#: Readings kept in memory while the disk is full; about 100 MB.
_OVERFLOW_READINGS: Final = 500_000

Params = ParamSpec("Params")
Result = TypeVar("Result")

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class Agent:
    """One edge node. ``live=False`` sends history only.

    ``devices`` are the tags of each device; those of the node itself stand under the empty name.
    ``marks`` say how far each event log was read, ``writers`` write to the devices that may be.
    """

    def __init__(
        self,
        identity: Identity,
        devices: Mapping[str, Sequence[str]],
        spool: Spool,
        *,
        limits: Limits,
        settings: MqttSettings,
        counters: EdgeCounters,
        live: bool = True,
        max_bytes: int = 1 << 30,
        writable: Mapping[str, Writable] = NOTHING,
    ) -> None:
        self._identity = identity
        self._spool = spool
        self._settings = settings
        self._counters = counters
        self._max_bytes = max_bytes
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="spool")
        self._aliases = {device: spool.declare(device, paths) for device, paths in devices.items()}
        self._aliases[""] = spool.declare("", (*NODE_METRICS, *devices.get("", ())))
        held = spool.contents()
        # What waits in the spool may be of devices and tags that the file names no more.
        for device in held.last_of_device:
            self._aliases[device] = spool.aliases(device)
        self.marks = spool.marks()
        self._unacknowledged = held.readings
        self.session = EdgeSession(
            identity,
            self._aliases,
            Holdings(spool.id, held.first, held.next, held.last_of_device),
            limits,
            live=live,
            writable=writable,
        )
        self.writers: dict[str, Writer] = {}
        self.watch = Watch(counters)
        self._state = self.session.state
        self._batch = Batch()
        self._fed = asyncio.Event()
        self._settled = asyncio.Event()
        self._leaving = asyncio.Event()
        self._link: Connection | None = None
        self._tasks = asyncio.TaskGroup()
        self._fill = FillRate(time.monotonic())
        self._full = False

    def feed(
        self,
        device: str,
        readings: Sequence[Reading] = (),
        *,
        marks: Mapping[str, int] | None = None,
        link: bool | None = None,
    ) -> None:
        """Take what was read from *device*: it is on disk with the next group commit."""
        self._batch.add(device, readings)
        self._unacknowledged += len(readings)
        self._batch.marks |= marks or {}
        self.marks |= marks or {}
        if link is not None:
            self._batch.links[device] = link
        self._fed.set()

    async def declare(
        self, devices: Mapping[str, Sequence[str]], writable: Mapping[str, Writable]
    ) -> None:
        """Have these tags of each device as well, these of them writable; the births tell."""
        for device, paths in devices.items():
            new = await self._on_disk(self._spool.declare, device, paths)
            self._aliases[device] = {**self._aliases.get(device, {}), **new}
        declared = {device: self._aliases[device] for device in devices}
        self._perform(self.session.declare(declared, writable, _now()))

    @property
    def unacknowledged(self) -> int:
        """Readings, in memory or in the spool, that are not known to be in the database."""
        return self._unacknowledged

    async def settled(self, below: int = 1) -> None:
        """Wait until fewer than *below* readings are not known to be in the database."""
        while self.unacknowledged >= below:
            self._settled.clear()
            await self._settled.wait()

    async def run(self) -> None:
        """Commit and deliver until `leave`; then say farewell and close the spool."""
        try:
            async with self._tasks as tasks:
                tasks.create_task(self._keep_connected(), name="connection")
                tasks.create_task(self._keep_committing(), name="group commit")
                tasks.create_task(self._keep_ticking(), name="tick")
        finally:
            await self._on_disk(self._spool.close)
            self._disk.shutdown()

    def leave(self) -> None:
        """End: what was fed is committed, the NDEATH is sent."""
        self._leaving.set()
        self._fed.set()

    async def _keep_committing(self) -> None:
        while not self._leaving.is_set():
            await self._fed.wait()
            started = time.monotonic()
            await self._commit()
            await self._pause(started + _COMMIT_S - time.monotonic())
        await self._commit()
        if lost := self._batch.size():
            log.error("spool: no room to the end", readings_lost=lost)
        self._perform(self.session.leave(_now()))

    async def _commit(self) -> None:
        self._fed.clear()
        batch, self._batch = self._batch, Batch()
        if not batch:
            return
        try:
            committed = await self._on_disk(
                self._spool.commit, batch.readings, self._aliases, batch.marks
            )
        except StorageFull as error:
            self._hold(batch, error)
            return
        self._note_commit(committed)
        frames = committed.frames
        readings = chain.from_iterable(batch.readings.values())
        self._perform(self.session.committed(frames, readings, batch.links, _now()))
        if committed.dropped.frames:
            self._perform(self.session.dropped(committed.first, _now()))

    def _hold(self, batch: Batch, error: StorageFull) -> None:
        """The disk is full: keep the newest readings in memory and try again."""
        if not self._full:
            log.error("spool: no room", error=str(error))
        self._full = True
        batch.join(self._batch)
        self._batch = batch
        lost = batch.keep_newest(_OVERFLOW_READINGS)
        self._counters.overflowed.inc(lost)
        self._gone(lost)
        self._fed.set()

    def _note_commit(self, committed: Committed) -> None:
        if self._full:
            log.info("spool: has room again")
        self._full = False
        count = sum(frame.readings for frame in committed.frames)
        self._counters.spooled.inc(count)
        self._counters.dropped.inc(committed.dropped.readings)
        self._fill.add(sum(len(frame.body) for frame in committed.frames), time.monotonic())
        self._gone(committed.dropped.readings)
        self._counters.spool_bytes.set(committed.used_bytes)
        self._counters.spool_hours_left.set(
            self._fill.hours(self._max_bytes - committed.used_bytes)
        )

    async def _keep_ticking(self) -> None:
        last = _now()
        while not self._leaving.is_set():
            await self._pause(_TICK_S)
            now = _now()
            self._note_clock(last, now)
            self._perform(self.session.tick(now))
            last = now

    async def _keep_connected(self) -> None:
        attempt = 0
        bd_seq: int | None = None
        down = False
        while not self._leaving.is_set():
            if bd_seq is None:
                bd_seq = await self._on_disk(self._spool.next_bd_seq)
            will = self.session.will(bd_seq, _now())
            link = Connection(self._settings, self._identity.client_id, will.topic, will.payload)
            started = time.monotonic()
            try:
                await link.open()
                bd_seq = None  # a CONNECT with it was sent
                await link.accepted()
                down = False
                await self._serve(link)
            except BrokerDown as error:
                if not down:
                    log.warning("broker: down, trying on", error=str(error))
                down = True
            finally:
                await link.close()
            # A connection that never lasts (another client of that id) is not tried at full speed.
            lasted = not down and time.monotonic() - started > _LASTING_S
            attempt = 0 if lasted else attempt + 1
            await self._pause(full_jitter(attempt))

    async def _serve(self, link: Connection) -> None:
        """Live through one connection."""
        self._counters.connects.inc()
        self._link = link
        parting = asyncio.create_task(self._part(link), name="part")
        try:
            self._perform(self.session.connected(_now()))
            if self._leaving.is_set():
                self._perform(self.session.leave(_now()))
            async for topic, payload in link.messages():
                self._perform(self.session.message(topic, payload, _now()))
        finally:
            parting.cancel()
            self._link = None
            self._perform(self.session.disconnected(_now()))

    async def _part(self, link: Connection) -> None:
        """Hang up on a broker that does not after our DISCONNECT."""
        await self._leaving.wait()
        await asyncio.sleep(_PART_S)
        await link.close()

    async def _pause(self, seconds: float) -> None:
        """Wait, but not beyond `leave`."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._leaving.wait(), max(0.0, seconds))

    def _perform(self, actions: Sequence[Action]) -> None:
        """Do what the session asks for, in its order; the disk's part follows by itself."""
        for action in actions:
            match action:
                case Publish():
                    self._publish(action)
                case Subscribe() if self._link is not None:
                    self._link.subscribe(action.topic)
                case Disconnect() if self._link is not None:
                    self._link.disconnect()
                case Truncate():
                    self._tasks.create_task(self._truncate(action.through), name="truncate")
                case Fetch():
                    self._tasks.create_task(self._fetch(action), name="fetch")
                case Write():
                    self._tasks.create_task(self._write(action), name="write")
                case Refused():
                    self._refuse(action)
        self._note_state()

    def _note_clock(self, last: Now, now: Now) -> None:
        """See whether our own clock was set since *last*, and how far the host's is from it."""
        step_ms = now.utc_ms - last.utc_ms - (now.steady_s - last.steady_s) * 1000
        if abs(step_ms) > _STEP_MS:
            self._counters.clock_steps.inc()
            log.warning("clock: was set", by_s=round(step_ms / 1000, 1))
        if self.session.host_ahead_ms is not None:
            self.watch.host_clock(self.session.host_ahead_ms)

    def _refuse(self, refused: Refused) -> None:
        self._counters.refused.labels(refused.reason).inc()
        if refused.reason == WRITE:  # somebody wants to move the plant
            log.warning("write: refused", detail=refused.detail)
        else:
            log.debug("message refused", reason=refused.reason, detail=refused.detail)

    async def _write(self, write: Write) -> None:
        """Write to the device; the value comes back with its next scan."""
        facts = {"device": write.device, "tag": write.path, "value": write.value}
        try:
            await self.writers[write.device](write.path, write.value)
        except (CommandError, DeviceDown, KeyError) as error:  # KeyError: it is scanned no more
            self._counters.writes.labels("failed").inc()
            log.warning("write: failed", error=repr(error), **facts)
            return
        self._counters.writes.labels("done").inc()
        log.info("write: done", **facts)

    def _note_state(self) -> None:
        if self.session.state is not self._state:
            self._state = self.session.state
            self._counters.born.set(self._state is State.BORN)
            log.info("session", state=self._state.name.lower())

    def _publish(self, message: Publish) -> None:
        if self._link is None:
            return
        sent = self._link.publish(message.topic, message.payload, message.qos)
        if sent:
            lane = self._counters.replayed if message.historical else self._counters.published
            lane.inc(message.readings)

    async def _truncate(self, through: int) -> None:
        try:
            gone = await self._on_disk(self._spool.truncate, through)
        except StorageFull as error:  # the next acknowledgement truncates this part as well
            log.warning("spool: cannot truncate", error=str(error))
            return
        self._counters.acknowledged.inc(gone.readings)
        self._gone(gone.readings)

    async def _fetch(self, fetch: Fetch) -> None:
        frames = await self._on_disk(self._spool.fetch, fetch.start, fetch.end, fetch.limit)
        self._perform(self.session.fetched(fetch, frames, _now()))

    def _gone(self, readings: int) -> None:
        self._unacknowledged -= readings
        self._counters.unacknowledged.set(self._unacknowledged)
        self._settled.set()

    async def _on_disk(
        self, call: Callable[Params, Result], *args: Params.args, **kwargs: Params.kwargs
    ) -> Result:
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._disk, lambda: call(*args, **kwargs))


def _now() -> Now:
    return Now(time.time_ns() // 1_000_000, time.monotonic())
