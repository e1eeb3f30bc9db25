"""A counter's bound, from the plant file to what an auditor reads in the database."""

from contextlib import closing

import pytest

from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue, store_plant
from schemas.db.engine import connect, make_engine
from schemas.plant.file import parse_plant
from tests.ingest.rollup.unit import END, PLANT, Row, arrive, assert_complete, finish, store

#: A momentary 0 (evcc#30592) after 3 kWh, and 2 kWh after it.
GLITCH: list[Row] = [
    ("counter", 60.0 * minute, value, 192)
    for minute, value in enumerate([900.0, 903.0, 0.0, 903.0, 905.0])
]


@pytest.fixture
def catalogue(database: str) -> Catalogue:
    """The unit in a database of the test's own; its counter climbs 20 000 kWh/h at most."""
    return store(database)


def test_a_refused_step_is_in_no_increase_and_stands_beside_it(
    database: str, catalogue: Catalogue
) -> None:
    """In minutes, in the hour, and where reports are made; a bound put right makes them anew."""

    def settled(text: str) -> dict[str, list[tuple[float, int | None]]]:
        engine = make_engine(database)
        with engine.begin() as connection:
            store_plant(connection, parse_plant(text))
        engine.dispose()
        with closing(RollupWorker(database)) as worker:
            finish(worker, END)
        with connect(database) as connection:
            return {
                view: connection.execute(
                    f"SELECT increase, refused FROM reporting.{view}"  # noqa: S608 - constants
                    " WHERE tag = 'unit/counter' AND readings > 0 ORDER BY time"
                ).fetchall()
                for view in ("minute", "hour")
            }

    arrive(database, catalogue, GLITCH)
    bounded = settled(PLANT)
    assert_complete(database, catalogue, GLITCH, END)
    free = settled(PLANT.replace("max_rate = 20000", ""))
    low = settled(PLANT.replace("max_rate = 20000", "max_rate = 30"))

    # 903 to 0 would be a wrap by 97, which is possible; back to 903 is not.
    assert bounded["minute"] == [(0, 0), (3, 0), (97, 0), (0, 1), (2, 0)]
    assert bounded["hour"] == [(102, 1)]
    assert free["hour"] == [(3 + 97 + 903 + 2, None)]
    assert low["minute"] == [(0, 0), (0, 1), (0, 0), (0, 1), (2, 0)]
    assert low["hour"] == [(2, 2)]
