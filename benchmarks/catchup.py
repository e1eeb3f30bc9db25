"""How fast an hour that waited in spools gets into the database, beside live readings.

Four spooling nodes hold 5,000 tags at 1 Hz as historical frames and send them as fast as Commit
Through lets them, with a window of 512 frames each; four others send 5,000 tags live at 1 Hz all
the while. ``times_real_time`` is the length of the backlog by the time that it took;
``live_p99_ms`` is from the publication of live frames to the acknowledgement of their commit. Nodes
are those of the generator, so the budget that an edge agent puts on its replay is not part of it.
"""

import json
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Annotated, Any, Final

import psycopg
import typer

from benchmarks import stand
from benchmarks.ingest import BATCH_ROWS, Size, generator, prepared, rows
from schemas.errors import DefectError

FRAME: Final = 200


def main(
    quick: Annotated[bool, typer.Option(help="a sixtieth of the backlog")] = False,
    tags: Annotated[int, typer.Option(min=25, help="tags of the backlog, and as many live")] = 5000,
    minutes: Annotated[int, typer.Option(min=1, help="length of the backlog")] = 60,
) -> None:
    """A backlog out of spools, as a multiple of real time, with the latency of live readings."""
    seconds = 60 * (max(1, minutes // 60) if quick else minutes)
    now_ms = int(time.time()) * 1000
    late = Size(2 * tags, seconds, FRAME, now_ms - (seconds + 1) * 1000)
    live = Size(2 * tags, 10 + seconds // 10, FRAME, now_ms)
    with (
        stand.database() as server,
        stand.broker() as (name, port),
        _sender(generator(port, late, "backlog", 0.0)) as backlog,
        _sender(generator(port, live, "live", float(tags))) as living,
    ):
        dsn = prepared(server, "bench", Size(2 * tags, 2 * seconds, FRAME, late.first_ms))
        with (
            stand.ingest(
                dsn, port, INGEST_BATCH_ROWS=str(BATCH_ROWS), INGEST_ROLLUP="false"
            ) as running,
            psycopg.connect(dsn, autocommit=True) as connection,
        ):
            for sender in (backlog, living):
                _line(sender.stdout)
            _say(living)
            _say(backlog)
            caught_up = json.loads(_line(backlog.stdout))
            _say(living)
            lived = json.loads(_line(living.stdout))
            readings = tags * seconds + lived["readings"]
            if (stored := rows(connection)) != readings:
                raise DefectError(f"{readings} readings were sent, {stored} are in the database")
            rss_mb = stand.peak_rss_mb(running)
    document = {
        "benchmark": "catchup",
        "broker": name,
        "tags": tags,
        "backlog_s": seconds,
        "backlog_readings": tags * seconds,
        "live_readings": lived["readings"],
        "seconds": round(caught_up["seconds"], 3),
        "times_real_time": round(seconds / caught_up["seconds"], 1),
        "readings_per_s": round(tags * seconds / caught_up["seconds"]),
        "live_p50_ms": round(lived["latency_p50_ms"], 1),
        "live_p99_ms": round(lived["latency_p99_ms"], 1),
        "rss_mb": round(rss_mb, 1),
    }
    typer.echo(json.dumps(document))


@contextmanager
def _sender(command: list[str]) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(  # noqa: S603 - our own module
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            yield running
        finally:
            running.terminate()


def _line(stream: IO[Any] | None) -> str:
    assert stream is not None  # noqa: S101 - it is piped
    return str(stream.readline())


def _say(sender: subprocess.Popen[str]) -> None:
    assert sender.stdin is not None  # noqa: S101 - it is piped
    sender.stdin.write("go\n")
    sender.stdin.flush()
