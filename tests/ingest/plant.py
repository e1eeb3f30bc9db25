"""A small plant for the tests of ingest, in a database of the test's own."""

import psycopg

from schemas.db.catalogue import store_plant
from schemas.db.engine import make_engine
from schemas.plant.file import parse_plant

GROUP = "pavlodar"
UNIT = "line/pot-1"
FOREIGN = f"{GROUP}/foreign"

PLANT = f"""
[site]
name = "{GROUP}"
title = "Test"
time_zone = "Asia/Almaty"

[[asset]]
path = "line"
level = "line"
type = "line"

[[asset]]
path = "{UNIT}"
level = "unit"
type = "pot"
template = "pot"

[[source]]
address = "{FOREIGN}"
asset = "{UNIT}"

[template.pot]
"""
MEASURES = ("voltage", "current", "flag", "level", "recipe")


def store(dsn: str) -> dict[str, int]:
    """Store the plant; the ids of its tags by measure."""
    measures = "".join(
        f'[template.pot.{name}]\ntitle = "{name}"\nunit = "1"\nkind = "gauge"\nstale_after_s = 60\n'
        for name in MEASURES
    )
    product = (
        '[template.pot.power]\ntitle = "power"\nunit = "1"\nkind = "gauge"\nstale_after_s = 60\n'
        'product = ["voltage", "current"]\n'
    )
    engine = make_engine(dsn, pool_size=1)
    with engine.begin() as connection:
        store_plant(connection, parse_plant(PLANT + measures + product))
    engine.dispose()
    with psycopg.connect(dsn) as connection:
        return dict(connection.execute("SELECT measure, id FROM tag").fetchall())


def path(measure: str) -> str:
    """The tag path of *measure*."""
    return f"{UNIT}/{measure}"


def readings(dsn: str) -> list[tuple[str, int, float | None, int]]:
    """All readings as (measure, UTC [ms], value, quality)."""
    with psycopg.connect(dsn) as connection:
        return connection.execute(
            """SELECT measure, (extract(epoch FROM ts) * 1000)::int8, value, quality
               FROM reading JOIN tag ON tag.id = tag_id ORDER BY tag_id, ts"""
        ).fetchall()
