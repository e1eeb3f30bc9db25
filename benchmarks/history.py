"""How fast the API answers from history, beside what the database itself can give.

``ratio`` is the rate of raw readings as an Arrow stream over that of COPY in binary of the same
rows in the same order, best of three each in turn. COPY is received by psql, which writes what
comes to /dev/null: nothing else that a script could have without the API is as fast, and so the
target is judged by it. ``server_ratio`` is the same over COPY into the server's own /dev/null,
where the rows reach nobody: it says how much of the server's pace gets out. ``multi_tag_s`` is the
time to summarise all tags over an hour that begins and ends within minutes, ``latest_ms`` to name
the newest value of each of the tags, ``plot_year_ms`` to chart a year of one at a thousand pixels:
the median of five after one to warm up. ``export_rss_mb`` is the most memory that the API's process
held while it sent ``export_rows`` readings in one answer; with ``--full`` a hundred million.
"""

import json
import os
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from subprocess import Popen
from typing import Annotated, Final

import httpx
import psycopg
import typer
from rich.console import Console

from benchmarks import stand
from benchmarks.load import plant
from schemas.db.catalogue import load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.db.tiers import ensure_span

_DAY: Final = timedelta(days=1)
_TAGS: Final = 8_000
_SUMMARISED: Final = 1_000
_COLUMNS: Final = "tag_id, ts, value, quality"

console = Console(stderr=True)


def main(
    quick: Annotated[bool, typer.Option(help="three days instead of thirty")] = False,
    full: Annotated[bool, typer.Option(help="export a hundred million rows")] = False,
) -> None:
    """The API's history against a real database."""
    days = 3 if quick else 30
    exported = 100_000_000 if full else 2_000_000 if quick else 10_000_000
    with stand.database() as dsn:
        now = datetime.now(UTC).replace(second=20, microsecond=0)
        with console.status("storing readings and rollups"):
            tags = _prepare(dsn, now, days, exported)
        with _api(dsn) as (running, client), psycopg.connect(dsn) as connection:
            span = (now - days * _DAY, now - _DAY / 24)
            console.print("raw readings against COPY")
            rates = [
                (
                    _api_rate(client, tags[0], span),
                    _copy_rate(dsn, 1, span),
                    _server_rate(connection, 1, span),
                )
                for _ in range(3)
            ]
            api_rate, copy_rate, server_rate = (max(rate) for rate in zip(*rates, strict=True))
            console.print("many tags, latest values, a chart of a year")
            hour = {"from": "-70m", "to": "-10m", "mode": "summary"}
            multi = _median_s(client, {"tag": tags[2 : 2 + _SUMMARISED], **hour}, _SUMMARISED)
            latest = _latest_s(client)
            year = {"tag": [tags[0]], "mode": "plot", "pixels": 1000, "from": "-365d"}
            plot = _median_s(client, year, 1000)
        with _api(dsn) as (running, client):
            console.print(f"export of {exported:,} rows")
            rows, seconds = _export(client, tags[1], now)
            memory = stand.peak_rss_mb(running)
    typer.echo(
        json.dumps(
            {
                "benchmark": "history",
                "cores": os.cpu_count(),
                "rows": round((span[1] - span[0]).total_seconds()),
                "api_rows_per_s": round(api_rate),
                "copy_rows_per_s": round(copy_rate),
                "server_rows_per_s": round(server_rate),
                "ratio": round(api_rate / copy_rate, 3),
                "server_ratio": round(api_rate / server_rate, 3),
                "multi_tags": _SUMMARISED,
                "multi_tag_s": round(multi, 3),
                "latest_tags": _TAGS,
                "latest_ms": round(1000 * latest),
                "plot_year_ms": round(1000 * plot),
                "export_rows": rows,
                "export_rows_per_s": round(rows / seconds),
                "export_rss_mb": round(memory),
            }
        )
    )


def _prepare(dsn: str, now: datetime, days: int, exported: int) -> list[str]:
    """Paths of the tags; the first has *days* at 1 Hz and a year of rollups, the second the export.

    Each of the others has an hour and a half at 0.1 Hz, rolled up by the minute.
    """
    upgrade(dsn)
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, plant(_TAGS))
        catalogue = load_catalogue(connection)
    engine.dispose()
    paths = [catalogue.tags[tag_id].path for tag_id in sorted(catalogue.tags)[:_TAGS]]
    export_start = now - timedelta(seconds=exported / 100)
    with psycopg.connect(dsn, autocommit=True) as connection:
        for table in ("reading", "rollup_1m", "rollup_1h"):
            ensure_span(connection, table, now - 366 * _DAY, now + _DAY)
        insert = "INSERT INTO reading (tag_id, ts, value, quality)"
        value = "4.2 + 0.1 * sin(extract(epoch FROM at)::float8 / 600), 192"
        connection.execute(
            f"{insert} SELECT 1, at, {value}"  # noqa: S608 - constants
            " FROM generate_series(%s::timestamptz, %s, interval '1 s') at",
            (now - days * _DAY, now),
        )
        connection.execute(
            f"{insert} SELECT 2, at, {value}"  # noqa: S608 - constants
            " FROM generate_series(%s::timestamptz, %s, interval '10 ms') at",
            (export_start, now),
        )
        connection.execute(
            f"{insert} SELECT tag_id, at, {value}"  # noqa: S608 - constants
            " FROM generate_series(3, %s) tag_id,"
            " generate_series(%s::timestamptz, %s, interval '10 s') at",
            (_TAGS, now - timedelta(minutes=90), now),
        )
        _roll_up(connection, "minute", now - timedelta(minutes=90), now, (3, _TAGS))
        _roll_up(connection, "hour", now - 365 * _DAY, now, (1, 1))
        connection.execute("VACUUM ANALYZE")
    return paths


