"""Books that are closed: a day of 25 hours of Almaty, the day before it, and who may sign them.

Every inverter gives half of its power on both days, minute by minute. The clock is the real one:
what is known of targets is told by that of the database.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import psycopg

from api.access.areas import EVERYWHERE, Areas
from api.access.keys import create
from api.access.person import Role
from api.store import utc_now
from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue, load_catalogue
from schemas.db.engine import make_engine
from schemas.plant.file import load_plant
from schemas.plant.targets import Better, Target
from tests.api.demo import INVERTERS, LINE, PLANT, Row, insert, instants, store

#: The clocks went back at midnight, from UTC+6 to UTC+5.
DAY = "2024-02-29"
START, END = datetime(2024, 2, 28, 18, tzinfo=UTC), datetime(2024, 2, 29, 19, tzinfo=UTC)
ASSET = INVERTERS[0]
TARGET = Target("capacity_factor", ASSET, 0.6, Better.HIGHER, date(2024, 1, 1))
#: An alarm that stood from before the day until it was ten minutes old, and rang once more.
RANG = [
    (-60, "raise", "normal", "unacknowledged"),
    (10, "clear", "unacknowledged", "normal"),
    (30, "raise", "normal", "unacknowledged"),
    (35, "acknowledge", "unacknowledged", "acknowledged"),
    (50, "clear", "acknowledged", "normal"),
]


@dataclass(frozen=True, slots=True)
class Books:
    """The plant's database, and its API."""

    dsn: str
    client: httpx.Client

    def key(self, name: str, role: Role, *areas: str) -> dict[str, str]:
        """The header of a new key."""
        engine = make_engine(self.dsn)
        seen = Areas(areas) if areas else EVERYWHERE
        with engine.begin() as connection:
            text = create(connection, name, role, seen, by="test", now=utc_now())
        engine.dispose()
        return {"Authorization": f"Bearer {text}"}

    def ask(self, kind: str = "day", **asked: str) -> httpx.Response:
        """The answer about *kind*; of `DAY` and `ASSET` unless told otherwise."""
        answer = self.client.get(
            f"/api/v1/reports/{kind}", params={"asset": ASSET, "at": DAY, **asked}
        )
        assert answer.status_code == 200, answer.text
        return answer

    def report(self, kind: str = "day", **asked: str) -> dict[str, Any]:
        """What `ask` answers under ``report``."""
        found: dict[str, Any] = self.ask(kind, **asked).json()["report"]
        return found

    def decide(
        self, action: str, name: str = DAY, by: dict[str, str] | None = None, reason: str = "closed"
    ) -> httpx.Response:
        """The answer to signing a period or opening it again."""
        address = f"/api/v1/periods/{name}/{action}"
        return self.client.post(address, json={"reason": reason}, headers=by)

    def kept(self) -> list[tuple[str, ...]]:
        """Kind and asset of the reports that are kept, in the order in which they were."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute("SELECT kind, asset FROM report ORDER BY kept_at").fetchall()

    def arrive_late(self) -> None:
        """Twice the power, half a minute after each reading of the first hour."""
        engine = make_engine(self.dsn)
        with engine.connect() as connection:
            catalogue = load_catalogue(connection)
        engine.dispose()
        later = instants(START + timedelta(seconds=30), START + timedelta(hours=1), 60)
        insert(self.dsn, catalogue, [(f"{ASSET}/power", ts, 2500.0, 192) for ts in later])
        roll_up(self.dsn)


def declare(dsn: str, *targets: Target, title: str | None = None) -> None:
    """Store the plant with these targets alone, and another title of `ASSET`."""
    plant = load_plant(PLANT)
    own = plant.assets[ASSET]
    named = {**plant.assets, ASSET: replace(own, title=title or own.title)}
    store(dsn, replace(plant, assets=named, targets=targets))


def half_power(start: datetime, end: datetime) -> Iterator[Row]:
    """1250 of 2500 kW each minute."""
    for path in INVERTERS:
        yield from ((f"{path}/power", ts, 1250.0, 192) for ts in instants(start, end, 60))


def roll_up(dsn: str) -> None:
    """Let the rollup worker do all there is to do."""
    with closing(RollupWorker(dsn)) as worker:
        while worker.step(utc_now()).marked:
            pass


def fill(dsn: str, catalogue: Catalogue) -> None:
    """Two days of half power, summarised, and the alarm of `RANG`."""
    insert(dsn, catalogue, half_power(START - timedelta(days=1), END))
    roll_up(dsn)
    with psycopg.connect(dsn) as connection:
        for minute, event, before, after in RANG:
            connection.execute(
                "INSERT INTO alarm_event (alarm_id, at, event, before, after, first_out)"
                " SELECT id, %s, %s, %s, %s, false FROM alarm WHERE name = %s",
                (
                    START + timedelta(minutes=minute),
                    event,
                    before,
                    after,
                    f"{LINE}/line_current#high",
                ),
            )
