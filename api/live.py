"""``/api/v1/live``: chosen tags, KPIs and alarms as server-sent events."""

from typing import Annotated, Final

from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import Field
from sse_starlette import EventSourceResponse
from starlette.concurrency import run_in_threadpool

from api.access.areas import Areas
from api.formulas import find_binding, find_kpi
from api.hub import Hub, LiveState, Selection
from api.openapi import stream_of
from api.parameters import Asked, TagPaths
from api.pattern import compile_pattern
from api.span import parse_window
from api.store import Database, Store
from api.tags import select_tags
from kpi.binding import Binding
from schemas.db.catalogue import Catalogue
from schemas.errors import RequestError, TooLargeError

router = APIRouter(prefix="/api/v1", tags=["live"])

_KPIS_MAX: Final = 100
#: A reader that takes nothing for so long is gone.
_SEND_TIMEOUT_S: Final = 30


class AskedLive(Asked):
    """What to show."""

    tag: TagPaths = Field(default=[])
    kpi: list[str] = Field(
        default=[],
        description="KPIs, each as <id>@<asset path>",
        examples=["dc_specific_energy@smelter/potline-1"],
    )
    alarm: list[str] = Field(
        default=[],
        description="areas, or **: the alarms there that ring, are shelved or out of service",
        examples=["smelter/**"],
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
    if not asked.tag and not asked.kpi and not asked.alarm:
        right = "name tags by tag=, KPIs by kpi=<id>@<asset path>, or areas by alarm="
        raise RequestError("tag", None, right)
    tags = select_tags(catalogue, asked.tag)
    if len(tags) > (most := store.settings.live_tags_max):
        raise TooLargeError("tag", asked.tag, f"that is {len(tags)} tags; one stream shows {most}")
    if len(asked.kpi) > _KPIS_MAX:
        raise TooLargeError("kpi", len(asked.kpi), f"one stream shows {_KPIS_MAX}")
    kpis = tuple(_binding(catalogue, text) for text in asked.kpi)
    areas = Areas(tuple(asked.alarm)) if asked.alarm else None
    for pattern in asked.alarm:
        compile_pattern("alarm", pattern)
    return Selection(tuple(tags), kpis, parse_window(asked.window), areas, store.areas)


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
    summary="Chosen tags, KPIs and alarms, live",
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

    While nothing changes, ``beat`` says each second when it was last looked at: a reader that hears
    nothing for some seconds has lost its connection.

    A slow reader skips states and is never behind. A reader that comes back with ``Last-Event-ID``
    gets the newest state at once, unless that is the one it has.
    """
    selection = await run_in_threadpool(select, store, asked)
    return EventSourceResponse(
        hub.events(selection, last_event_id), sep="\n", send_timeout=_SEND_TIMEOUT_S
    )
