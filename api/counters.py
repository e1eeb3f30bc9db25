"""What the API counts, for ``/metrics``; each application has a registry of its own."""

import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Counters:
    """The API's metrics."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        self.requests = Counter(
            "ertis_api_requests",
            "Requests answered, by route and status",
            ["method", "route", "status"],
            registry=self.registry,
        )
        self.seconds = Histogram(
            "ertis_api_request_seconds",
            "Time to the first byte of the answer [s]",
            ["route"],
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0),
            registry=self.registry,
        )
        self.bytes = Counter(
            "ertis_api_sent_bytes", "Bytes of answers", ["route"], registry=self.registry
        )
        self.subscribers = Gauge(
            "ertis_api_live_subscribers", "Open live streams", registry=self.registry
        )
        self.ticks = Counter(
            "ertis_api_live_ticks", "Live states computed", ["result"], registry=self.registry
        )
        self.alarms_evaluated = Gauge(
            "ertis_api_alarms_evaluated",
            "Alarms that this process evaluates; 0 where another leads",
            registry=self.registry,
        )
        self.tick_seconds = Histogram(
            "ertis_api_live_tick_seconds",
            "Time to compute one live state [s]",
            buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
            registry=self.registry,
        )


class Counted:
    """ASGI middleware that counts every request by its route, never by its path."""

    def __init__(self, app: ASGIApp, counters: Counters) -> None:
        self._app = app
        self._counters = counters

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and count its answer."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def counted(message: Message) -> None:
            # The router has put the route into the scope before the answer begins.
            route = getattr(scope.get("route"), "path", "none")
            if message["type"] == "http.response.start":
                self._counters.seconds.labels(route).observe(time.perf_counter() - began)
                self._counters.requests.labels(scope["method"], route, str(message["status"])).inc()
            else:
                self._counters.bytes.labels(route).inc(len(message.get("body", b"")))
            await send(message)

        await self._app(scope, receive, counted)
