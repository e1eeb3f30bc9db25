"""Signed periods: answers stay as they were signed, and say what came too late."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import sqlalchemy as sa

from api.app import create_app
from ingest.periods import reopen, sign
from ingest.rollup.worker import RollupWorker
from schemas.db.catalogue import Catalogue
from schemas.db.engine import make_engine
from tests.api.conftest import SETTINGS, Serve
from tests.api.demo import INVERTERS, Row, insert, instants
from tests.api.test_kpis import rows, series

DAY = "2026-10-31"
#: That day of Almaty, and the morning after it.
START, END = (datetime(2026, 10, day, 19, tzinfo=UTC) for day in (30, 31))
NOW = END + timedelta(hours=9)
SPAN = {"from": START.isoformat(), "to": END.isoformat()}
ONE = {"asset": INVERTERS[0], **SPAN}
TAG = f"{INVERTERS[0]}/power"


def half_power(start: datetime, end: datetime) -> Iterator[Row]:
    """1250 of 2500 kW from every inverter, each minute."""
    for path in INVERTERS:
        yield from ((f"{path}/power", ts, 1250.0, 192) for ts in instants(start, end, 60))


def roll_up(dsn: str) -> None:
    """Let the rollup worker do all there is to do."""
    with closing(RollupWorker(dsn)) as worker:
        while worker.step(NOW).marked:
            pass


@pytest.fixture
def engine(database: str) -> Iterator[sa.Engine]:
    """An engine on the test's own database."""
    made = make_engine(database)
    yield made
    made.dispose()


@pytest.fixture
def client(serve: Serve, database: str, pavlodar: Catalogue, engine: sa.Engine) -> httpx.Client:
    """The API over a day of half power that is summarised and signed, but for 12:00 to 13:00."""
    noon = START + timedelta(hours=12)
    insert(database, pavlodar, half_power(START, noon))
    insert(database, pavlodar, half_power(noon + timedelta(hours=1), END + timedelta(hours=2)))
    roll_up(database)
    with engine.begin() as connection:
        sign(connection, DAY, "A. Akhmetova", "month end", NOW)
    return serve(create_app(SETTINGS, database, lambda: NOW))


def value(client: httpx.Client, **asked: str) -> object:
    """The capacity factor of the day."""
    (row,) = rows(series(client, "capacity_factor", **{**ONE, **asked}))
    return row["value"]


def test_neither_marks_nor_readings_change_a_signed_day(
    client: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """Not before the worker has seen the late readings, and not after; where nothing was too."""
    noon = START + timedelta(hours=12)
    before = series(client, "capacity_factor", **ONE, every="1h")
    assert before["signed"] == [
        {
            "name": DAY,
            "start": "2026-10-30T19:00:00Z",
            "end": "2026-10-31T19:00:00Z",
            "by": "A. Akhmetova",
            "at": "2026-11-01T04:00:00Z",
            "reason": "month end",
            "late": 0,
        }
    ]

    insert(database, pavlodar, [(TAG, ts, 2500.0, 192) for ts in instants(noon, END, 600)][:6])
    marked = series(client, "capacity_factor", **ONE, every="1h")
    roll_up(database)
    noted = series(client, "capacity_factor", **ONE, every="1h")

    assert rows(before)[12]["value"] is None
    assert rows(marked) == rows(before)
    assert rows(noted) == rows(before)
    assert noted["signed"][0]["late"] == 1  # type: ignore[index]


def test_the_report_says_what_opening_would_do(
    client: httpx.Client, database: str, pavlodar: Catalogue, engine: sa.Engine
) -> None:
    """Twice the power for half of one hour in 23; then the API answers what the report said."""
    half = START + timedelta(seconds=30)
    late = [(TAG, ts, 2500.0, 192) for ts in instants(half, half + timedelta(hours=1), 60)]
    insert(database, pavlodar, late)
    roll_up(database)

    report = client.get(f"/api/v1/periods/{DAY}/late", params={"asset": INVERTERS[0]}).json()
    (changed,) = report["tags"]
    effect = {one["kpi"]: one for one in report["effects"]}["capacity_factor"]
    assert (changed["tag"], changed["hours"]) == (TAG, 1)
    assert effect["unit"] == "1"
    assert effect["signed"] == value(client) == pytest.approx(0.5)
    assert effect["reopened"] == pytest.approx((22 * 0.5 + 0.75) / 23)

    with engine.begin() as connection:
        reopen(connection, DAY, "B. Bekov", "meter read again", NOW)
    unsummarised = value(client)
    roll_up(database)
    (listed,) = client.get("/api/v1/periods").json()["periods"]
    assert unsummarised == pytest.approx(effect["reopened"], rel=1e-12)
    assert value(client) == pytest.approx(effect["reopened"], rel=1e-12)
    assert (listed["reopened_by"], listed["late"]) == ("B. Bekov", 1)
    assert series(client, "capacity_factor", **ONE)["signed"] == []


def test_a_reading_on_the_edge_changes_the_day_behind_it(
    client: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """A span over the edge is frozen on one side of it alone."""
    edge = {"from": (END - timedelta(minutes=30)).isoformat(), "every": "30m"}
    over = {**edge, "to": (END + timedelta(minutes=30)).isoformat()}
    insert(database, pavlodar, [(TAG, END - timedelta(seconds=59), 2500.0, 192)])
    insert(database, pavlodar, [(TAG, END + timedelta(seconds=1), 2500.0, 192)])

    before, after = rows(series(client, "capacity_factor", asset=INVERTERS[0], **over))

    assert before["value"] == pytest.approx(0.5)
    assert after["value"] == pytest.approx(0.5 + 0.5 * 59 / 1800)


def test_a_name_that_is_not_signed_is_a_problem(client: httpx.Client) -> None:
    """The nearest signed one is named."""
    answer = client.get("/api/v1/periods/2026-10-30/late")

    assert (answer.status_code, answer.json()["parameter"]) == (404, "name")
    assert DAY in answer.json()["right"]
