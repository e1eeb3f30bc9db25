"""The registers of a PLC: layout, ring, what an answer carries."""

import pytest

from simulator.model import LOG_ENTRIES, Event
from simulator.plc import (
    CLOCK,
    ENTRY_WORDS,
    LOG_HEAD,
    LOG_RING,
    Carried,
    Plc,
)
from simulator.register import Encoding

PATHS = ["line/line_current", "line/pot-1/voltage", "line/pot-1/anode_effect", "u/energy"]
VALUES = {PATHS[0]: 500.0, PATHS[1]: 4.125, PATHS[2]: 1.0, PATHS[3]: 70_000.0}
LOGGED = ["line/pot-1/metal_tapped", "line/pot-2/metal_tapped"]


def taps(first: int, last: int) -> list[Event]:
    """Entries of both pots in turn, 10 s apart."""
    return [
        Event(number, number % 2, 1_000_000 + number * 10_000, number / 2)
        for number in range(first, last + 1)
    ]


def scanned() -> Plc:
    """A PLC after one scan, with three taps."""
    plc = Plc("plc", PATHS, LOGGED)
    plc.scan(1_050_000, VALUES, taps(1, 3))
    return plc


def test_tags_follow_the_clock_without_gaps() -> None:
    """Clock in 0 to 3, then every tag behind the one before."""
    plc = scanned()

    assert CLOCK.decode(plc.image[:4]) == 1_050_000
    assert [point.address for point in plc.points] == [4, 6, 8, 9]
    assert [plc.decode(point) for point in plc.points] == list(VALUES.values())
    assert plc.spans == ((0, 11), (LOG_HEAD, 2 + LOG_ENTRIES * ENTRY_WORDS))
    assert plc.tags == 6


def test_entries_stand_where_their_number_says() -> None:
    """Entry 70 overwrites entry 6; the head names the newest."""
    plc = scanned()
    plc.scan(1_900_000, VALUES, taps(1, 70))
    at = LOG_RING + (70 - 1) % 64 * 8

    assert Encoding("uint32").decode(plc.image[LOG_HEAD:LOG_RING]) == 70
    assert at == LOG_RING + 5 * 8
    assert plc.image[at : at + 6] == [0, 70, 0, 0, 0, 1700]
    assert Encoding("float32").decode(plc.image[at + 6 : at + 8]) == 35


def test_log_is_empty_at_first() -> None:
    """Head 0 and an empty ring."""
    plc = Plc("plc", PATHS, LOGGED)
    plc.scan(0, VALUES, [])

    assert set(plc.image[LOG_HEAD:]) == {0}


def test_an_answer_carries_each_value_once() -> None:
    """Once a scan for a tag, once at all for an entry of the log."""
    plc = scanned()
    live = [Carried(path, 1_050_000, value) for path, value in VALUES.items()]
    log = [Carried(LOGGED[tap.place], tap.ts_ms, tap.amount) for tap in taps(1, 3)]

    assert list(plc.carried(0, 11)) == live
    assert list(plc.carried(0, 11)) == []
    assert list(plc.carried(LOG_HEAD, 26)) == log
    plc.scan(1_051_000, VALUES, taps(1, 4))
    assert list(plc.carried(4, 2)) == [Carried(PATHS[0], 1_051_000, 500.0)]
    assert [row.value for row in plc.carried(LOG_HEAD, 34)] == [2.0]


def test_half_a_value_is_no_value() -> None:
    """An answer that cuts a number in two carries none; nor does a part of an entry."""
    plc = scanned()

    assert list(plc.carried(5, 2)) == []
    assert [row.tag for row in plc.carried(5, 3)] == [PATHS[1]]
    assert list(plc.carried(LOG_RING, 7)) == []


def test_a_frozen_sensor_keeps_its_value() -> None:
    """For the time given, while the clock and its neighbours go on."""
    plc = scanned()
    plc.freeze(6, 1_052_000)
    seen = []
    for second in (1, 2):
        values = VALUES | {PATHS[0]: 501.0, PATHS[1]: 4.5}
        plc.scan(1_050_000 + second * 1000, values, [])
        seen.append([plc.decode(point) for point in plc.points][:2])

    assert seen == [[501.0, 4.125], [501.0, 4.5]]


def test_only_a_tag_can_be_frozen() -> None:
    """The second register of a tag is none."""
    with pytest.raises(ValueError, match="input register 7"):
        scanned().freeze(7, 0)
