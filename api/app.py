"""The one place where the parts of the API are put together."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from importlib.metadata import version

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.cors import CORSMiddleware

from api import (
    assets,
    comparison,
    console,
    estimate,
    formulas,
    health,
    history,
    kpis,
    latest,
    ledger,
    live,
    openapi,
    periods,
    plant,
    problem,
    scorecard,
    shifts,
    sources,
    tags,
)
from api.access import audit_log, browser, me
from api.access.gate import Gate
from api.access.headers import Guarded
from api.access.keys import Keyring
from api.access.limits import Limits
from api.access.tokens import Tokens
from api.alarms import history as alarm_history
from api.alarms import routes as alarm_routes
from api.alarms.evaluator import Evaluator
from api.counters import Counted, Counters
from api.hub import Hub, LiveState
from api.reports import routes as reports
from api.settings import ApiSettings
from api.store import Clock, Store, session, utc_now
from schemas.db.engine import make_engine

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
    writer = make_engine(session(dsn, settings, ""), pool_size=1)
    app.state.evaluator = Evaluator(store, writer, counters)
    for module in (
        assets,
        tags,
        shifts,
        latest,
        history,
        estimate,
        formulas,
        kpis,
        periods,
        scorecard,
        comparison,
        reports,
        ledger,
        live,
        plant,
        sources,
        alarm_routes,
        alarm_history,
        me,
        browser,
        audit_log,
        health,
    ):
        app.include_router(module.router)
    console.install(app)
    problem.install(app)
    openapi.install(app, LiveState)
    _guard(app, store)
    app.add_middleware(Counted, counters=counters)
    return app


def _guard(app: FastAPI, store: Store) -> None:
    """Put the gate before the routes; what is added last meets a request first."""
    settings = store.settings
    app.add_middleware(
        Gate,
        keys=Keyring(store.connection, store.now),
        tokens=Tokens(settings.provider) if settings.provider else None,
        limits=Limits(settings.rate_per_s, settings.rate_burst, time.monotonic),
        keyless=settings.keyless_role,
        keyless_anywhere=settings.keyless_anywhere,
    )
    if settings.cors_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=settings.cors_origins,
            allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Last-Event-ID"],
            expose_headers=[
                "Ertis-Cursor",
                "Ertis-Truncated",
                "Link",
                "RateLimit",
                "RateLimit-Policy",
            ],
        )
    app.add_middleware(Guarded)


@asynccontextmanager
async def _lifespan(app: FastAPI) -> AsyncIterator[None]:
    store: Store = app.state.store
    to_thread.current_default_thread_limiter().total_tokens = store.settings.threads
    evaluator: Evaluator = app.state.evaluator
    tasks = [asyncio.create_task(app.state.hub.run(), name="live")]
    if store.settings.alarms:
        tasks.append(asyncio.create_task(evaluator.run(), name="alarms"))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
        evaluator.close()
        store.close()
