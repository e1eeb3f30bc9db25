"""The past of a simulated park: what its readings would be, had it run before it was started."""

import time
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
import psycopg

from ingest.rollup.catch_up import mark
from schemas.db.catalogue import load_catalogue
from schemas.db.engine import make_engine
from schemas.db.tiers import ensure_span
from schemas.instant import from_ms
from schemas.plant.model import Plant
from schemas.quality import Quality
from simulator.memory import Memory
from simulator.park import Park

#: Twice as often as what is heard of most often has to be heard of.
STEP_S: Final = 30
STEP_MS: Final = 1000 * STEP_S
#: Scans that are written together.
PART: Final = 600
SEED: Final = 1
_COPY: Final = "COPY reading (tag_id, ts, value, quality) FROM STDIN (FORMAT csv)"

#: Tag ids and values of one time [UTC ms].
_Scan = tuple[int, Sequence[int], Sequence[float]]


def write_past(dsn: str, plant: Plant, memory: Path, hours: float) -> None:
    """Write the last *hours* of *plant*; the simulator goes on from there by its *memory*.

    A line has a tap at every step: at the real pace, one pot in 80 minutes, a day would be too
    short to tell what metal each pot makes. Nothing is written where the park has run before.
    """
    if hours == 0 or memory.exists():
        return
    end_ms = time.time_ns() // 1_000_000_000 * 1000
    start_ms = end_ms - round(hours * 3600) * 1000
    engine = make_engine(dsn)
    with engine.connect() as connection:
        tag_ids = load_catalogue(connection).tag_ids
    engine.dispose()
    park = Park(plant, start_ms, SEED, STEP_S)
    with psycopg.connect(dsn) as connection:
        ensure_span(connection, "reading", from_ms(start_ms), from_ms(end_ms))
        scans = _scans(park, plant, tag_ids, range(start_ms + STEP_MS, end_ms, STEP_MS))
        for part in _parts(scans):
            with connection.cursor().copy(_COPY) as copy:
                copy.write(part.write_csv(include_header=False))
        mark(connection, from_ms(start_ms), from_ms(end_ms))
    Memory(memory).store(park.remember())


def _scans(
    park: Park, plant: Plant, tag_ids: Mapping[str, int], times: Sequence[int]
) -> Iterator[_Scan]:
    """What changed by more than its deadband, or would be stale at the scan after the next."""
    tags = [plant.tags[path] for path in park.paths]
    ids = np.array([tag_ids[tag.path] for tag in tags])
    deadband = np.array([tag.deadband for tag in tags])
    silence_ms = np.array([1000 * tag.stale_after_s for tag in tags]) - 2 * STEP_MS
    told = np.full(len(tags), np.nan)
    told_ms = np.zeros(len(tags))
    for now_ms in times:
        park.scan(now_ms)
        values = park.values()
        # Not told yet is no number, and no number is within a deadband.
        news = ~(np.abs(values - told) <= deadband) | (now_ms - told_ms >= silence_ms)
        told[news], told_ms[news] = values[news], now_ms
        events = park.events()
        yield (
            now_ms,
            [*ids[news].tolist(), *(tag_ids[event.path] for event in events)],
            [*values[news].tolist(), *(event.amount for event in events)],
        )


def _parts(scans: Iterator[_Scan]) -> Iterator[pl.DataFrame]:
    """Rows of ``reading``, sorted by their key."""
    columns = ("ts", "tag_id", "value")
    while taken := list(islice(scans, PART)):
        yield (
            pl.DataFrame(taken, columns, orient="row")
            .explode("tag_id", "value")
            .drop_nulls()
            .sort("tag_id", "ts")
            .select(
                "tag_id",
                pl.from_epoch("ts", "ms").dt.replace_time_zone("UTC"),
                "value",
                pl.lit(int(Quality.GOOD)).alias("quality"),
            )
        )
