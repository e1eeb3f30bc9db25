"""The live state: computed once a tick for all who listen, and handed to each of them.

Every event is the whole chosen state and not a change of it. So a reader that is slow may skip any
number of them and is right again with the next; nothing is kept for anybody, and a reader that
comes back needs nothing but the newest.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import polars as pl
import structlog
from anyio import CapacityLimiter, to_thread
from sse_starlette import ServerSentEvent

from api.counters import Counters
from api.formats import dumps
from api.inputs import sums
from api.latest import Newest, newest
from api.problem import problem_of
from api.store import Store
from api.summaries import MINUTE
from kpi.binding import Binding
from kpi.evaluate import evaluate_sums
from schemas.db.catalogue import Catalogue
from schemas.errors import UnavailableError
from schemas.instant import EPOCH, to_ms
from schemas.plant.model import Tag

log = structlog.get_logger()

_PATH: Final = "/api/v1/live"
_RETRY_MS: Final = 2_000


@dataclass(frozen=True, slots=True)
class LiveKpi:
    """A KPI over the window that ends now, rollups and the newest readings together."""

    kpi: str
    asset: str
    unit: str
    start: datetime
    value: float | None
    coverage: float
    reason: str | None


@dataclass(frozen=True, slots=True)
class LiveState:
    """The data of a ``state`` event."""

    at: datetime
    tags: list[Newest]
    kpis: list[LiveKpi]


@dataclass(frozen=True)
class Selection:
    """What a stream shows. Equal selections share one channel."""

    tags: tuple[Tag, ...]
    kpis: tuple[Binding, ...]
    window: timedelta

    @property
    def key(self) -> tuple[object, ...]:
        """What makes two selections the same."""
        return (
            tuple(tag.path for tag in self.tags),
            tuple((binding.kpi.id, binding.asset) for binding in self.kpis),
            self.window,
        )


@dataclass(slots=True, eq=False)
class Channel:
    """The newest event of one selection, and how to wait for the next."""

    selection: Selection
    subscribers: int = 0
    event: ServerSentEvent | None = None
    shown: bytes = b""
    last_id: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, name: str, at: datetime, data: bytes, shown: bytes) -> None:
        """Make *data* the newest event, unless what it shows is shown already."""
        if shown == self.shown:
            return
        self.shown = shown
        self.last_id = max(to_ms(at), self.last_id + 1)
        self.event = ServerSentEvent(
            data.decode(), event=name, id=str(self.last_id), retry=_RETRY_MS
        )
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

    async def run(self) -> None:
        """Tick until cancelled; rests while nobody listens."""
        while True:
            await self._wanted.wait()
            tick = asyncio.create_task(asyncio.sleep(self._store.settings.tick_s))
            await self._tick(list(self._channels.values()))
            await tick

    async def events(
        self, selection: Selection, last_id: str | None
    ) -> AsyncIterator[ServerSentEvent]:
        """The newest event of *selection* whenever there is one that this reader has not had."""
        channel = self._channels.setdefault(selection.key, Channel(selection))
        channel.subscribers += 1
        self._wanted.set()
        self._counters.subscribers.inc()
        try:
            while True:
                changed, event = channel.changed, channel.event
                if event is not None and event.id != last_id:
                    last_id = event.id
                    yield event
                else:
                    await changed.wait()
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
        self._counters.ticks.labels("computed").inc()
        for channel, state in zip(channels, states, strict=True):
            shown = dumps([state.tags, state.kpis])
            channel.publish("state", at, dumps(state), shown)

    def _tell(self, error: Exception) -> None:
        """Log the first of several failures; what passes by itself needs no traceback."""
        if not self._failing:
            trace = None if isinstance(error, UnavailableError) else error
            log.warning("live state cannot be computed", error=str(error).strip(), exc_info=trace)
        self._failing = True

    def _states(self, selections: Sequence[Selection], at: datetime) -> list[LiveState]:
        """The state of each selection; what several of them show is computed once."""
        catalogue = self._store.catalogue()
        tags = {tag.path: tag for selection in selections for tag in selection.tags}
        wanted = sorted(tags.values(), key=lambda tag: catalogue.tag_ids[tag.path])
        values = {one.tag: one for one in newest(self._store, catalogue, wanted, at)}
        kpis: dict[timedelta, Mapping[tuple[str, str], LiveKpi]] = {}
        for window in {selection.window for selection in selections}:
            bindings = [b for s in selections if s.window == window for b in s.kpis]
            kpis[window] = _live_kpis(self._store, catalogue, bindings, window, at)
        return [
            LiveState(
                at,
                [values[tag.path] for tag in selection.tags],
                [kpis[selection.window][b.kpi.id, b.asset] for b in selection.kpis],
            )
            for selection in selections
        ]


def _live_kpis(
    store: Store,
    catalogue: Catalogue,
    bindings: Iterable[Binding],
    window: timedelta,
    at: datetime,
) -> Mapping[tuple[str, str], LiveKpi]:
    """Each of *bindings* over the window that ends at *at*; it begins with a whole minute."""
    each = {(binding.kpi.id, binding.asset): binding for binding in bindings}
    if not each:
        return {}
    edges = (EPOCH + (at - window - EPOCH) // MINUTE * MINUTE, at)
    terms = pl.concat(binding.frame for binding in each.values()).unique()
    with store.frames.snapshot() as frames:
        found = sums(frames, catalogue, terms, edges)
    live = {}
    for key, binding in each.items():
        _, _, value, coverage, reason = evaluate_sums(binding, found, edges).row(0)
        kpi = binding.kpi
        live[key] = LiveKpi(kpi.id, binding.asset, kpi.unit, edges[0], value, coverage, reason)
    return live
