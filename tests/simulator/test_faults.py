"""Faults on demand: what the processes do, and what the KPI core makes of what PLCs then say."""

from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pytest

from kpi.frames import READINGS
from kpi.summary import summarise
from schemas.instant import from_ms
from schemas.plant.model import Plant
from simulator.command import Command, Fault, read_command
from simulator.park import Park
from simulator.station import Station
from tests.kpi.frames import tags_of
from tests.simulator.conftest import LINE, NOON_MS, run, serving_tag, serving_unit, shown

POT = f"{LINE}/pot-002"
FED = f"{POT}/alumina_fed"
TURBINE = "power/wind-1/wtg-01"
ENERGY = f"{TURBINE}/energy"


def watched(
    plant: Plant, tag: str, seconds: int, fault: Callable[[Park, Station], None] | None = None
) -> tuple[dict[str, object], Park]:
    """The summary of *tag* over so many *seconds*, read at every scan, and the park after it.

    After a third of the time *fault* is caused.
    """
    park = Park(plant, NOON_MS, seed=1)
    station, _ = serving_tag(park, tag)
    rows = []
    for second in range(seconds + 1):
        if fault is not None and second == seconds // 3:
            fault(park, station)
        plc = station.plc
        rows.append((1, from_ms(plc.clock_ms), shown(plc, tag), 192))
        run(park, 1)
    readings = pl.DataFrame(rows, schema=dict(READINGS), orient="row").unique(
        ["tag_id", "ts"], keep="last"
    )
    start = from_ms(NOON_MS)
    every = timedelta(seconds=seconds)
    (row,) = summarise(
        readings, tags_of({1: plant.tag(tag)}), start, start + every, every
    ).to_dicts()
    return row, park


def at(fault: Fault, tag: str, seconds: int) -> Callable[[Park, Station], None]:
    """A fault of the sensor of *tag*."""

    def cause(park: Park, station: Station) -> None:
        _, point = serving_tag(park, tag)
        station.obey(Command(fault, point.address, seconds))

    return cause


def test_a_frozen_sensor_makes_a_covered_lie(plant: Plant) -> None:
    """The span is covered all the time, and its mean is that of the value that stood still.

    No reading says so: that is why a freeze has to be found by comparison, not by quality.
    """
    tag = f"{POT}/voltage"
    frozen, park = watched(plant, tag, 300, at(Fault.FREEZE, tag, 400))
    right, same = watched(plant, tag, 300)

    assert frozen["covered_s"] == right["covered_s"] == 300
    assert park.totals()[POT] == same.totals()[POT]
    assert frozen["last"] != right["last"]
    assert right["integral"] == pytest.approx(
        park.totals()[POT]["voltage_v_s"] - shown_for_a_second(same, tag), rel=1e-3
    )


def shown_for_a_second(park: Park, tag: str) -> float:
    """What the last scan adds to the truth."""
    return shown(serving_tag(park, tag)[0].plc, tag)


def test_a_drifting_sensor_is_off_by_half_of_its_drift(plant: Plant) -> None:
    """One per cent a minute for 200 s of 300: the integral grows by a third of 3.3 %."""
    tag = f"{LINE}/line_current"
    drifting, _ = watched(plant, tag, 300, at(Fault.DRIFT, tag, 400))
    right, _ = watched(plant, tag, 300)

    off = number(drifting, "integral") / number(right, "integral") - 1
    assert off == pytest.approx(0.01 * (200 / 60) / 2 * 200 / 300, rel=0.02)


def test_a_totaliser_that_is_reset_counts_on(plant: Plant) -> None:
    """Alumina fed: a decrease is a reset, and only what was fed within that scan can be lost."""
    reset, park = watched(plant, FED, 300, at(Fault.RESET, FED, 0))
    right, _ = watched(plant, FED, 300)

    assert number(reset, "last") < 100 < number(reset, "first")
    # 0.08 kg/s in doses of 1 kg.
    assert number(reset, "increase") == pytest.approx(number(right, "increase"), abs=1)
    assert number(right, "increase") == pytest.approx(park.totals()[POT]["alumina_fed_kg"], abs=1)


