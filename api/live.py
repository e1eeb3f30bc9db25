"""``/api/v1/live``: chosen tags and KPIs as server-sent events, one state a tick.

Every event is the whole chosen state and not a change of it. So a reader that is slow may skip any
number of them and is right again with the next; nothing is kept for anybody, and a reader that
comes back needs nothing but the newest.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Final

import structlog
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import Field
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from api.counters import Counters
from api.formats import dumps
from api.formulas import find_binding, find_kpi
from api.latest import Newest, newest
from api.openapi import stream_of
from api.parameters import Asked, TagPaths
from api.problem import problem_of
from api.series import bucketed
from api.span import parse_window
from api.store import Database, Store
from api.summaries import MINUTE
from api.tags import select_tags
from kpi.binding import Binding
from kpi.evaluate import evaluate
from schemas.db.catalogue import Catalogue
from schemas.errors import RequestError, TooLargeError
from schemas.instant import EPOCH, to_ms
from schemas.plant.model import Tag

router = APIRouter(prefix="/api/v1", tags=["live"])
log = structlog.get_logger()

PATH: Final = "/api/v1/live"
_KPIS_MAX: Final = 100
_RETRY_MS: Final = 2_000
#: A reader that takes nothing for so long is gone.
_SEND_TIMEOUT_S: Final = 30


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
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def publish(self, name: str, at: datetime, data: bytes, shown: bytes) -> None:
        """Make *data* the newest event, unless what it shows is shown already."""
        if shown != self.shown:
            self.shown = shown
            text = data.decode()
            self.event = ServerSentEvent(text, event=name, id=str(to_ms(at)), retry=_RETRY_MS)
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
        except Exception as error:
            self._counters.ticks.labels("failed").inc()
            if not self._failing:
                self._failing = True
                log.warning("live state cannot be computed", error=str(error), exc_info=error)
            problem = dumps(problem_of(error, PATH).model_dump(exclude_none=True))
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
    tag_ids = sorted({tag_id for binding in each.values() for tag_id in binding.tag_ids})
    with store.frames.snapshot() as frames:
        found = bucketed(frames, catalogue, tag_ids, edges)
    live = {}
    for key, binding in each.items():
        _, _, value, coverage, reason = evaluate(binding, found, edges).row(0)
        kpi = binding.kpi
        live[key] = LiveKpi(kpi.id, binding.asset, kpi.unit, edges[0], value, coverage, reason)
    return live


class AskedLive(Asked):
    """What to show."""

    tag: TagPaths = Field(default=[])
    kpi: list[str] = Field(
        default=[],
        description="KPIs, each as <id>@<asset path>",
        examples=["dc_specific_energy@smelter/potline-1"],
    )
    window: str = Field(default="1h", description="span of the KPIs, ends now: 1m to 31d")


def select(store: Store, asked: AskedLive) -> Selection:
    """What a request for a live stream names.

    Raises
    ------
    RequestError
        It names nothing, something unknown, or too much.
    """
    catalogue = store.catalogue()
    if not asked.tag and not asked.kpi:
        raise RequestError("tag", None, "name tags by tag= or KPIs by kpi=<id>@<asset path>")
    tags = select_tags(catalogue, asked.tag)
    if len(tags) > (most := store.settings.live_tags_max):
        raise TooLargeError("tag", asked.tag, f"that is {len(tags)} tags; one stream shows {most}")
    if len(asked.kpi) > _KPIS_MAX:
        raise TooLargeError("kpi", len(asked.kpi), f"one stream shows {_KPIS_MAX}")
    kpis = tuple(_binding(catalogue, text) for text in asked.kpi)
    return Selection(tuple(tags), kpis, parse_window(asked.window))


def _binding(catalogue: Catalogue, text: str) -> Binding:
    name, at, asset = text.partition("@")
    if not at:
        raise RequestError("kpi", text, f"add the asset: {name}@smelter/potline-1")
    return find_binding(catalogue, find_kpi(name, "kpi"), asset)


def _hub(request: Request) -> Hub:
    found = request.app.state.hub
    assert isinstance(found, Hub)  # noqa: S101 - create_app puts it there
    return found


@router.get(
    "/live",
    summary="Chosen tags and KPIs, live",
    response_class=EventSourceResponse,
    responses=stream_of(LiveState),
)
async def live(
    store: Database,
    hub: Annotated[Hub, Depends(_hub)],
    asked: Annotated[AskedLive, Query()],
    last_event_id: Annotated[
        str | None, Header(description="of the last event that was had; it is not sent again")
    ] = None,
) -> EventSourceResponse:
    """Events ``state`` with the whole chosen state, and ``problem`` while it cannot be computed.

    A slow reader skips states and is never behind. A reader that comes back with ``Last-Event-ID``
    gets the newest state at once, unless that is the one it has.
    """
    selection = await run_in_threadpool(select, store, asked)
    return EventSourceResponse(
        hub.events(selection, last_event_id), sep="\n", send_timeout=_SEND_TIMEOUT_S
    )
