"""Alarms through the database and over HTTP: evaluated, acknowledged, shelved, remembered."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from structlog.testing import capture_logs

from alarms.state import Event
from api.access.areas import EVERYWHERE, Areas
from api.access.keys import create
from api.access.person import Role
from api.alarms.evaluator import Evaluator
from api.app import create_app
from api.counters import Counters
from api.store import Store
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect, make_engine
from schemas.db.migrate import upgrade
from schemas.errors import DatabaseDown
from schemas.plant.file import parse_plant
from tests.api.conftest import SETTINGS, Serve, through
from tests.api.demo import insert, store
from tests.api.test_live import listening
from tests.fixtures.until import until

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
QUIET = SETTINGS.model_copy(update={"alarms": False})
CURRENT = "line/line_current"
PLANT = """
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "line"
level = "line"
type = "potline"
template = "line"

[[asset]]
path = "line/pot-{01..14}"
level = "unit"
type = "pot"
template = "pot"

[template.line.line_current]
title = "Line current"
unit = "kA"
kind = "gauge"
stale_after_s = 60

[template.pot.voltage]
title = "Voltage"
unit = "V"
kind = "gauge"
stale_after_s = 60

[[alarm]]
tag = "line/line_current"
low = { limit = 480, priority = "high" }
on_delay_s = 5
off_delay_s = 5
deadband = 2

[[alarm]]
tag = "line/pot-{01..14}/voltage"
high = { limit = 8, priority = "low" }
group = "line"
"""


class Clock:
    """The API's clock, which a test moves."""

    now = NOW

    def __call__(self) -> datetime:
        """The time."""
        return self.now


