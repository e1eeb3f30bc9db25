"""The plant that all tests of the simulator share."""

from pathlib import Path

import pytest

from schemas.plant.file import load_plant
from schemas.plant.model import Plant
from simulator.park import Park
from simulator.plc import Plc
from simulator.station import Station
from simulator.wiring import Point

ROOT = Path(__file__).parents[2]
NOON_MS = 1_795_240_800_000
"""2026-11-21 06:00 UTC: late morning at Pavlodar, a whole multiple of 300 s."""

LINE = "smelter/potline-1"


@pytest.fixture(scope="session")
def plant() -> Plant:
    """The model of the Pavlodar park."""
    return load_plant(ROOT / "plants" / "pavlodar.toml")


def serving_tag(park: Park, tag: str) -> tuple[Station, Point]:
    """The station that serves *tag*, and where."""
    for station in park.stations:
        for point in station.plc.points:
            if point.path == tag:
                return station, point
    raise AssertionError(tag)


def serving_unit(park: Park, asset: str) -> tuple[Station, int]:
    """The station that serves *asset*, and the place of the asset there, from 1."""
    for station in park.stations:
        if asset in station.plc.wiring.assets:
            return station, station.plc.wiring.assets.index(asset) + 1
    raise AssertionError(asset)


def shown(plc: Plc, tag: str) -> float:
    """What a client reads of *tag* now."""
    return next(plc.decode(point) for point in plc.points if point.path == tag)


def read(park: Park, tag: str) -> float:
    """What a client of the right PLC reads of *tag* now."""
    return shown(serving_tag(park, tag)[0].plc, tag)


def run(park: Park, seconds: int, step_s: int = 1) -> None:
    """Let so many *seconds* pass."""
    for _ in range(0, seconds, step_s):
        park.scan(park.ts_ms + step_s * 1000)