def _roll_up(
    connection: psycopg.Connection, unit: str, start: datetime, end: datetime, tags: tuple[int, int]
) -> None:
    """Whole buckets as the rollup worker leaves them, of values that are as good as any."""
    connection.execute(
        f"INSERT INTO rollup_1{unit[0]} (tag_id, bucket, count, good_s, covered_s, integral, first,"  # noqa: S608 - constants
        " first_ts, last, last_ts, min, max) SELECT tag_id, at, width, width, width, 4.2 * width,"
        " 4.2, at, 4.2, at, 4.1, 4.3 FROM generate_series(%(first)s::int, %(last)s) tag_id,"
        " generate_series(date_trunc(%(unit)s, %(start)s::timestamptz) + %(step)s, "
        " date_trunc(%(unit)s, %(end)s::timestamptz) - 2 * %(step)s, %(step)s) at,"
        " (SELECT extract(epoch FROM %(step)s)::int AS width) AS of",
        {
            "first": tags[0],
            "last": tags[1],
            "unit": unit,
            "start": start,
            "end": end,
            "step": timedelta(hours=1) if unit == "hour" else timedelta(minutes=1),
        },
    )


@contextmanager
def _api(dsn: str) -> Iterator[tuple[Popen[bytes], httpx.Client]]:
    """The API as it runs in production, in a process of its own."""
    port = stand.free_port()
    environment = {
        "ERTIS_DSN": dsn,
        "API_STATEMENT_TIMEOUT_S": "3600",
        "API_ROWS_MAX": "200000000",
        "API_KEYLESS_ROLE": "viewer",
    }
    arguments = ("-m", "api", "serve", "--port", str(port))
    url = f"http://{stand.HOST}:{port}"
    with (
        stand.process(*arguments, environment=environment) as running,
        httpx.Client(base_url=url, timeout=3600) as client,
    ):
        stand.until(lambda: _ready(client), "the API to be ready")
        yield running, client


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/api/v1/tags?limit=1").status_code == 200
    except httpx.TransportError:
        return False


def _received(client: httpx.Client, body: dict[str, object]) -> int:
    """Bytes of an answer that is thrown away as it comes."""
    with client.stream("POST", "/api/v1/history", json=body) as answer:
        answer.raise_for_status()
        return sum(len(part) for part in answer.iter_raw())


def _api_rate(client: httpx.Client, tag: str, span: tuple[datetime, datetime]) -> float:
    """Rows a second of the span as one Arrow stream."""
    start, end = span
    body: dict[str, object] = {
        "tag": [tag],
        "from": start.isoformat(),
        "to": end.isoformat(),
        "format": "arrow",
        "limit": 10_000_000,
    }
    began = time.perf_counter()
    _received(client, body)
    return (end - start).total_seconds() / (time.perf_counter() - began)


def _copy(target: str, tag_id: int, span: tuple[datetime, datetime]) -> str:
    start, end = span
    return (
        f"COPY (SELECT {_COLUMNS} FROM reading WHERE tag_id = {tag_id}"  # noqa: S608 - constants
        f" AND ts >= '{start.isoformat()}' AND ts < '{end.isoformat()}' ORDER BY tag_id, ts)"
        f" TO {target} (FORMAT BINARY)"
    )


def _copy_rate(dsn: str, tag_id: int, span: tuple[datetime, datetime]) -> float:
    """Rows a second of the same rows to the fastest client there is, its start included."""
    command = (stand.psql(), dsn, "--no-psqlrc", "--command", _copy("STDOUT", tag_id, span))
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: S603 - PostgreSQL's own
    return (span[1] - span[0]).total_seconds() / (time.perf_counter() - began)


def _server_rate(
    connection: psycopg.Connection, tag_id: int, span: tuple[datetime, datetime]
) -> float:
    """Rows a second of the same rows to nobody: no client slows the server."""
    began = time.perf_counter()
    connection.execute(_copy("'/dev/null'", tag_id, span).encode())
    return (span[1] - span[0]).total_seconds() / (time.perf_counter() - began)


def _median_s(client: httpx.Client, body: dict[str, object], rows: int) -> float:
    """How long an answer of so many rows takes."""

    def once() -> None:
        answer = client.post("/api/v1/history", json={**body, "limit": 1_000_000})
        answer.raise_for_status()
        found = len(answer.json()["rows"])
        if found != rows:
            raise SystemExit(f"{found} rows where {rows} were asked for")

    return _median(once)


def _latest_s(client: httpx.Client) -> float:
    def once() -> None:
        answer = client.get("/api/v1/latest", params={"tag": "**"})
        answer.raise_for_status()
        found = len(answer.json()["values"])
        if found < _TAGS:
            raise SystemExit(f"{found} values of {_TAGS} tags")

    return _median(once)


def _median(once: Callable[[], None]) -> float:
    seconds = []
    for _ in range(6):
        began = time.perf_counter()
        once()
        seconds.append(time.perf_counter() - began)
    return statistics.median(seconds[1:])


def _export(client: httpx.Client, tag: str, now: datetime) -> tuple[int, float]:
    """Rows of one long answer, and how long it took [s]."""
    span = {"from": (now - 364 * _DAY).isoformat(), "to": (now + _DAY).isoformat()}
    began = time.perf_counter()
    lines = 0
    body = {"tag": [tag], **span, "format": "csv", "limit": 200_000_000}
    with client.stream("POST", "/api/v1/history", json=body) as answer:
        answer.raise_for_status()
        for part in answer.iter_raw():
            lines += part.count(b"\n")
    return lines - 1, time.perf_counter() - began
