"""A smelter of a few pots, and readings of it as ingest leaves them."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.plant.file import parse_plant

START = datetime(2026, 3, 1, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
MEASURES = ("power", "metal_tapped")

Row = tuple[str, float, float]
"""Tag, seconds since START, value."""


def plant_of(pots: int) -> str:
    """A smelter with a line of that many pots, and one with a single pot."""
    return f"""
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "smelter"
level = "area"
type = "smelter"

[[asset]]
path = "smelter/line-{{1..2}}"
level = "line"
type = "potline"

[[asset]]
path = "smelter/line-1/pot-{{1..{pots}}}"
level = "unit"
type = "pot"
template = "pot"

[[asset]]
path = "smelter/line-2/pot-1"
level = "unit"
type = "pot"
template = "pot"

[template.pot]
power = {{ title = "P", unit = "kW", kind = "gauge", stale_after_s = 130 }}
metal_tapped = {{ title = "m", unit = "kg", kind = "event", stale_after_s = 4000 }}
"""


TAGS = [
    f"smelter/{pot}/{measure}"
    for pot in ("line-1/pot-1", "line-1/pot-2", "line-1/pot-3", "line-2/pot-1")
    for measure in MEASURES
]


def store(dsn: str, pots: int) -> Catalogue:
    """Store the plant with so many pots on its first line."""
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(plant_of(pots)))
        found = load_catalogue(connection)
    engine.dispose()
    return found


def at(seconds: float) -> datetime:
    """The instant so many *seconds* after START."""
    return START + timedelta(seconds=seconds)


def arrive(dsn: str, catalogue: Catalogue, rows: Iterable[Row]) -> None:
    """Write readings and their dirty marks in one transaction, as ingest does."""
    with connect(dsn) as connection:
        for tag, seconds, value in rows:
            tag_id, ts = catalogue.tag_ids[tag], at(seconds)
            connection.execute("INSERT INTO reading VALUES (%s, %s, %s, 192)", (tag_id, ts, value))
            connection.execute(
                "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)",
                (ts.replace(second=0, microsecond=0), [tag_id]),
            )
