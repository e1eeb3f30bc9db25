"""The registers of a PLC: layout, rings, what an answer carries, sensors that lie."""

import numpy as np
import pytest

from simulator.model import Event
from simulator.plc import ENTRY_WORDS, LOG_ENTRIES, Carried, Plc
from simulator.register import Encoding, encoding_of
from simulator.wiring import CLOCK, Log, Point, Wiring

PATHS = ["line/line_current", "line/pot-1/voltage", "line/pot-1/anode_effect", "u/energy"]
VALUES = np.array([500.0, 4.125, 1.0, 70_000.0])
LOGGED = ("line/pot-1/metal_tapped", "line/pot-2/metal_tapped")
RING = 1002


def points() -> tuple[Point, ...]:
    """The paths, one behind the other."""
    found: list[Point] = []
    for path in PATHS:
        address = found[-1].end if found else 4
        found.append(Point(path, address, encoding_of(path.rpartition("/")[2])))
    return tuple(found)


def plc(*logs: Log) -> Plc:
    """A PLC before its first scan."""
    return Plc(Wiring("plc", "agent", 5020, ("line", "line/pot-1", "u"), points(), logs))


def scanned(taps: int = 3) -> Plc:
    """A PLC after one scan for each tap, 10 s apart, the last at 1 050 000."""
    made = plc(Log(1000, LOGGED))
    made.scan(1_050_000 - taps * 10_000, VALUES)
    for number in range(1, taps + 1):
        tap(made, 1_050_000 - (taps - number) * 10_000, number)
    return made


def tap(made: Plc, ts_ms: int, number: int) -> None:
    """A scan with the tap that has this number; both pots in turn."""
    made.scan(ts_ms, VALUES, [Event(LOGGED[number % 2], number / 2), Event("other/tag", 1.0)])


def test_tags_follow_the_clock_without_gaps() -> None:
    """Clock in 0 to 3, then every tag behind the one before."""
    made = scanned()

    assert CLOCK.decode(made.image[:4].tolist()) == 1_050_000
    assert [point.address for point in made.points] == [4, 6, 8, 9]
    assert [made.decode(point) for point in made.points] == VALUES.tolist()
    assert made.spans == ((0, 11), (1000, 2 + LOG_ENTRIES * ENTRY_WORDS))
    assert made.wiring.tags == 6


def test_entries_stand_where_their_number_says() -> None:
    """Entry 70 overwrites entry 6; the head names the newest."""
    made = scanned(70)
    at = RING + (70 - 1) % 64 * 8

    assert Encoding("uint32").decode(made.image[1000:1002].tolist()) == 70
    assert at == RING + 5 * 8
    assert made.image[at : at + 6].tolist() == [0, 70, 0, 0, 0, 1050]
    assert Encoding("float32").decode(made.image[at + 6 : at + 8].tolist()) == 35


def test_rings_of_two_measures_number_apart() -> None:
    """Each measure has its ring, and its own numbers."""
    made = plc(Log(1000, LOGGED), Log(2000, ("line/pot-1/anode_set",)))
    made.scan(1000, VALUES, [Event(LOGGED[0], 5.0), Event("line/pot-1/anode_set", 7.0)])
    made.scan(2000, VALUES, [Event("line/pot-1/anode_set", 8.0)])

    assert [len(ring.entries) for ring in made.rings] == [1, 2]
    assert [entry.amount for entry in made.rings[1].entries] == [7.0, 8.0]
    assert made.image[2000:2002].tolist() == [0, 2]


def test_log_is_empty_at_first() -> None:
    """Head 0 and an empty ring."""
    made = plc(Log(1000, LOGGED))
    made.scan(0, VALUES)

    assert set(made.image[1000:].tolist()) == {0}


def test_an_answer_carries_each_value_once() -> None:
    """Once a scan for a tag, once at all for an entry of the log."""
    made = scanned()
    live = [
        Carried(path, 1_050_000, value) for path, value in zip(PATHS, VALUES.tolist(), strict=True)
    ]
    log = [
        Carried(LOGGED[number % 2], 1_020_000 + number * 10_000, number / 2) for number in (1, 2, 3)
    ]

    assert list(made.carried(0, 11)) == live
    assert list(made.carried(0, 11)) == []
    assert list(made.carried(1000, 26)) == log
    tap(made, 1_051_000, 4)
    assert list(made.carried(4, 2)) == [Carried(PATHS[0], 1_051_000, 500.0)]
    assert [row.value for row in made.carried(1000, 34)] == [2.0]


def test_half_a_value_is_no_value() -> None:
    """An answer that cuts a number in two carries none; nor does a part of an entry."""
    made = scanned()

    assert list(made.carried(5, 2)) == []
    assert [row.tag for row in made.carried(5, 3)] == [PATHS[1]]
    assert list(made.carried(RING, 7)) == []


def test_a_frozen_sensor_keeps_its_value() -> None:
    """For the time given, while the clock and its neighbours go on."""
    made = scanned()
    made.freeze(6, 1_052_000)
    seen = []
    for second in (1, 2):
        made.scan(1_050_000 + second * 1000, VALUES + np.array([1.0, 0.375, 0, 0]))
        seen.append([made.decode(point) for point in made.points][:2])

    assert seen == [[501.0, 4.125], [501.0, 4.5]]


def test_a_drifting_sensor_reads_more_and_more() -> None:
    """One per cent a minute from the command on, then it is right again."""
    made = scanned()
    made.drift(4, 1_171_000)
    seen = []
    for second in (60, 120, 180):
        made.scan(1_050_000 + second * 1000, VALUES)
        seen.append(made.decode(made.points[0]))

    assert seen == pytest.approx([505.0, 510.0, 500.0], rel=1e-6)


def test_a_totaliser_that_is_reset_counts_on_from_zero() -> None:
    """And only a totaliser can be reset."""
    made = scanned()
    made.reset(9)
    seen = []
    for more in (0.0, 12.0):
        made.scan(made.ts_ms + 1000, VALUES + np.array([0, 0, 0, more]))
        seen.append(made.decode(made.points[3]))

    assert seen == [0.0, 12.0]
    with pytest.raises(ValueError, match="no totaliser"):
        made.reset(4)


def test_a_clock_that_jumps_shows_the_wrong_time() -> None:
    """In the registers, in the entries of logs, and for the time given."""
    made = scanned()
    made.jump(-300, 1_052_000)
    tap(made, 1_051_000, 4)
    wrong = CLOCK.decode(made.image[:4].tolist())
    tap(made, 1_052_000, 5)

    assert wrong == 751_000
    assert [entry.ts_ms for entry in made.rings[0].entries[-2:]] == [751_000, 1_052_000]
    assert CLOCK.decode(made.image[:4].tolist()) == 1_052_000


def test_logs_and_resets_outlive_a_power_cut() -> None:
    """Numbers go on; a totaliser that was set back stays so."""
    made = scanned()
    made.reset(9)
    other = plc(Log(1000, LOGGED))
    other.recall(made.remember())
    tap(other, 1_060_000, 4)

    assert [entry.number for entry in other.rings[0].entries] == [1, 2, 3, 4]
    assert other.decode(other.points[3]) == 0.0
    with pytest.raises(ValueError, match="plc"):
        plc().recall(made.remember())
    with pytest.raises(ValueError, match="remember"):
        other.recall([])


def test_only_a_tag_can_be_frozen() -> None:
    """The second register of a tag is none."""
    with pytest.raises(ValueError, match="input register 7"):
        scanned().freeze(7, 0)
