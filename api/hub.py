"""The live state: computed once a tick for all who listen, and handed to each of them.

Every event is the whole chosen state and not a change of it. So a reader that is slow may skip any
number of them and is right again with the next; nothing is kept for anybody, and a reader that
comes back needs nothing but the newest.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import structlog
from anyio import CapacityLimiter, to_thread
from sse_starlette import ServerSentEvent

from api.access.areas import EVERYWHERE, Areas
from api.alarms.standing import Alarm, standing
from api.counters import Counters
from api.formats import dumps
from api.kpi_now import KpisNow, LiveKpi
from api.latest import Newest, newest
from api.problem import problem_of
from api.store import Store
from kpi.binding import Binding
from schemas.errors import is_defect
from schemas.instant import to_ms
from schemas.plant.model import Tag

log = structlog.get_logger()

_PATH: Final = "/api/v1/live"
_RETRY_MS: Final = 2_000
#: A reader that hears nothing for some of these knows that the connection is gone.
_BEAT_S: Final = 1.0


@dataclass(frozen=True, slots=True)
class LiveState:
    """The data of a ``state`` event."""

    at: datetime
    tags: list[Newest]
    kpis: list[LiveKpi]
    alarms: list[Alarm]


@dataclass(frozen=True)
class Selection:
    """What a stream shows. Equal selections share one channel."""

    tags: tuple[Tag, ...]
    kpis: tuple[Binding, ...]
    window: timedelta
    alarms: Areas | None = None
    seen: Areas = EVERYWHERE

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two selections the same."""
        return (
            tuple(tag.path for tag in self.tags),
            tuple((binding.kpi.id, binding.asset) for binding in self.kpis),
            self.window,
            self.alarms,
            self.seen,
        )

    def shows(self, one: Alarm) -> bool:
        """Whether an alarm lies in the areas that were chosen, and are seen."""
        return self.alarms is not None and self.alarms.hold(one.asset) and self.seen.hold(one.asset)


@dataclass(slots=True, eq=False)
class Channel:
    """The newest event of one selection, and how to wait for the next."""

    selection: Selection
    subscribers: int = 0
    event: bytes = b""
    shown: bytes = b""
    last_id: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, name: str, at: datetime, data: bytes, shown: bytes) -> None:
        """Make *data* the newest event, unless what it shows is shown already."""
        if shown == self.shown:
            return
        self.shown = shown
        self.last_id = max(to_ms(at), self.last_id + 1)
        # Written once for all who listen.
        self.event = ServerSentEvent(
            data.decode(), event=name, id=str(self.last_id), retry=_RETRY_MS, sep="\n"
        ).encode()
        changed, self.changed = self.changed, asyncio.Event()
        changed.set()


class Hub:
    """Computes one state a tick for all channels together and hands it to each of them."""

    def __init__(self, store: Store, counters: Counters) -> None:
        self._store = store
        self._counters = counters
        self._channels: dict[tuple[object, ...], Channel] = {}
        self._wanted = asyncio.Event()
        # A thread of its own: a queue of long requests must not stop the live picture.
        self._thread = CapacityLimiter(1)
        self._failing = False
        self._ticked_at: datetime | None = None
        self._kpis = KpisNow(store)

    async def run(self) -> None:
        """Tick until cancelled; rests while nobody listens."""
        while True:
            await self._wanted.wait()
            tick = asyncio.create_task(asyncio.sleep(self._store.settings.tick_s))
            await self._tick(list(self._channels.values()))
            await tick

    async def events(self, selection: Selection, last_id: str | None) -> AsyncIterator[bytes]:
        """The newest event of *selection* whenever there is one that this reader has not had.

        While nothing changes, ``beat`` tells each second when it was last looked at.
        """
        channel = self._channels.setdefault(selection.key, Channel(selection))
        channel.subscribers += 1
        self._wanted.set()
        self._counters.subscribers.inc()
        try:
            while True:
                changed, newest_id = channel.changed, str(channel.last_id)
                if channel.event and newest_id != last_id:
                    last_id = newest_id
                    yield channel.event
                    continue
                try:
                    async with asyncio.timeout(_BEAT_S):
                        await changed.wait()
                except TimeoutError:
                    if self._ticked_at is not None:
                        yield _beat(self._ticked_at)
        finally:
            self._counters.subscribers.dec()
            channel.subscribers -= 1
            if not channel.subscribers:
                del self._channels[selection.key]
            if not self._channels:
                self._wanted.clear()

    async def _tick(self, channels: Sequence[Channel]) -> None:
        at = self._store.now()
        try:
            with self._counters.tick_seconds.time():
                states = await to_thread.run_sync(
                    self._states, [c.selection for c in channels], at, limiter=self._thread
                )
        except Exception as error:  # noqa: BLE001 - the stream says what is wrong and goes on
            self._counters.ticks.labels("failed").inc()
            self._tell(error)
            problem = dumps(problem_of(error, _PATH).model_dump(exclude_none=True))
            for channel in channels:
                channel.publish("problem", at, problem, problem)
            return
        if self._failing:
            self._failing = False
            log.info("live state is computed again")
        self._ticked_at = at
        self._counters.ticks.labels("computed").inc()
        for channel, state in zip(channels, states, strict=True):
            shown = dumps([state.tags, state.kpis, state.alarms])
            channel.publish("state", at, dumps(state), shown)

    def _tell(self, error: Exception) -> None:
        """Log the first of several failures; what passes by itself needs no traceback."""
        if not self._failing:
            trace = error if is_defect(error) else None
            log.warning("live state cannot be computed", error=str(error).strip(), exc_info=trace)
        self._failing = True

    def _states(self, selections: Sequence[Selection], at: datetime) -> list[LiveState]:
        """The state of each selection; what several of them show is computed once."""
        catalogue = self._store.catalogue()
        tags = {tag.path: tag for selection in selections for tag in selection.tags}
        wanted = sorted(tags.values(), key=lambda tag: catalogue.tag_ids[tag.path])
        values = {one.tag: one for one in newest(self._store, catalogue, wanted, at)}
        bindings: dict[timedelta, list[Binding]] = {}
        for selection in selections:
            bindings.setdefault(selection.window, []).extend(selection.kpis)
        kpis = self._kpis.of(catalogue, bindings, at)
        ringing = standing(self._store) if any(one.alarms for one in selections) else []
        return [
            LiveState(
                at,
                [values[tag.path] for tag in selection.tags],
                [kpis[selection.window, b.kpi.id, b.asset] for b in selection.kpis],
                [one for one in ringing if selection.shows(one)],
            )
            for selection in selections
        ]


def _beat(at: datetime) -> bytes:
    return ServerSentEvent(dumps({"at": at}).decode(), event="beat", sep="\n").encode()
