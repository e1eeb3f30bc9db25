"""The one place where the parts of the API are put together."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from api import assets, formulas, health, history, kpis, latest, live, openapi, problem, tags
from api.counters import Counted, Counters
from api.hub import Hub, LiveState
from api.settings import ApiSettings
from api.store import Clock, Store, utc_now

_DESCRIPTION = """\
Telemetry and KPIs of a green-aluminium park. Times are UTC; buckets are half-open and named by
their start. Every value comes with its quality or coverage, every cut answer says so and how to
read on, every error is an RFC 9457 problem that says what would be right."""


def create_app(settings: ApiSettings, dsn: str, now: Clock = utc_now) -> FastAPI:
    """The API on the database *dsn*; connects at the first request. *now* is its clock."""
    counters = Counters()
    store = Store(dsn, settings, now)
    app = FastAPIOffline(
        title="Ertis",
        version=version("ertis"),
        description=_DESCRIPTION,
        redoc_url=None,
        static_url="/docs/assets",
        lifespan=_lifespan,
    )
    app.state.store = store
    app.state.counters = counters
    app.state.exports = CapacityLimiter(settings.threads)
    app.state.hub = Hub(store, counters)
    for module in (assets, tags, latest, history, formulas, kpis, live, health):
        app.include_router(module.router)
    problem.install(app)
    openapi.install(app, LiveState)
    app.add_middleware(Counted, counters=counters)
    return app


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    store: Store = app.state.store
    to_thread.current_default_thread_limiter().total_tokens = store.settings.threads
    ticking = asyncio.create_task(app.state.hub.run(), name="live")
    try:
        yield
    finally:
        ticking.cancel()
        with suppress(asyncio.CancelledError):
            await ticking
        store.close()
