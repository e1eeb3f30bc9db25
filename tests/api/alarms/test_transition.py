"""Alarms step by step: they ring, return, are acknowledged, shelved, taken out of service."""

from datetime import timedelta

from schemas.db.engine import connect
from schemas.plant.file import parse_plant
from tests.api.alarms.room import LOW, PLANT, Room
from tests.api.demo import insert, store


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


def test_a_changed_plant_keeps_the_states(room: Room) -> None:
    """A limit may move, an alarm may go; what rings goes on, what is gone rings no more."""
    room.tick(pot_01=9.0, pot_02=9.0)
    before = 'pot-{01..14}/voltage"\nhigh = { limit = 8'
    changed = PLANT.replace(before, 'pot-01/voltage"\nhigh = { limit = 8.5')
    store(room.dsn, parse_plant(changed))
    room.tick()
    (found,) = room.get()["alarms"]

    assert (found["source"], found["limit"]) == ("line/pot-01/voltage", 8.5)


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
