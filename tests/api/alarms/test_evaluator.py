"""Who evaluates the alarms: one process, which another follows, and nobody without the database."""

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from api.app import create_app
from schemas.db.migrate import upgrade
from schemas.errors import DatabaseDown
from schemas.plant.file import parse_plant
from tests.api.alarms.room import CURRENT, PLANT, QUIET, Clock, Room, evaluator, room_of
from tests.api.conftest import SETTINGS, Serve, through
from tests.api.demo import insert, store
from tests.api.test_live import listening
from tests.fixtures.until import until


def test_a_restart_rings_no_bell_again(room: Room) -> None:
    """The states are in the database; another process goes on where this one ended."""
    room.tick(pot_01=9.0)
    room.do("line/pot-01/voltage#high", "acknowledge")
    before = room.told()
    room.evaluator.close()
    with closing(evaluator(room.store, room.dsn)) as other:
        room.clock.now += timedelta(seconds=1)
        until(lambda: other.step(room.clock.now), "the lock to be free")
        room.clock.now += timedelta(seconds=1)
        assert other.step(room.clock.now)

    assert room.told() == before
    assert room.one("line/pot-01/voltage#high")["state"] == "acknowledged"


def test_one_evaluates_and_another_takes_over(room: Room) -> None:
    """The lock decides; who comes second waits until it is free."""
    with closing(evaluator(room.store, room.dsn)) as other:
        assert not other.step(room.clock.now)
        room.evaluator.close()
        until(lambda: other.step(room.clock.now), "the lock to be free")
        assert not room.evaluator.step(room.clock.now)


def test_one_that_sleeps_loses_the_lead(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stopped process holds the lock no longer than its session may be silent."""
    room.evaluator.close()
    monkeypatch.setattr("api.alarms.evaluator._SILENT_S", 1.0)
    with (
        closing(evaluator(room.store, room.dsn)) as sleeper,
        closing(evaluator(room.store, room.dsn)) as other,
    ):
        until(lambda: sleeper.step(room.clock.now), "the lock to be free")
        until(lambda: other.step(room.clock.now), "the lock to be free")
        with pytest.raises(DatabaseDown):
            sleeper.step(room.clock.now)


def test_an_evaluator_without_its_connection_writes_nothing(serve: Serve, database: str) -> None:
    """The lock and the writes go by one connection: when it breaks, the step fails as a whole."""
    catalogue, clock = store(database, parse_plant(PLANT)), Clock()
    client = serve(create_app(QUIET, database, clock))
    with room_of(database, client, catalogue, clock) as room, through(database) as (wire, dsn):
        room.tick(current=500.0)
        room.evaluator.close()
        with closing(evaluator(room.store, dsn)) as cut_off:
            until(lambda: cut_off.step(clock.now), "the lock to be free")
            wire.cut()
            clock.now += timedelta(seconds=10)
            insert(database, catalogue, [(CURRENT, clock.now, 470.0, 192)])
            with pytest.raises(DatabaseDown):
                cut_off.step(clock.now)

        assert room.told() == []


def test_alarms_are_in_the_live_stream(serve: Serve, database: str) -> None:
    """Evaluated by the API itself with the true time, chosen by area."""
    catalogue = store(database, parse_plant(PLANT))
    client = serve(create_app(SETTINGS, database))
    with listening(client, alarm="line/**") as stream:
        first = next(stream)
        insert(database, catalogue, [("line/pot-01/voltage", datetime.now(UTC), 9.0, 192)])
        event = next(one for one in stream if one.data["alarms"])

    assert first.data["alarms"] == []
    assert event.data["alarms"][0]["name"] == "line/pot-01/voltage#high"
    assert event.data["alarms"][0]["state"] == "unacknowledged"


def test_tables_that_are_missing_are_told_once(serve: Serve, empty_database: str) -> None:
    """An API that starts before its database is migrated says so without a traceback, and waits."""
    with capture_logs() as lines:
        client = serve(create_app(SETTINGS, empty_database))
        until(lambda: said(lines), "the evaluator to say what is missing")
        ready = client.get("/health/ready")
        upgrade(empty_database)
        store(empty_database, parse_plant(PLANT))
        until(lambda: "ertis_api_alarms_evaluated 15" in client.get("/metrics").text, "alarms")

    assert ready.status_code == 503
    assert "ingest migrate" in ready.json()["parts"][1]["detail"]
    (line,) = said(lines)
    assert sum(one["event"] == "evaluates the alarms" for one in lines) == 1
    assert "ingest migrate" in line["error"]
    assert not line["exc_info"]


def said(lines: list[Any]) -> list[Any]:
    """What the evaluator logged that it cannot do."""
    return [line for line in lines if line["event"] == "alarms cannot be evaluated"]
