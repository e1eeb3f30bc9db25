"""How fast readings become summaries, in memory and through the database.

``summarise_per_s`` counts readings summarised into minutes in memory. ``lag_s`` is how long the
worker takes for one closed minute of all tags at once, and ``worker_cores`` the share of a core
that its process spends on it each minute; the server's share is ``server_cores``. ``backfill_s``
is the time from an hour of late readings of 1,000 tags to its summaries, by minute and by hour.
The plant has three potlines of pots with computed powers, and units of wind and sun for the
rest of the tags: the sums that its KPIs are made of (``inputs``) are kept up to date as well.
"""

import json
import os
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Annotated, Final

import numpy as np
import polars as pl
import psutil
import psycopg
import typer
from numpy.typing import NDArray

from benchmarks import stand
from benchmarks.park import park
from benchmarks.stored import load, rows, store
from ingest.rollup.worker import RollupWorker
from kpi.frames import READINGS, TAGS
from kpi.summary import summarise
from schemas.db.catalogue import Catalogue
from schemas.db.tiers import ensure_span

START: Final = datetime(2026, 1, 1, 10, tzinfo=UTC)
_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_BACKFILL_TAGS: Final = 1000


def main(
    quick: Annotated[bool, typer.Option(help="a tenth of the load")] = False,
    tags: Annotated[int, typer.Option(min=1000, help="measured tags of the plant")] = 100_000,
    readings: Annotated[int, typer.Option(min=1000, help="to summarise in memory")] = 10_000_000,
) -> None:
    """Readings into summaries, at 1 Hz a tag."""
    share = 10 if quick else 1
    tags, readings = tags // share, readings // share
    in_memory = _summarise(readings)
    with stand.database() as dsn:
        catalogue = _prepare(dsn, tags)
        measured = {i: tag for i, tag in catalogue.tags.items() if tag.derivation is None}
        ids = np.array(sorted(measured), np.int32)
        _load(dsn, ids, START, 60)
        _load(dsn, ids, START + _MINUTE, 60)
        with closing(RollupWorker(dsn, budget=10 * tags)) as worker:
            while worker.build(START):
                pass
            worker.step(START + 1.5 * _MINUTE)
            live = _measured(lambda: worker.step(START + 2.5 * _MINUTE).minutes)
            # Events hold for a day and a half: their hour would be one of thirty-six.
            late = np.array([i for i in ids if measured[i].stale_after_s <= 60], np.int32)
            late = late[:_BACKFILL_TAGS]
            _load(dsn, late, START - 3 * _HOUR, 3600)
            backfill = _measured(lambda: _until_clean(worker, START + 2.5 * _MINUTE))
        inputs = _inputs(dsn)
    typer.echo(
        json.dumps(
            {
                "benchmark": "rollup",
                "cores": os.cpu_count(),
                "summarise_readings": readings,
                "summarise_per_s": round(readings / in_memory),
                "live_tags": len(ids),
                "live_readings_per_s": len(ids),
                "computed_tags": len(catalogue.tags) - len(ids),
                "inputs": inputs,
                "lag_s": round(live.seconds, 3),
                "worker_cores": round(live.own_cpu_s / 60, 4),
                "server_cores": round(live.server_cpu_s / 60, 4),
                "backfill_tags": len(late),
                "backfill_readings": len(late) * 3600,
                "backfill_s": round(backfill.seconds, 3),
            }
        )
    )


class _Measured:
    """Wall and processor time [s] of a call; ``made`` is what it returned."""

    def __init__(self, call: Callable[[], int]) -> None:
        own, server = time.process_time(), _server_cpu_s()
        started_s = time.monotonic()
        self.made = call()
        self.seconds = time.monotonic() - started_s
        self.own_cpu_s = time.process_time() - own
        self.server_cpu_s = _server_cpu_s() - server


def _measured(call: Callable[[], int]) -> _Measured:
    return _Measured(call)


def _server_cpu_s() -> float:
    """What this machine's processes called postgres have spent so far [s]."""
    spent = 0.0
    for process in psutil.process_iter(["name", "cpu_times"]):
        if process.info["name"] == "postgres" and process.info["cpu_times"] is not None:
            spent += process.info["cpu_times"].user + process.info["cpu_times"].system
    return spent


def _summarise(readings: int) -> float:
    """The shortest of three runs [s], on rows as the database gives them."""
    seconds, tags = 600, max(1, readings // 600)
    frame = pl.DataFrame(
        dict(zip(READINGS, rows(np.arange(tags, dtype=np.int32), START, seconds), strict=True))
    ).with_columns(pl.col("ts").cast(pl.Datetime("ms", "UTC")).cast(READINGS["ts"]))
    known = pl.DataFrame(
        [(tag_id, "gauge", "step", 60.0, None, None) for tag_id in range(tags)],
        schema=dict(TAGS),
        orient="row",
    )
    end = START + timedelta(seconds=seconds)
    runs = [_measured(lambda: summarise(frame, known, START, end, _MINUTE).height) for _ in "123"]
    return min(run.seconds for run in runs)


def _prepare(dsn: str, tags: int) -> Catalogue:
    """A plant of about so many measured *tags*, four fifths of them of units of wind and sun."""
    pots = max(tags * 24 // 10_000, 3)
    # Seven measures of each pot in three lines, two of each unit in two farms.
    units = max((tags - 21 * pots) // 4, 1)
    catalogue = store(dsn, park(pots, units))
    with psycopg.connect(dsn, autocommit=True) as connection:
        ensure_span(connection, "reading", START - 4 * _HOUR, START + _HOUR)
    return catalogue


def _inputs(dsn: str) -> int:
    """Sums of several tags that the worker keeps."""
    with psycopg.connect(dsn) as connection:
        (found,) = connection.execute("SELECT count(*) FROM kpi_input").fetchone() or (0,)
    return int(found)


def _load(dsn: str, tag_ids: NDArray[np.int32], start: datetime, seconds: int) -> None:
    """Readings and their dirty marks, as ingest leaves them."""
    with psycopg.connect(dsn) as connection:
        load(connection, tag_ids, start, seconds)
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("ANALYZE reading")


def _until_clean(worker: RollupWorker, now: datetime) -> int:
    made = 0
    while (step := worker.step(now)).marked:
        made += step.minutes
    return made
