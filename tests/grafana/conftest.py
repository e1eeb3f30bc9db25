"""A park of three simulated hours, summed up, for every query of the dashboards."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final

import psycopg
import pytest
from psycopg import sql

from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue
from schemas.instant import to_ms
from schemas.plant.file import load_plant
from simulator.park import Park
from tests.api.conftest import own_database
from tests.api.demo import PLANT, Row, add_device, insert, store

START: Final = datetime(2026, 11, 21, 6, tzinfo=UTC)
END: Final = START + timedelta(hours=3)
SCAN: Final = timedelta(seconds=30)
READER: Final = "ertis_report"


@pytest.fixture(scope="session")
def park_dsn(server: str, migrated: str) -> Iterator[str]:
    """The park's database; tests only read it."""
    with own_database(server, migrated) as dsn:
        catalogue = store(dsn, load_plant(PLANT))
        insert(dsn, catalogue, rows(catalogue))
        for name, online in (("wtg-01", False), ("wtg-02", True)):
            add_device(dsn, name, [catalogue.tag_ids[f"power/wind-1/{name}/power"]], online=online)
        stand_for_what_went_wrong(dsn)
        with closing(RollupWorker(dsn)) as worker:
            while worker.step(END + timedelta(minutes=1)).marked:
                pass
        yield dsn


@pytest.fixture(scope="session")
def reader(server: str, park_dsn: str) -> Iterator[str]:
    """The role that docs/grafana/README.md grants the views to."""
    with psycopg.connect(park_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE ROLE {}").format(sql.Identifier(READER)))
    yield READER
    with psycopg.connect(park_dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP OWNED BY {}").format(sql.Identifier(READER)))
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP ROLE {}").format(sql.Identifier(READER)))


def rows(catalogue: Catalogue) -> Iterator[Row]:
    """What the sensors of the simulated park show, each 30 s, from before `START` on.

    A pot is tapped each minute, so that each of the 24 was tapped before the three hours begin.
    """
    at = START - timedelta(minutes=30)
    park = Park(catalogue.plant, to_ms(at), seed=1, tap_every_s=60)
    known = {path: place for place, path in enumerate(park.paths) if path in catalogue.tag_ids}
    while at < END:
        values = park.values()
        yield from ((path, at, float(values[place]), 192) for path, place in known.items())
        # Of several events of a tag in one scan the last: a tag has one reading at a time.
        yield from {e.path: (e.path, at, e.amount, 192) for e in park.events()}.values()
        at += SCAN
        park.scan(to_ms(at))


def stand_for_what_went_wrong(dsn: str) -> None:
    """A node behind, a gap, a dead letter and an alarm that rings, as the services enter them."""
    with psycopg.connect(dsn) as connection:
        connection.execute("UPDATE edge_node SET newest_at = %s, skew_ms = 12", (END,))
        connection.execute(
            """INSERT INTO gap (source, cause, from_ts, found_at, first_position, last_position)
               VALUES ('pavlodar/power-1', 'delivery', %(at)s, %(at)s, 7, 9)""",
            {"at": START},
        )
        connection.execute(
            """INSERT INTO dead_letter (received_at, topic, payload, reason, detail, readings)
               VALUES (%s, 'telemetry/power', '', 'topic', 'no such asset', 1)""",
            (START,),
        )
        connection.execute(
            """UPDATE alarm SET state = 'unacknowledged', since = %s, active = true
               WHERE id = (SELECT min(id) FROM alarm)""",
            (START,),
        )
        connection.execute(
            """INSERT INTO alarm_event (alarm_id, at, event, before, after, value, first_out)
               SELECT id, %s, 'raise', 'normal', 'unacknowledged', "limit", true
               FROM alarm ORDER BY id LIMIT 1""",
            (START + timedelta(hours=1),),
        )
