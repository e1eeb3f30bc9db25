"""A unit with a tag of each kind, readings of it as ingest leaves them, the rollups they make."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import polars as pl
import sqlalchemy as sa
from polars.testing import assert_frame_equal

from ingest.rollup.worker import RollupWorker
from kpi.derive import derive, derived_tags
from kpi.frames import READINGS, SUMMARY
from kpi.merge import merge
from kpi.summary import summarise
from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.db.frames import FrameReader, tag_frame
from schemas.db.tables import rollup_1h, rollup_1m
from schemas.db.tiers import ensure_span
from schemas.plant.file import parse_plant

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
END = START + timedelta(hours=3)
MINUTE = timedelta(minutes=1)
HOUR = timedelta(hours=1)
TAGS = ("step", "line", "counter", "state", "event", "left", "right")

PLANT = """
[site]
name = "site"
title = "Site"
time_zone = "UTC"

[[asset]]
path = "unit"
level = "unit"
type = "pot"
template = "unit"

[template.unit]
step = { title = "s", unit = "V", kind = "gauge", stale_after_s = 90 }
line = { title = "l", unit = "V", kind = "gauge", interpolation = "linear", stale_after_s = 240 }
state = { title = "z", unit = "1", kind = "state", stale_after_s = 45 }
event = { title = "e", unit = "kg", kind = "event", stale_after_s = 3000 }
left = { title = "a", unit = "V", kind = "gauge", stale_after_s = 130 }
right = { title = "b", unit = "kA", kind = "gauge", stale_after_s = 70 }

[template.unit.counter]
title = "c"
unit = "kWh"
kind = "counter"
modulus = 1000
max_rate = 20000
stale_after_s = 60

[template.unit.product]
title = "p"
unit = "kW"
kind = "gauge"
stale_after_s = 100
product = ["left", "right"]

[template.unit.high]
title = "h"
unit = "1"
kind = "state"
stale_after_s = 130
[template.unit.high.derived]
rule = "anode_effect"
operands = ["left"]
constants = { threshold = 0.5, start_s = 3.0, end_s = 60.0 }

[template.unit.swing]
title = "w"
unit = "V"
kind = "gauge"
stale_after_s = 120
derived = { rule = "swing", operands = ["left"], constants = { slot_s = 10, slots = 12 } }

[template.unit.waves]
title = "w"
unit = "1"
kind = "gauge"
stale_after_s = 120
derived = { rule = "above", operands = ["swing"], constants = { limit = 0.5 } }

[template.unit.weighed]
title = "m"
unit = "kg*kA"
kind = "event"
stale_after_s = 3000
derived = { rule = "weighted", operands = ["event", "right"] }

[template.unit.gained]
title = "d"
unit = "kA"
kind = "event"
stale_after_s = 600
derived = { rule = "change", operands = ["right"] }
"""

Row = tuple[str, float, float | None, int]
"""Measure, seconds since START, value, quality."""


def store(dsn: str) -> Catalogue:
    """Store the plant above; there is room for readings from an hour before START on."""
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(PLANT))
        found = load_catalogue(connection)
    engine.dispose()
    with connect(dsn, autocommit=True) as connection:
        ensure_span(connection, "reading", START - HOUR, END + HOUR)
    return found


def at(seconds: float) -> datetime:
    """The instant so many *seconds* after START."""
    return START + timedelta(seconds=seconds)


def arrive(dsn: str, catalogue: Catalogue, rows: Iterable[Row]) -> None:
    """Write readings and their dirty marks in one transaction, as ingest does."""
    with connect(dsn) as connection:
        marked: dict[datetime, set[int]] = {}
        for measure, seconds, value, quality in rows:
            tag_id, ts = catalogue.tag_ids[f"unit/{measure}"], at(seconds)
            connection.execute(
                "INSERT INTO reading VALUES (%s, %s, %s, %s) ON CONFLICT (tag_id, ts)"
                " DO UPDATE SET value = excluded.value, quality = excluded.quality",
                (tag_id, ts, value, quality),
            )
            marked.setdefault(ts.replace(second=0, microsecond=0), set()).add(tag_id)
        for bucket, tag_ids in marked.items():
            connection.execute(
                "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)", (bucket, sorted(tag_ids))
            )


def finish(worker: RollupWorker, now: datetime) -> None:
    """Step until no closed minute is dirty."""
    while worker.step(now).marked:
        pass


def stored(dsn: str, table: sa.Table) -> pl.DataFrame:
    """All rows of a rollup, in order."""
    with FrameReader(dsn) as frames:
        rows = frames.fetch(sa.select(table).order_by(table.c.tag_id, table.c.bucket))
    return rows.select(pl.col(name).cast(dtype) for name, dtype in SUMMARY.items())


def direct(catalogue: Catalogue, rows: Iterable[Row], end: datetime) -> pl.DataFrame:
    """The minutes up to *end* of all readings together, without a database."""
    newest = {(measure, seconds): (value, quality) for measure, seconds, value, quality in rows}
    readings = pl.DataFrame(
        [
            (catalogue.tag_ids[f"unit/{measure}"], at(seconds), value, quality)
            for (measure, seconds), (value, quality) in newest.items()
        ],
        schema=dict(READINGS),
        orient="row",
    )
    tags = tag_frame(catalogue, catalogue.tags)
    derived = derived_tags(catalogue.plant, catalogue.tag_ids)
    computed = derive(readings, derived, derived, tags)
    return summarise(pl.concat([readings, computed]), tags, START - HOUR, end, MINUTE)


def assert_complete(dsn: str, catalogue: Catalogue, rows: Iterable[Row], now: datetime) -> None:
    """The rollups are what the readings make, bit for bit, and hours are merged minutes."""
    closed = (now - timedelta(seconds=2)).replace(second=0, microsecond=0)
    minutes = stored(dsn, rollup_1m)
    assert_frame_equal(minutes, direct(catalogue, rows, closed), check_exact=True)
    hours = merge(minutes, every=HOUR).filter(pl.col("bucket") + HOUR <= closed)
    assert_frame_equal(stored(dsn, rollup_1h), hours, check_exact=True)
