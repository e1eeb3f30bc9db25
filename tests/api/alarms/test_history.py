"""What happened to alarms, what would have, and how bad it was."""

from datetime import datetime, timedelta

from alarms.state import Event
from tests.api.alarms.room import Room
from tests.api.demo import insert


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


def test_the_history_names_every_event(room: Room) -> None:
    """Events of the wire are those of the machine."""
    room.tick(61)
    events = {one["event"] for one in room.get("/history")["events"]}

    assert events == {Event.LOSE.value}
