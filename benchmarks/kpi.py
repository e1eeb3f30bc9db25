"""How long the API takes for the KPIs of a line with 240 pots, and of the site.

The plant has potlines of 240 pots, a wind farm, a solar farm, a refinery and a grid connection. A
year of prepared inputs is generated; the last hour has summaries of every tag, its last minutes raw
readings, of which the rollup worker makes the rest. Then the real API process is asked over HTTP,
each KPI of the line in turn: over 30 days by hour, over a year by day, up to the last closed
minute. ``line_open_p95_ms`` is 30 days by hour up to an instant in the open minute, which takes raw
readings; ``fast_...`` are the same with ten times the raw rate, from a database and an API of their
own that are asked by turns with the others. ``site_shift_ms`` is the site's scorecard over a shift,
7 h 35 min gone.
"""

import json
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import httpx
import numpy as np
import psycopg
import typer

from benchmarks import stand
from benchmarks.park import LINE, SITE, park
from benchmarks.stored import load, store
from ingest.rollup.worker import RollupWorker
from kpi.binding import kpis_of
from kpi.catalogue.park import KPIS
from schemas.db.catalogue import Catalogue
from schemas.db.tiers import ensure_span

_HOUR: Final = timedelta(hours=1)
_MINUTE: Final = timedelta(minutes=1)
#: Raw readings are there for so long before the open minute.
_RAW: Final = 2 * _MINUTE
#: The last hour that is asked about is open, 35 minutes and a half of it gone.
_NOW: Final = datetime(2026, 11, 1, 10, 35, 30, tzinfo=UTC)

_TAGS_HOURS: Final = """
    INSERT INTO {table} (tag_id, bucket, count, good_s, covered_s, integral, first, first_ts, last,
                         last_ts, min, max, increase, active_s, activations, total)
    SELECT tag.id, bucket, 60, %(width)s, %(width)s, %(width)s * level, level, bucket, level,
           bucket + interval '59 s', level, level, 0.01 * %(width)s, %(width)s, 0, 0.01 * %(width)s
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 s',
                         make_interval(secs => %(width)s)) AS bucket,
         tag, LATERAL (SELECT 4 + random() AS level) AS made
    WHERE tag.id = ANY(%(ids)s)"""
_INPUTS: Final = """
    INSERT INTO {table} (input_id, bucket, value, covered_s, good_s, readings)
    SELECT kpi_input.id, bucket, tags * %(width)s * (4 + random()), tags * %(width)s,
           tags * %(width)s, tags * 60
    FROM generate_series(%(start)s::timestamptz, %(end)s::timestamptz - interval '1 s',
                         make_interval(secs => %(width)s)) AS bucket, kpi_input"""


def main(
    quick: Annotated[bool, typer.Option(help="a tenth of the plant and of the year")] = False,
    pots: Annotated[int, typer.Option(min=24, help="in each of the three lines")] = 240,
    rounds: Annotated[int, typer.Option(min=1, help="how often each KPI is asked for")] = 5,
) -> None:
    """KPIs of a line and of the site, through the API."""
    pots, days = (24, 40) if quick else (pots, 366)
    measured: dict[str, object] = {"benchmark": "kpi", "cores": os.cpu_count(), "pots": pots}
    with ExitStack() as stack:
        clients = {}
        for name, hz in (("", 1), ("fast_", 10)):
            dsn = stack.enter_context(stand.database())
            catalogue = _prepare(dsn, pots, days, hz)
            clients[name] = stack.enter_context(_api(dsn))
        asked = [kpi.id for kpi in kpis_of(KPIS, LINE, catalogue.plant)]
        measured |= {"tags": len(catalogue.tags), "days": days, "line_kpis": len(asked)}
        closed, hour = _NOW.replace(second=0), _NOW.replace(minute=0, second=0)
        month, year = timedelta(days=min(30, days)), timedelta(days=days - 1)
        for field, start, end, every in (
            ("line_30d_hourly_p95_ms", hour - month, closed, "1h"),
            ("line_1y_daily_p95_ms", hour - year, closed, "day"),
            ("line_open_p95_ms", hour - month, _NOW, "1h"),
        ):
            span = {"asset": LINE, "from": _iso(start), "to": _iso(end), "every": every}
            paths = [f"/api/v1/kpis/{kpi}" for kpi in asked]
            measured |= _percentiles(field, clients, paths, span, rounds)
        shift = {"asset": SITE, "from": _iso(hour - 7 * _HOUR), "to": _iso(closed)}
        card = clients[""].get("/api/v1/scorecard", params=shift).raise_for_status().json()
        measured["site_kpis"] = len(card["kpis"])
        measured |= _percentiles("site_shift_ms", clients, ["/api/v1/scorecard"], shift, 20)
        day = {"asset": SITE, "at": "2026-10-31"}
        measured |= _percentiles("site_report_ms", clients, ["/api/v1/reports/day"], day, 20)
    typer.echo(json.dumps(measured))


