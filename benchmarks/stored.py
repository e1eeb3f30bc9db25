"""A plant and readings in a database, as migrations and ingest leave them."""

from datetime import datetime, timedelta
from typing import Final, TypeAlias

import numpy as np
import psycopg
from numpy.typing import NDArray

from ingest.copy_image import image, timestamps
from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.db.migrate import upgrade
from schemas.instant import to_ms
from schemas.plant.model import Plant
from schemas.quality import Quality

_MINUTE: Final = timedelta(minutes=1)

#: tag_id, time [ms since 1970], value, quality; sorted by tag and time.
Rows: TypeAlias = tuple[
    NDArray[np.int32], NDArray[np.int64], NDArray[np.float64], NDArray[np.int16]
]


def store(dsn: str, plant: Plant) -> Catalogue:
    """The tables with *plant* in them."""
    upgrade(dsn)
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, plant)
        found = load_catalogue(connection)
    engine.dispose()
    return found


def rows(
    tag_ids: NDArray[np.int32], start: datetime, seconds: int, *, hz: int = 1, mean: float = 100.0
) -> Rows:
    """Good readings of each tag about *mean*, *hz* times a second."""
    steps = seconds * hz
    tag_id = np.repeat(tag_ids, steps)
    ts_ms = np.tile(to_ms(start) + 1000 // hz * np.arange(steps, dtype=np.int64), len(tag_ids))
    value = np.random.default_rng(1).normal(mean, 0.05 * mean, len(tag_id))
    return tag_id, ts_ms, value, np.full(len(tag_id), Quality.GOOD, np.int16)


def load(
    connection: psycopg.Connection,
    tag_ids: NDArray[np.int32],
    start: datetime,
    seconds: int,
    *,
    hz: int = 1,
    mean: float = 100.0,
) -> None:
    """Write `rows` with their dirty marks."""
    for part in np.array_split(tag_ids, max(1, len(tag_ids) * seconds * hz // 1_000_000)):
        tag_id, ts_ms, value, quality = rows(part, start, seconds, hz=hz, mean=mean)
        with connection.cursor().copy(
            "COPY reading (tag_id, ts, value, quality) FROM STDIN (FORMAT BINARY)"
        ) as copy:
            copy.write(image((tag_id, timestamps(ts_ms), value, quality), {}))
    for minute in range(-(-seconds // 60)):
        connection.execute(
            "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)",
            (start + minute * _MINUTE, tag_ids.tolist()),
        )
