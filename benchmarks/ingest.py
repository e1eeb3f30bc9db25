"""How fast readings get from the edge into the database, as a share of what COPY can do.

Generator, broker, ingest and PostgreSQL run on the same machine. ``readings_per_s`` counts from the
first publication until the last frame is acknowledged as committed (JSON lane: until the last row
is there). ``raw_copy_per_s`` is binary COPY of the same rows, sorted as ingest sorts them and in
batches of the same size, into the same table of another database of the same server. Latencies are
from publication to the acknowledgement of the commit, at half of the rate that was reached.
``*_cpu_us`` is processor time a reading [us] of ingest, of the database server with its share of
other work on it, and of the generator; on a busy machine these tell more than the rates.
"""

import json
import math
import subprocess
import time
from dataclasses import dataclass
from functools import partial
from typing import Annotated, Final

import numpy as np
import psycopg
import typer
from psycopg import sql
from psycopg.conninfo import make_conninfo

from benchmarks import stand
from benchmarks.load import plant
from ingest.copy_image import image, timestamps
from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.db.tiers import ensure_span
from schemas.errors import DefectError
from schemas.instant import from_ms

BATCH_ROWS: Final = 50_000


@dataclass(frozen=True, slots=True)
class Size:
    """How much is sent."""

    tags: int
    rounds: int
    frame: int
    first_ms: int

    @property
    def readings(self) -> int:
        """All of it."""
        return self.tags * self.rounds


