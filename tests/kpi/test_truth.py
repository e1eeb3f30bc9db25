"""Every KPI of the catalogue against a simulated park that knows the truth.

An hour and a quarter of the whole park with faults, scanned every three seconds, as its PLCs show
it: read, derived, summarised by minute, evaluated. The truth is what the processes summed
themselves, asset by asset, without tags, bindings or summaries.

Between two scans everything is constant, so a KPI is right to rounding, `EXACT`, wherever it is
made of levels, states, events and doses. The energy of totalisers is as fine as their reading: a
scan late, whole kWh (`SAMPLED`).
"""

from dataclasses import replace
from datetime import timedelta
from math import isclose

import numpy as np
import polars as pl
import pytest

from kpi.binding import kpis_of
from kpi.catalogue.park import KPIS
from kpi.derive import derive, derived_tags
from kpi.frames import READINGS
from kpi.summary import summarise
from schemas.instant import to_ms
from schemas.plant.model import Plant
from simulator.command import Command, Fault
from simulator.park import Park
from simulator.potline import PotlineState
from simulator.scale import SMALLEST, park_at
from tests.kpi.frames import tags_of
from tests.kpi.truth import BEGIN, EDGES, EXACT, HOUR, INSTANTS, SCAN, Run


def place(park: Park, asset: str) -> tuple[int, int]:
    """The station that serves *asset*, and its place there."""
    for number, station in enumerate(park.stations):
        if asset in station.plc.wiring.assets:
            return number, station.plc.wiring.assets.index(asset) + 1
    raise AssertionError(asset)


def fault(park: Park, fault: Fault, asset: str, level: int | None, minutes: int) -> None:
    """A command to the PLC of *asset*; without a level it is about the asset itself."""
    station, unit = place(park, asset)
    park.stations[station].obey(Command(fault, unit if level is None else level, minutes * 60))


def disturb(park: Park, minute: float) -> None:
    """What goes wrong, by the minute since the begin."""
    line, wind, sun = "smelter/potline-1", "power/wind-1", "power/solar-1"
    match minute:
        case 18.0:
            running = park.running[0]
            state: PotlineState = running.state
            out = state.pots.out_until_ms.copy()
            out[23] = to_ms(HOUR)
            running.state = replace(state, pots=replace(state.pots, out_until_ms=out))
            fault(park, Fault.UPSET, f"{line}/pot-003", None, 4)
            fault(park, Fault.SICKEN, f"{line}/pot-011", None, 40)
        case 25.0:
            fault(park, Fault.UPSET, f"{wind}/wtg-02", None, 30)
            fault(park, Fault.UPSET, f"{sun}/inv-01", None, 45)
            fault(park, Fault.UPSET, "refinery/calcination-2", None, 20)
        case 50.0:
            fault(park, Fault.MODULATE, line, 85, 20)
            fault(park, Fault.UPSET, f"{line}/pot-001", None, 2)
        case 65.0:
            fault(park, Fault.CURTAIL, f"{wind}/wtg-01", 5, 15)
            fault(park, Fault.UPSET, f"{line}/pot-003", None, 3)


@pytest.fixture(scope="module")
def run() -> Run:
    """The park at its smallest, from BEGIN to the last edge."""
    plant = park_at(SMALLEST)
    tag_ids = {path: number for number, path in enumerate(plant.tags, start=1)}
    park = Park(plant, to_ms(BEGIN), seed=5, tap_every_s=60)
    points = [point for station in park.stations for point in station.plc.points]
    times, rows, events, truth = [], [], [], {}
    now = BEGIN
    while True:
        times.append(now)
        rows.append([station.plc.shown for station in park.stations])
        events += [(tag_ids[one.path], now, one.amount, 192) for one in park.events()]
        if now in INSTANTS:
            truth[now] = park.totals()
        if now >= EDGES[-1]:
            break
        disturb(park, (now - BEGIN).total_seconds() / 60)
        now += SCAN
        park.scan(to_ms(now))
    ids = np.array([tag_ids[point.path] for point in points], np.int32)
    measured = pl.DataFrame(
        {
            "tag_id": np.tile(ids, len(times)),
            "ts": pl.Series(times).repeat_by(len(ids)).explode(),
            "value": np.concatenate([np.concatenate(row) for row in rows]),
            "quality": pl.repeat(192, len(ids) * len(times), eager=True),
        }
    ).cast(pl.Schema(READINGS))
    readings = pl.concat([measured, pl.DataFrame(events, schema=dict(READINGS), orient="row")])
    tags = tags_of({tag_ids[path]: tag for path, tag in plant.tags.items()})
    derived = derived_tags(plant, tag_ids)
    computed = derive(readings, derived, derived, tags)
    summaries = summarise(
        pl.concat([readings, computed]), tags, EDGES[0], EDGES[-1], timedelta(minutes=1)
    )
    return Run(plant, tag_ids, summaries, truth)


def asked(plant: Plant) -> list[tuple[str, str]]:
    """Every KPI at the first asset of each type that has it."""
    first: dict[str, str] = {}
    for asset in plant.assets.values():
        first.setdefault(asset.type, asset.path)
    return [(kpi.id, path) for path in first.values() for kpi in kpis_of(KPIS, path, plant)]


def test_every_kpi_has_a_place_in_the_park() -> None:
    """No KPI of the catalogue that no asset of the park could be asked for."""
    assert {kpi for kpi, _ in asked(park_at(SMALLEST))} == KPIS.keys()


def test_every_kpi_is_the_truth(run: Run) -> None:
    """Both spans, each KPI at one asset of every type that has it, up to the site."""
    wrong = []
    for name, asset in asked(run.plant):
        kpi = KPIS[name]
        for row in run.value(kpi, asset):
            true = run.true(kpi, asset, row["start"], row["end"])
            error = run.error(kpi, asset)
            value = row["value"]
            if true is None or value is None:
                right = value is true
            else:
                right = isclose(value, true, rel_tol=EXACT, abs_tol=error)
            if not right:
                wrong.append((name, asset, row["value"], true, row["reason"], row["coverage"]))
    assert not wrong, "\n".join(map(str, wrong))
