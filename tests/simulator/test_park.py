"""The park as a whole: same seed, same plant; what it remembers; what it asks of a plant model."""

from pathlib import Path
from typing import Any

import pytest

from schemas.errors import ConfigError, PlantError
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from schemas.reading import Kind
from simulator.command import Command, Fault
from simulator.memory import Memory
from simulator.park import Park
from tests.simulator.conftest import NOON_MS, ROOT


def images(park: Park) -> list[list[int]]:
    """The registers of all PLCs."""
    return [station.plc.image for station in park.stations]


def run(park: Park, seconds: int) -> list[list[list[int]]]:
    """The registers after each of *seconds* scans."""
    seen = []
    for _ in range(seconds):
        park.scan(park.ts_ms + 1000)
        seen.append(images(park))
    return seen


def test_same_seed_same_plant(plant: Plant) -> None:
    """Every register of every PLC, for a minute; another seed is another plant."""
    assert run(Park(plant, NOON_MS, seed=7), 60) == run(Park(plant, NOON_MS, seed=7), 60)
    assert images(Park(plant, NOON_MS, seed=7)) != images(Park(plant, NOON_MS, seed=8))


def test_every_measured_tag_is_served_once(plant: Plant) -> None:
    """All tags of the model but the products, events in the logs, the others as values."""
    park = Park(plant, NOON_MS, seed=1)
    points = [point.path for station in park.stations for point in station.plc.points]
    logged = [path for station in park.stations for path in station.plc.logged]

    measured = {path for path, tag in plant.tags.items() if tag.derivation is None}
    assert sorted(points + logged) == sorted(measured)
    assert set(logged) == {p for p, tag in plant.tags.items() if tag.kind is Kind.EVENT}
    assert [station.plc.name for station in park.stations] == [
        "potline-1",
        "digestion-1",
        "power-1",
    ]


def test_values_stay_within_the_limits_of_the_model(plant: Plant) -> None:
    """A day of the whole park, anode effects included."""
    park = Park(plant, NOON_MS, seed=1)
    potline: Any = park.stations[0]
    potline.obey(Command(Fault.UPSET, 3, 600))
    for _ in range(288):
        park.scan(park.ts_ms + 300_000)
        for station in park.stations:
            for path, value in station.model.values(station.state).items():
                tag = plant.tag(path)
                assert tag.low is None or value >= tag.low, path
                assert tag.high is None or value <= tag.high, path


def test_one_request_carries_a_whole_scan(plant: Plant) -> None:
    """The live registers of each PLC fit into the 125 that one Modbus request may ask for."""
    for station in Park(plant, NOON_MS, seed=1).stations:
        assert station.plc.spans[0][1] <= 125


def test_memory_outlives_a_restart(plant: Plant, tmp_path: Path) -> None:
    """Totalisers, taps and metal go on; the hours in between add nothing."""
    before = Park(plant, NOON_MS, seed=1, tap_every_s=10)
    run(before, 60)
    Memory(tmp_path / "plc.json").store(before.remember())

    hours_later = NOON_MS + 7_200_000
    after = Park(plant, hours_later, 1, 10, Memory(tmp_path / "plc.json").load())

    assert after.stations[0].plc.log[:7] == before.stations[0].plc.log
    assert after.totals()["smelter/potline-1"]["energy_kwh"] == pytest.approx(
        before.totals()["smelter/potline-1"]["energy_kwh"]
    )
    assert [value for path, value in _values(after).items() if path.endswith("/energy")] == [
        value for path, value in _values(before).items() if path.endswith("/energy")
    ]
    run(after, 60)
    assert after.stations[0].state.tap_number > before.stations[0].state.tap_number


def _values(park: Park) -> dict[str, float]:
    values: dict[str, float] = {}
    for station in park.stations:
        values |= station.model.values(station.state)
    return values


def test_memory_of_another_plant_is_refused(plant: Plant) -> None:
    """Says which PLC and what to do."""
    remembered = Park(plant, NOON_MS, seed=1).remember()

    with pytest.raises(ConfigError, match=r"--memory digestion-1.*remove the file"):
        Park(plant, NOON_MS, 1, memory={"digestion-1": remembered["power-1"]})


def test_a_changed_plant_refuses_its_old_memory(plant: Plant) -> None:
    """Twenty-five pots cannot take up the state of twenty-four."""
    text = (ROOT / "plants" / "pavlodar.toml").read_text(encoding="utf-8")
    greater = parse_plant(text.replace("pot-{001..024}", "pot-{001..025}"))

    with pytest.raises(ConfigError, match="--memory potline-1"):
        Park(greater, NOON_MS, 1, memory=Park(plant, NOON_MS, 1).remember())


def test_unreadable_memory_is_a_setting_at_fault(tmp_path: Path) -> None:
    """No traceback for a file that is no memory."""
    path = tmp_path / "plc.json"
    for text in ("{", "[]"):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError, match="--memory"):
            Memory(path).load()
    with pytest.raises(ConfigError, match="--memory"):
        Memory(tmp_path / "missing" / "plc.json").store({})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('type = "wind_farm"', 'type = "mill"', "one asset of type wind_farm"),
        ('value = 4800.0, unit = "kW"', 'value = 4.8, unit = "MW"', "needs it in kW"),
        ("modulus = 4294967296", "modulus = 1e12", "the register ends at 4294967296"),
        ('type = "inverter"', 'type = "box"', "list assets of type inverter"),
    ],
)
def test_a_plant_that_cannot_be_simulated(old: str, new: str, says: str) -> None:
    """Each error names what is missing."""
    text = (ROOT / "plants" / "pavlodar.toml").read_text(encoding="utf-8")
    assert old in text

    with pytest.raises(PlantError, match=says):
        Park(parse_plant(text.replace(old, new)), NOON_MS, seed=1)


def test_a_plant_with_nothing_to_simulate() -> None:
    """Says which types can be simulated."""
    text = """
    [site]
    name = "empty"
    title = "Empty"
    time_zone = "UTC"
    [[asset]]
    path = "office"
    level = "area"
    type = "office"
    """
    with pytest.raises(PlantError, match="potline, digestion, renewables"):
        Park(parse_plant(text), NOON_MS, seed=1)