def test_a_reset_is_told_from_a_wrap(plant: Plant) -> None:
    """Energy of a turbine: the register wraps at 2^32 kWh, which no turbine makes in a second."""
    reset, park = watched(plant, ENERGY, 300, at(Fault.RESET, ENERGY, 0))
    right, _ = watched(plant, ENERGY, 300)

    assert number(reset, "last") < number(reset, "first")
    assert number(right, "increase") > 0
    assert number(reset, "increase") == pytest.approx(number(right, "increase"), abs=1)
    assert (reset["refused"], right["refused"]) == (0, 0)
    # The park ends two scans after the span; the register shows whole kWh.
    assert number(right, "increase") == pytest.approx(
        park.totals()[TURBINE]["energy_kwh"], abs=1 + 2 * 4800 / 3600
    )


def test_a_clock_that_jumps_ahead_leaves_a_hole(plant: Plant) -> None:
    """Readings of the next hour: the span ends with the last right one, stale a minute later."""

    def jump(_park: Park, station: Station) -> None:
        station.obey(Command(Fault.JUMP, 3600, 400))

    tag = f"{LINE}/line_current"
    row, park = watched(plant, tag, 300, jump)

    assert row["count"] == 101
    assert row["covered_s"] == 100 + plant.tag(tag).stale_after_s
    assert number(row, "integral") / 160 == pytest.approx(500, rel=0.01)
    assert serving_tag(park, tag)[0].plc.clock_ms == park.ts_ms + 3_600_000


def test_a_clock_that_jumps_back_writes_over_the_past(plant: Plant) -> None:
    """A minute back: as many readings meet times that were there, and the later one stays."""

    def jump(_park: Park, station: Station) -> None:
        station.obey(Command(Fault.JUMP, -60, 400))

    row, _ = watched(plant, f"{LINE}/line_current", 300, jump)

    # Seconds 0 to 240: the last minute before the end is not reached, but held.
    assert row["count"] == 241
    assert row["covered_s"] == 300


def test_curtailment_is_a_loss_of_its_own(plant: Plant) -> None:
    """Units of the PLC are held to 1 %; what they could have given counts as curtailed."""
    park = Park(plant, NOON_MS, seed=1)
    station, _ = serving_unit(park, "power/solar-1/inv-01")
    station.obey(Command(Fault.CURTAIL, 1, 60))
    run(park, 120)
    lost = park.totals()["power/solar-1/inv-01"]

    assert lost["curtailed_kwh"] > 0
    assert lost["unavailable_kwh"] == 0
    assert lost["available_s"] == 120


def test_power_modulation_reaches_one_line(plant: Plant) -> None:
    """The line of the PLC goes down with its rectifier, and the grid gives less."""
    park = Park(plant, NOON_MS, seed=1)
    before = park.totals()[f"{LINE}/rectifier"]["ac_kwh"]
    station, _ = serving_unit(park, LINE)
    run(park, 60)
    full = park.totals()[f"{LINE}/rectifier"]["ac_kwh"] - before
    station.obey(Command(Fault.MODULATE, 70, 60))
    run(park, 1)
    start = park.totals()[f"{LINE}/rectifier"]["ac_kwh"]
    run(park, 60)

    less = park.totals()[f"{LINE}/rectifier"]["ac_kwh"] - start
    # 70 % of the current at (1.65 + 0.7 * 2.45) V of 4.10 V, busbars left out.
    assert less / full == pytest.approx(0.7 * (1.65 + 0.7 * 2.45) / 4.10, rel=0.05)


def test_an_outage_ends_by_itself(plant: Plant) -> None:
    """As long as asked for, from the next scan on; the process does not notice."""
    park = Park(plant, NOON_MS, seed=1)
    station = park.stations[0]
    station.obey(Command(Fault.OUTAGE, 0, 3))
    seen = []
    for _ in range(5):
        run(park, 1)
        seen.append(station.cut_off)

    assert seen == [True, True, True, False, False]
    assert park.totals()[LINE]["charge_kah"] == pytest.approx(5 * 500 / 3600, rel=0.01)


@pytest.mark.parametrize("seconds", [-32768, -1, 0, 1, 32767])
def test_seconds_of_a_jump_are_signed(seconds: int) -> None:
    """Through the registers and back."""
    registers = Command(Fault.JUMP, seconds, 60).registers

    assert all(0 <= word < 65536 for word in registers)
    assert read_command(registers).signed == seconds


def number(row: dict[str, object], name: str) -> float:
    """A column of a summary as a number."""
    value = row[name]
    assert isinstance(value, float)
    return value
