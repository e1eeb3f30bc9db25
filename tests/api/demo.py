"""A small plant with known readings.

From 08:00 to 10:00 every ten seconds: 500 kA through the potline, 4.2 V at each of its pots, half
of its rated power from each inverter; 100 kg of metal tapped from each pot at 08:30 and at 09:30.
The second pot falls silent at 09:57:30. The device of the wind farm's first turbine is offline.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg

from schemas.db.catalogue import Catalogue, load_catalogue, store_plant
from schemas.db.engine import make_engine
from schemas.db.tiers import ensure_span
from schemas.plant.file import load_plant
from schemas.plant.model import Plant

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
START = NOW - timedelta(hours=2)
LINE = "smelter/potline-1"
POTS = [f"{LINE}/pot-{number:03}" for number in range(1, 25)]
INVERTERS = [f"power/solar-1/inv-{number:02}" for number in range(1, 5)]
TURBINE = "power/wind-1/wtg-01/power"
PLANT = Path(__file__).parents[2] / "plants" / "pavlodar.toml"

Row = tuple[str, datetime, float | None, int]


def store_pavlodar(dsn: str) -> Catalogue:
    """Put the plant of the repository into the database *dsn*."""
    return store(dsn, load_plant(PLANT))


def store(dsn: str, plant: Plant) -> Catalogue:
    """Put *plant* into the database *dsn*."""
    engine = make_engine(dsn)
    with engine.begin() as connection:
        store_plant(connection, plant)
        catalogue = load_catalogue(connection)
    engine.dispose()
    return catalogue


def insert(dsn: str, catalogue: Catalogue, rows: Iterable[Row]) -> None:
    """Write readings as ingest does, dirty marks included."""
    given = [(catalogue.tag_ids[path], ts, value, quality) for path, ts, value, quality in rows]
    times = [ts for _, ts, _, _ in given]
    marks: dict[datetime, set[int]] = {}
    for tag_id, ts, _, _ in given:
        marks.setdefault(ts.replace(second=0, microsecond=0), set()).add(tag_id)
    with psycopg.connect(dsn) as connection, connection.cursor() as cursor:
        ensure_span(connection, "reading", min(times), max(times) + timedelta(days=1))
        with cursor.copy("COPY reading (tag_id, ts, value, quality) FROM STDIN") as copy:
            for row in given:
                copy.write_row(row)
        cursor.executemany(
            "INSERT INTO dirty (bucket, tag_ids) VALUES (%s, %s)",
            [(bucket, sorted(tags)) for bucket, tags in marks.items()],
        )


def forget_marks(dsn: str) -> None:
    """Take the dirty marks away, as the rollup worker does."""
    with psycopg.connect(dsn) as connection:
        connection.execute("DELETE FROM dirty")


def demo_rows() -> Iterator[Row]:
    """The readings that the module's docstring tells of."""
    values = {f"{LINE}/line_current": 500.0}
    values |= {f"{pot}/voltage": 4.2 for pot in POTS}
    values |= {f"{inverter}/power": 1250.0 for inverter in INVERTERS}
    silent = f"{POTS[1]}/voltage"
    for path, value in values.items():
        end = NOW - timedelta(seconds=150) if path == silent else NOW
        yield from ((path, ts, value, 192) for ts in instants(START, end, 10))
        if path == silent:
            yield path, end, 4.25, 192
    for pot in POTS:
        yield f"{pot}/metal_tapped", START + timedelta(minutes=30), 100.0, 192
        yield f"{pot}/metal_tapped", START + timedelta(minutes=90), 100.0, 192
    yield TURBINE, NOW - timedelta(seconds=10), 3000.0, 192


def instants(start: datetime, end: datetime, step_s: float) -> Iterator[datetime]:
    """Every *step_s* from *start* to just before *end*."""
    step = timedelta(seconds=step_s)
    while start < end:
        yield start
        start += step


def add_device(
    dsn: str, name: str, tag_ids: Sequence[int], *, online: bool, node: str = "power-1"
) -> None:
    """A device with these tags, as ingest writes it at its birth and death."""
    with psycopg.connect(dsn) as connection:
        connection.execute(
            "INSERT INTO edge_node (group_id, node_id, online, since) VALUES ('pavlodar', %s, true,"
            " %s) ON CONFLICT (group_id, node_id) DO NOTHING",
            (node, START),
        )
        connection.execute(
            "INSERT INTO edge_device (node, device_id, online, since, tag_ids)"
            " SELECT id, %s, %s, %s, %s FROM edge_node WHERE node_id = %s",
            (name, online, START, list(tag_ids), node),
        )
