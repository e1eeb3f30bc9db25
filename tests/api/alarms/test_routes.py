"""Alarms over HTTP: lists, units, rights, the audit log."""

from typing import Any

from api.app import create_app
from schemas.plant.file import parse_plant
from tests.api.alarms.room import LOW, PLANT, QUIET, Clock, Room, room_of
from tests.api.conftest import Serve
from tests.api.demo import store


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