def _percentiles(
    field: str,
    clients: Mapping[str, httpx.Client],
    paths: Sequence[str],
    asked: Mapping[str, str],
    rounds: int,
) -> dict[str, float]:
    """The p95 [ms] of each of *clients*, in turn; the first round warms the pool, is left out."""
    times: dict[str, list[float]] = {name: [] for name in clients}
    for turn in range(rounds + 1):
        for path in paths:
            for name, client in clients.items():
                took = _timed(client, path, asked)
                if turn:
                    times[name].append(took)
    return {
        name + field: round(float(np.percentile(taken, 95)) * 1e3, 1)
        for name, taken in times.items()
    }


def _timed(client: httpx.Client, path: str, asked: Mapping[str, str]) -> float:
    started_s = time.perf_counter()
    client.get(path, params=asked).raise_for_status()
    return time.perf_counter() - started_s


def _iso(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")


@contextmanager
def _api(dsn: str) -> Iterator[httpx.Client]:
    """The API's process, ready, and a client of it."""
    port = stand.free_port()
    environment = {
        "ERTIS_DSN": dsn,
        "API_PORT": str(port),
        "API_KEYLESS_ROLE": "viewer",
        "API_RATE_PER_S": "1e6",
        "API_RATE_BURST": "1000000",
        # The first request sees the plant; it does not change.
        "API_CATALOGUE_S": "3600",
    }
    with (
        stand.process("-m", "api", "serve", environment=environment),
        httpx.Client(base_url=f"http://{stand.HOST}:{port}", timeout=120) as client,
    ):
        stand.until(lambda: _live(client), "the API to answer")
        yield client


def _live(client: httpx.Client) -> bool:
    try:
        return client.get("/health/live").is_success
    except httpx.TransportError:
        return False


def _prepare(dsn: str, pots: int, days: int, hz: int) -> Catalogue:
    """A plant and its past, as ingest and the rollup worker leave them at `_NOW`."""
    catalogue = store(dsn, park(pots))
    hour = _NOW.replace(minute=0, second=0)
    raw = _NOW.replace(second=0) - _RAW
    with psycopg.connect(dsn, autocommit=True) as connection, closing(RollupWorker(dsn)) as worker:
        for table, start in (("reading", raw), ("rollup_1m", hour)):
            ensure_span(connection, table, start - _HOUR, _NOW + _HOUR)
        ensure_span(connection, "rollup_1h", hour - timedelta(days=days), hour)
        while worker.build(_NOW):
            pass
        _fill(connection, catalogue, hour, days, raw)
        measured = [id_ for id_, tag in catalogue.tags.items() if tag.derivation is None]
        ids, seconds = np.array(sorted(measured), np.int32), round((_NOW - raw).total_seconds())
        load(connection, ids, raw, seconds, hz=hz, mean=4.2)
        connection.execute("VACUUM ANALYZE")
        while worker.step(_NOW).marked:
            pass
    return catalogue


def _fill(
    connection: psycopg.Connection, catalogue: Catalogue, hour: datetime, days: int, raw: datetime
) -> None:
    """Summaries and inputs of the past up to *raw*."""
    ids = sorted(catalogue.tags)
    year = hour - timedelta(days=days)
    for query, table, width, start, end, tags in (
        (_TAGS_HOURS, "rollup_1h", 3600.0, hour - _HOUR, hour, ids),
        (_TAGS_HOURS, "rollup_1m", 60.0, hour, raw, ids),
        (_INPUTS, "input_1h", 3600.0, year, hour, []),
        (_INPUTS, "input_1m", 60.0, hour, raw, []),
    ):
        given = {"width": width, "start": start, "end": end, "ids": tags}
        connection.execute(query.format(table=table).encode(), given)