class Room:
    """A plant with alarms, an evaluator that a test steps, and the API over HTTP."""

    def __init__(self, dsn: str, catalogue: Catalogue, client: httpx.Client, clock: Clock) -> None:
        self.dsn = dsn
        self.catalogue = catalogue
        self.client = client
        self.clock = clock
        self.store = Store(dsn, QUIET, clock)
        self.evaluator = evaluator(self.store, dsn)
        self.headers = self.key("operator", Role.ENGINEER)
        self.admin = self.key("admin", Role.ADMIN)
        self.viewer = self.key("viewer", Role.VIEWER)
        self.neighbour = self.key("neighbour", Role.ENGINEER, Areas(("line/pot-02",)))

    def key(self, name: str, role: Role, areas: Areas = EVERYWHERE) -> dict[str, str]:
        """The header of a new key."""
        engine = make_engine(self.dsn)
        with engine.begin() as connection:
            text = create(connection, name, role, areas, by="test", now=NOW)
        engine.dispose()
        return {"Authorization": f"Bearer {text}"}

    def tick(self, seconds: float = 1.0, **values: float) -> None:
        """Let time pass, then let readings come (``current=490``, ``pot_01=9``), and evaluate."""
        self.clock.now += timedelta(seconds=seconds)
        paths = {
            "current": CURRENT,
            **{f"pot_{n:02}": f"line/pot-{n:02}/voltage" for n in range(1, 15)},
        }
        rows = [(paths[name], self.clock.now, value, 192) for name, value in values.items()]
        if rows:
            insert(self.dsn, self.catalogue, rows)
        assert self.evaluator.step(self.clock.now)

    def get(self, path: str = "", **query: Any) -> Any:  # noqa: ANN401 - any JSON
        """The answer of a route of alarms."""
        self.clock.now += timedelta(milliseconds=1)  # what happens now is not before now
        url = f"/api/v1/alarms{path}"
        answer = self.client.get(url, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def one(self, name: str) -> dict[str, Any]:
        """An alarm as it stands."""
        every = ["normal", "unacknowledged", "acknowledged", "returned", "shelved"]
        found = self.get(state=[*every, "out_of_service", "unknown"])["alarms"]
        alarm: dict[str, Any] = next(one for one in found if one["name"] == name)
        return alarm

    def do(self, name: str, action: str, **doing: object) -> httpx.Response:
        """What an operator does."""
        url = f"/api/v1/alarms/{self.one(name)['id']}/{action}"
        return self.client.post(url, json=doing, headers=self.headers)

    def told(self, **query: Any) -> list[tuple[str, str, str | None]]:  # noqa: ANN401 - any
        """Name, event and who of the history, the oldest first; without what is unknown."""
        events = self.get("/history", **query)["events"]
        return [
            (one["name"], one["event"], one["who"])
            for one in reversed(events)
            if one["event"] not in {"lose", "find"}
        ]


def evaluator(of: Store, dsn: str) -> Evaluator:
    """An evaluator of its own."""
    return Evaluator(of, make_engine(dsn, pool_size=1), Counters())


@contextmanager
def room_of(dsn: str, client: httpx.Client, catalogue: Catalogue, clock: Clock) -> Iterator[Room]:
    """A room; its evaluator and store are closed."""
    room = Room(dsn, catalogue, client, clock)
    with closing(room.store), closing(room.evaluator):
        yield room


@pytest.fixture
def room(serve: Serve, database: str) -> Iterator[Room]:
    """The plant above at 10:00, everything as it should be."""
    catalogue, clock = store(database, parse_plant(PLANT)), Clock()
    client = serve(create_app(QUIET, database, clock))
    with room_of(database, client, catalogue, clock) as made:
        made.tick(current=500.0, **{f"pot_{n:02}": 4.2 for n in range(1, 15)})
        yield made


LOW = f"{CURRENT}#low"


def test_an_alarm_rings_and_returns(room: Room) -> None:
    """After its delays, by its deadband; acknowledged by somebody who is named."""
    room.tick(current=470.0)
    room.tick(4)
    assert room.one(LOW)["state"] == "normal"
    room.tick(2)
    assert room.one(LOW)["state"] == "unacknowledged"
    assert room.do(LOW, "acknowledge", reason="seen").json()["state"] == "acknowledged"

    room.tick(current=481.0)
    room.tick(30)
    assert room.one(LOW)["state"] == "acknowledged"
    room.tick(current=482.0)
    room.tick(6)

    assert room.one(LOW)["state"] == "normal"
    assert room.told() == [
        (LOW, "raise", None),
        (LOW, "acknowledge", "operator"),
        (LOW, "clear", None),
    ]


def test_one_that_returned_waits_for_a_person(room: Room) -> None:
    """Unacknowledged, however short it was."""
    room.tick(pot_01=9.0)
    room.tick(pot_01=4.2)
    name = "line/pot-01/voltage#high"

    assert room.one(name)["state"] == "returned"
    assert room.do(name, "acknowledge").json()["state"] == "normal"
    assert room.do(name, "acknowledge").status_code == 409


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
    monkeypatch.setattr("api.alarms.evaluator._SILENT_S", 0.2)
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


def test_stale_is_not_normal(room: Room) -> None:
    """An alarm whose value nobody vouches for says so, and is normal again with the next value."""
    room.tick(61)
    assert room.one(LOW)["state"] == "unknown"
    assert room.one(LOW)["known"] is False
    room.tick(current=500.0)
    assert room.one(LOW)["state"] == "normal"


def test_an_active_alarm_stays_while_its_value_is_lost(room: Room) -> None:
    """Neither returned nor normal; and it does not ring again when the value is back."""
    room.tick(pot_01=9.0)
    room.tick(61)
    found = room.one("line/pot-01/voltage#high")
    assert (found["state"], found["known"]) == ("unacknowledged", False)
    room.tick(pot_01=9.0)

    assert [event for _, event, _ in room.told()] == ["raise"]


def test_a_shelf_has_an_end(room: Room) -> None:
    """Shelved it is quiet; when its time is over it rings if its value still says so."""
    name = "line/pot-01/voltage#high"
    room.tick(pot_01=9.0)
    assert room.do(name, "shelve", minutes=10).status_code == 422
    assert room.do(name, "shelve", reason="probe out").status_code == 422
    assert room.do(name, "shelve", reason="probe out", minutes=100_000).status_code == 422
    assert room.do(name, "shelve", reason="probe out", minutes=10).json()["state"] == "shelved"
    room.tick(pot_01=4.0)
    room.tick(pot_01=9.5)
    assert room.one(name)["state"] == "shelved"
    room.tick(601, pot_01=9.5)

    assert room.one(name)["state"] == "unacknowledged"
    assert room.told() == [
        (name, "raise", None),
        (name, "shelve", "operator"),
        (name, "unshelve", None),
        (name, "raise", None),
    ]


def test_out_of_service_until_restored(room: Room) -> None:
    """Removed it stays quiet; restored while beyond its limit it rings."""
    name = "line/pot-01/voltage#high"
    assert room.do(name, "remove", reason="relining").json()["state"] == "out_of_service"
    room.tick(pot_01=9.0)
    assert room.one(name)["state"] == "out_of_service"

    assert room.do(name, "restore").json()["state"] == "unacknowledged"


def test_the_first_of_a_group_is_told(room: Room) -> None:
    """By the source's time, until all of the group are back."""
    catalogue, moment = room.catalogue, room.clock.now + timedelta(seconds=1)
    pots = {"line/pot-03/voltage": 0.9, "line/pot-07/voltage": 0.2, "line/pot-01/voltage": 0.5}
    rows = [(path, moment + timedelta(seconds=s), 9.0, 192) for path, s in pots.items()]
    insert(room.dsn, catalogue, rows)
    room.tick(2)
    room.tick(pot_09=9.0)

    first = [one["source"] for one in room.get()["alarms"] if one["first_out"]]
    assert first == ["line/pot-07/voltage"]


def test_a_backfill_rings_nothing_and_is_told_as_late(room: Room) -> None:
    """What would have rung an hour ago is in the history when asked for, and only there."""
    name = "line/pot-02/voltage#high"
    then = room.clock.now - timedelta(hours=1)
    values = [(0, 4.2), (10, 9.0), (20, 4.2)]
    path = "line/pot-02/voltage"
    rows = [(path, then + timedelta(seconds=s), value, 192) for s, value in values]
    insert(room.dsn, room.catalogue, rows)
    room.tick(pot_02=4.2)
    room.tick(pot_01=9.0)

    assert (room.one(name)["state"], room.told()) == (
        "normal",
        [("line/pot-01/voltage#high", "raise", None)],
    )
    late = room.get("/history", late=True, **{"from": "-2h"})["late"]
    assert [(one["name"], one["event"], one["value"]) for one in late] == [
        (name, "raise", 9.0),
        (name, "clear", 4.2),
    ]
    assert datetime.fromisoformat(late[0]["at"]) == then + timedelta(seconds=10)


def test_floods_and_chattering_are_counted(room: Room) -> None:
    """Eleven pots within ten minutes; one of them three times in one."""
    for number in range(1, 12):
        room.tick(2, **{f"pot_{number:02}": 9.0})
    for _ in range(2):
        room.tick(2, pot_01=4.0)
        room.tick(2, pot_01=9.0)
    room.tick(10)
    found = room.get("/statistics", **{"from": "-1h"})

    assert (found["raised"], found["most_in_10_min"]) == (13, 13)
    assert [one["alarms"] for one in found["floods"]] == [13]
    assert [(one["name"], one["times"]) for one in found["chattering"]] == [
        ("line/pot-01/voltage#high", 3)
    ]
    assert found["by_priority"] == {"low": 13, "medium": 0, "high": 0}


def test_every_write_is_in_the_audit_log(room: Room) -> None:
    """Who, what, before and after, why."""
    room.tick(pot_01=9.0)
    name = "line/pot-01/voltage#high"
    room.do(name, "acknowledge", reason="on my way")
    query = {"action": "alarm.acknowledge"}
    (entry,) = room.client.get("/api/v1/audit", params=query, headers=room.admin).json()["entries"]

    assert (entry["who"], entry["subject"], entry["reason"]) == ("operator", name, "on my way")
    assert entry["before"] == {"state": "unacknowledged"}
    assert entry["after"]["state"] == "acknowledged"


def test_rights_hold_for_alarms(room: Room) -> None:
    """A viewer does nothing; whoever sees another area finds no such alarm."""
    room.tick(pot_01=9.0)
    url = f"/api/v1/alarms/{room.one('line/pot-01/voltage#high')['id']}/acknowledge"
    other = room.neighbour

    assert room.client.post(url, json={}, headers=room.viewer).status_code == 403
    assert room.client.post(url, json={}, headers=other).status_code == 404
    assert room.client.get("/api/v1/alarms", headers=other).json()["alarms"] == []
    assert room.client.get("/api/v1/alarms/history", headers=other).json()["events"] == []


def test_a_list_has_filters_and_pages(room: Room) -> None:
    """By state, priority and area; each alarm on one page."""
    room.tick(pot_01=9.0, pot_02=9.0, pot_03=9.0)
    names: list[str] = []
    query: dict[str, Any] = {"limit": 2, "area": "line/pot-0?"}
    while True:
        page = room.get(**query)
        names += [one["source"] for one in page["alarms"]]
        if not page["truncated"]:
            break
        query["cursor"] = page["cursor"]

    assert names == [f"line/pot-{n:02}/voltage" for n in (1, 2, 3)]
    assert room.get(priority="high")["alarms"] == []
    assert len(room.get(state="normal")["alarms"]) == 12


def test_a_changed_plant_keeps_the_states(room: Room) -> None:
    """A limit may move, an alarm may go; what rings goes on, what is gone rings no more."""
    room.tick(pot_01=9.0, pot_02=9.0)
    before = 'pot-{01..14}/voltage"\nhigh = { limit = 8'
    changed = PLANT.replace(before, 'pot-01/voltage"\nhigh = { limit = 8.5')
    store(room.dsn, parse_plant(changed))
    room.tick()
    (found,) = room.get()["alarms"]

    assert (found["source"], found["limit"]) == ("line/pot-01/voltage", 8.5)


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


def test_the_history_names_every_event(room: Room) -> None:
    """Events of the wire are those of the machine."""
    room.tick(61)
    events = {one["event"] for one in room.get("/history")["events"]}

    assert events == {Event.LOSE.value}


def test_numbers_have_their_unit(room: Room) -> None:
    """Limits and values are in the unit of the tag, as they stand and in the history."""
    room.tick(pot_01=9.0)
    (rang,) = (one for one in room.get("/history")["events"] if one["event"] == "raise")

    assert room.one(LOW)["unit"] == "kA"
    assert (rang["value"], rang["unit"]) == (9.0, "V")


def test_an_alarm_of_a_kpi_has_the_unit_of_the_kpi(serve: Serve, database: str) -> None:
    """It has no tag."""
    alarm = '[[alarm]]\nkpi = "line_current"\nasset = "line"\nlow = {limit = 480, priority = "low"}'
    text = f"{PLANT}\n{alarm}"
    catalogue, clock = store(database, parse_plant(text)), Clock()
    client = serve(create_app(QUIET, database, clock))
    with room_of(database, client, catalogue, clock) as room:
        assert room.one("line_current@line#low")["unit"] == "kA"


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
    assert "ingest migrate" in line["error"]
    assert not line["exc_info"]


def said(lines: list[Any]) -> list[Any]:
    """What the evaluator logged that it cannot do."""
    return [line for line in lines if line["event"] == "alarms cannot be evaluated"]


def test_transitions_survive_in_order(room: Room) -> None:
    """The history chains: each event begins where the one before ended."""
    room.tick(pot_01=9.0)
    room.tick(pot_01=4.0)
    room.do("line/pot-01/voltage#high", "acknowledge")
    with connect(room.dsn) as connection:
        rows = connection.execute(
            'SELECT alarm_id, "before", "after" FROM alarm_event ORDER BY id'
        ).fetchall()
    last: dict[int, str] = {}
    for alarm_id, before, reached in rows:
        assert last.get(alarm_id, before) == before
        last[alarm_id] = reached
