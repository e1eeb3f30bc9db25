"""The park at a scale: how many of everything, and files that fit together."""

import tomllib
from pathlib import Path

import pytest

from edge.config import load_config
from edge.sources.modbus.table import ModbusDevice
from kpi.derive import check_rules
from schemas.plant.file import load_plant
from simulator.park import Park
from simulator.scale import SMALLEST, Counts, agent_texts, park_at, plant_text, write_park
from simulator.wiring import REQUEST, wire
from tests.simulator.conftest import NOON_MS, ROOT, run


def test_the_whole_park() -> None:
    """724 pots in three lines, 800 turbines, 4000 inverters, a refinery for 2 Mt/y."""
    counts = Counts.at(1.0)

    assert sorted(counts.pots) == [241, 241, 242]
    assert sum(counts.turbines) == 800
    assert sum(counts.inverters) == 4000
    assert max(*counts.turbines, *counts.inverters) <= 80
    assert counts.refinery["digestion"] * 240 * 0.45 * 0.95 * 8300 / 1e6 == pytest.approx(1.7, 0.1)


@pytest.mark.parametrize(
    ("scale", "lines", "pots", "turbines", "inverters"),
    [(SMALLEST, 1, 24, 8, 4), (0.05, 1, 36, 40, 200), (0.1, 3, 72, 80, 400)],
)
def test_smaller_parks_have_some_of_everything(
    scale: float, lines: int, pots: int, turbines: int, inverters: int
) -> None:
    """In proportion, and never less than a section, a farm and a unit."""
    plant = park_at(scale)
    of = dict.fromkeys(("potline", "pot", "turbine", "inverter"), 0)
    for asset in plant.assets.values():
        if asset.type in of:
            of[asset.type] += 1

    assert list(of.values()) == [lines, pots, turbines, inverters]
    whole = {asset.type for asset in park_at(1.0).assets.values()}
    assert {asset.type for asset in plant.assets.values()} == whole


@pytest.mark.parametrize("scale", [SMALLEST, 0.1])
def test_agents_read_what_is_served(tmp_path: Path, scale: float) -> None:
    """Every measured tag at one device, at the port and name of its PLC, in one request."""
    plant_file, *agents = write_park(scale, tmp_path)
    plant = load_plant(plant_file)
    check_rules(plant)
    configs = [load_config(file) for file in agents]
    found = [device for config in configs for device in config.devices]
    devices = {device.device: device for device in found if isinstance(device, ModbusDevice)}

    wired = wire(plant)
    assert devices.keys() == {wiring.name for wiring in wired}
    for wiring in wired:
        device = devices[wiring.name]
        assert device.table.port == wiring.port
        assert [(point.path, point.address) for point in device.points] == [
            (point.path, point.address) for point in wiring.points
        ]
        assert [tuple(log.paths) for log in device.logs] == [log.paths for log in wiring.logs]
        assert wiring.points[-1].end <= REQUEST
    tags = sorted(path for device in devices.values() for path in device.paths)
    assert tags == sorted(path for path, tag in plant.tags.items() if tag.derivation is None)


def test_the_committed_park_is_the_smallest() -> None:
    """``python -m simulator park --into plants`` gives the files of the repository."""
    plants = ROOT / "plants"
    written = {file.stem: file.read_text() for file in (plants / "pavlodar").glob("*.toml")}

    assert (plants / "pavlodar.toml").read_text() == plant_text(SMALLEST)
    assert written == agent_texts(park_at(SMALLEST))


def test_agents_of_a_great_park_share_its_plcs() -> None:
    """At scale 1 no agent has more than 64 PLCs; names and ports are unique."""
    plant = park_at(1.0)
    wired = wire(plant)
    texts = agent_texts(plant)

    assert max(len(tomllib.loads(text)["source"]) for text in texts.values()) <= 64
    assert len({wiring.name for wiring in wired}) == len(wired)
    assert [wiring.port for wiring in wired] == list(range(5020, 5020 + len(wired)))


def test_the_whole_park_scans() -> None:
    """Every register of 448 PLCs, twice; the truth of every asset is told."""
    plant = park_at(1.0)
    park = Park(plant, NOON_MS, seed=1)
    first = park.stations[-1].plc.image.tolist()
    run(park, 2)

    assert park.stations[-1].plc.image.tolist() != first
    assert len([path for path in park.totals() if "/pot-" in path]) == 724