def main(  # noqa: PLR0917 - options of a command
    quick: Annotated[bool, typer.Option(help="a tenth of the load")] = False,
    tags: Annotated[int, typer.Option(min=25, help="tags of the plant; a multiple of 25")] = 5000,
    readings: Annotated[int, typer.Option(min=1, help="readings in all")] = 3_000_000,
    frame: Annotated[int, typer.Option(min=1, max=500, help="metrics of a frame")] = 200,
    lane: Annotated[str, typer.Option(help="sparkplug or json")] = "sparkplug",
    rollup: Annotated[bool, typer.Option(help="make summaries at the same time")] = False,
) -> None:
    """Readings from publication to commit, against raw COPY of the same rows."""
    rounds = max(1, math.ceil((readings // 10 if quick else readings) / tags))
    size = Size(tags, rounds, frame, (int(time.time()) - rounds - 1) * 1000)
    with stand.database() as server:
        dsn = prepared(server, "bench", size)
        raw = _copy_raw(_clone(server, "raw", "bench"), size)
        paced = _clone(server, "paced", "bench")
        with stand.broker() as (name, port):
            run = partial(_measure, port=port, lane=lane, rollup=rollup)
            result = run(dsn, size=size, rate=0.0)
            half = Size(size.tags, max(1, size.rounds // 4), size.frame, size.first_ms)
            calm = run(paced, size=half, rate=result["readings_per_s"] / 2)
    document = {
        "benchmark": "ingest",
        "lane": lane,
        "rollup": rollup,
        "broker": name,
        "tags": tags,
        "frame": frame if lane == "sparkplug" else 25,
        "readings": size.readings,
        "seconds": round(result["seconds"], 3),
        "readings_per_s": round(result["readings_per_s"]),
        "raw_copy_per_s": round(raw),
        "ratio": round(result["readings_per_s"] / raw, 3),
        "rss_mb": round(result["rss_mb"], 1),
        "ingest_cpu_us": round(result["cpu_s"] / size.readings * 1e6, 2),
        "server_cpu_us": round(result["server_cpu_s"] / size.readings * 1e6, 2),
        "sender_cpu_us": round(result["sender_cpu_s"] / size.readings * 1e6, 2),
        **{key: round(calm[key], 1) for key in calm if key.startswith("latency")},
    }
    typer.echo(json.dumps(document))


def prepared(server: str, name: str, size: Size) -> str:
    """A migrated database with the plant and the partitions that the load needs."""
    _execute(server, sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    dsn = make_conninfo(server, dbname=name)
    upgrade(dsn)
    engine = make_engine(dsn, pool_size=1)
    with engine.begin() as connection:
        store_plant(connection, plant(size.tags))
    engine.dispose()
    end_ms = size.first_ms + size.rounds * 1000
    with psycopg.connect(dsn, autocommit=True) as connection:
        ensure_span(connection, "reading", from_ms(size.first_ms), from_ms(end_ms))
    return dsn


def _clone(server: str, name: str, template: str) -> str:
    _execute(
        server,
        sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(
            sql.Identifier(name), sql.Identifier(template)
        ),
    )
    return make_conninfo(server, dbname=name)


def _execute(server: str, statement: sql.Composed) -> None:
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(statement)


def _copy_raw(dsn: str, size: Size) -> float:
    """Rows/s of COPY alone; the images are made beforehand."""
    rounds = max(1, BATCH_ROWS // size.tags)
    values = np.random.default_rng(1).normal(100.0, 5.0, (size.rounds, size.tags))
    images = []
    for start in range(0, size.rounds, rounds):
        part = values[start : start + rounds]
        tag_id = np.repeat(np.arange(1, size.tags + 1, dtype=np.int32), len(part))
        ts_ms = np.tile(size.first_ms + 1000 * np.arange(start, start + len(part)), size.tags)
        quality = np.full(len(tag_id), 192, np.int16)
        images.append(image((tag_id, timestamps(ts_ms), part.T.ravel(), quality), {}))
    with psycopg.connect(dsn, autocommit=True) as connection:
        started_s = time.monotonic()
        for prepared in images:
            with connection.cursor().copy(
                "COPY reading (tag_id, ts, value, quality) FROM STDIN (FORMAT BINARY)"
            ) as copy:
                copy.write(prepared)
        return size.readings / (time.monotonic() - started_s)


def _measure(
    dsn: str, *, port: int, size: Size, lane: str, rollup: bool, rate: float
) -> dict[str, float]:
    """One run of the whole way; checks that every reading arrived."""
    with (
        stand.ingest(
            dsn, port, INGEST_BATCH_ROWS=str(BATCH_ROWS), INGEST_ROLLUP=str(rollup).lower()
        ) as running,
        subprocess.Popen(  # noqa: S603 - our own module
            generator(port, size, lane, rate),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        ) as sending,
        psycopg.connect(dsn, autocommit=True) as connection,
    ):
        assert sending.stdout is not None  # noqa: S101 - it is piped
        assert sending.stdin is not None  # noqa: S101 - it is piped
        sending.stdout.readline()
        started_s, cpu_s = time.monotonic(), stand.cpu_s(running)
        server_s, sender_s = stand.server_cpu_s(connection), stand.cpu_s(sending)
        sending.stdin.write("go\n")
        sending.stdin.flush()
        found: dict[str, float] = json.loads(sending.stdout.readline())
        if lane == "json":
            stand.until(lambda: _last(connection, size), "the last reading", within_s=300)
            found["seconds"] = time.monotonic() - started_s
        if (found_rows := rows(connection)) != size.readings:
            raise DefectError(
                f"{size.readings} readings were sent, {found_rows} are in the database"
            )
        found["readings_per_s"] = size.readings / found["seconds"]
        found["rss_mb"] = stand.peak_rss_mb(running)
        found["cpu_s"] = stand.cpu_s(running) - cpu_s
        found["server_cpu_s"] = stand.server_cpu_s(connection) - server_s
        found["sender_cpu_s"] = found["sender_cpu_s"] - sender_s
    return found


def generator(port: int, size: Size, lane: str, rate: float) -> list[str]:
    """The command of the process that sends."""
    numbers = (port, size.tags, size.rounds, size.first_ms, size.frame, rate)
    return stand.python("-m", "benchmarks.generator", lane, *map(str, numbers))


def _last(connection: psycopg.Connection, size: Size) -> bool:
    """Whether the last reading is there; counting them all would be a load of its own."""
    at = from_ms(size.first_ms + 1000 * (size.rounds - 1))
    query = "SELECT 1 FROM reading WHERE tag_id = %s AND ts = %s"
    return connection.execute(query, (size.tags, at)).fetchone() is not None


def rows(connection: psycopg.Connection) -> int:
    """How many readings are in the database."""
    row = connection.execute("SELECT count(*) FROM reading").fetchone()
    return int(row[0]) if row else 0
