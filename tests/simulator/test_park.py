"""The park as a whole: same seed, same plant; what it remembers; what it asks of a plant model."""

from itertools import pairwise
from pathlib import Path

import pytest

from schemas.errors import ConfigError, PlantError
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from schemas.reading import Kind
from simulator.command import Command, Fault
from simulator.memory import Memory
from simulator.park import Park
from simulator.wiring import REQUEST
from tests.simulator.conftest import LINE, NOON_MS, ROOT, read, run, serving_unit


def images(park: Park) -> list[list[int]]:
    """The registers of all PLCs."""
    return [station.plc.image.tolist() for station in park.stations]


def after(park: Park, seconds: int) -> list[list[int]]:
    """The registers of all PLCs after so many scans."""
    run(park, seconds)
    return images(park)


def test_same_seed_same_plant(plant: Plant) -> None:
    """Every register of every PLC, for a minute; another seed is another plant."""
    assert after(Park(plant, NOON_MS, seed=7), 60) == after(Park(plant, NOON_MS, seed=7), 60)
    assert images(Park(plant, NOON_MS, seed=7)) != images(Park(plant, NOON_MS, seed=8))


def test_every_measured_tag_is_served_once(plant: Plant) -> None:
    """All tags of the model but the derived ones, events in the logs, the others as values."""
    park = Park(plant, NOON_MS, seed=1)
    points = [point.path for station in park.stations for point in station.plc.points]
    logged = [
        path for station in park.stations for ring in station.plc.rings for path in ring.log.paths
    ]

    measured = {path for path, tag in plant.tags.items() if tag.derivation is None}
    assert sorted(points + logged) == sorted(measured)
    assert set(logged) == {path for path in measured if plant.tag(path).kind is Kind.EVENT}


def test_registers_hold_what_the_processes_show(plant: Plant) -> None:
    """Decoded as a client does, bit for bit: the truth is summed from the same numbers."""
    park = Park(plant, NOON_MS, seed=3)
    run(park, 10)
    values = dict(zip(park.paths, park.values().tolist(), strict=True))

    for station in park.stations:
        for point in station.plc.points:
            assert station.plc.decode(point) == values[point.path], point.path


def test_values_stay_within_the_limits_of_the_model(plant: Plant) -> None:
    """Half a day of the whole park, anode effects included."""
    park = Park(plant, NOON_MS, seed=1)
    station, unit = serving_unit(park, f"{LINE}/pot-003")
    station.obey(Command(Fault.UPSET, unit, 600))
    for _ in range(72):
        run(park, 600, 600)
        for path, value in zip(park.paths, park.values().tolist(), strict=True):
            tag = plant.tags.get(path)
            if tag is not None:
                assert tag.low is None or value >= tag.low, (path, value)
                assert tag.high is None or value <= tag.high, (path, value)


def test_power_is_settled_among_all(plant: Plant) -> None:
    """Import - export = all loads + charge - generation - discharge, from what is served."""
    park = Park(plant, NOON_MS, seed=1)
    run(park, 60, 10)
    loads = (path for path in park.paths if path.endswith("/load"))
    units = (path for path in park.paths if path.endswith("/power") and "/dc" not in path)
    generated = sum(read(park, path) for path in units)
    battery = "power/battery-1"
    charged = read(park, f"{battery}/charge_power") - read(park, f"{battery}/discharge_power")
    drawn = read(park, "power/grid/import_power") - read(park, "power/grid/export_power")

    assert drawn == pytest.approx(sum(read(park, path) for path in loads) + charged - generated)


def test_one_request_carries_a_whole_scan(plant: Plant) -> None:
    """The live registers of each PLC fit into the 125 that one Modbus request may ask for."""
    for station in Park(plant, NOON_MS, seed=1).stations:
        assert station.plc.spans[0][1] <= REQUEST


def test_memory_outlives_a_restart(plant: Plant, tmp_path: Path) -> None:
    """Totalisers, taps and metal go on; the hours in between add nothing."""
    before = Park(plant, NOON_MS, seed=1, tap_every_s=10)
    run(before, 400)
    Memory(tmp_path / "plc.json").store(before.remember())

    hours_later = NOON_MS + 7_200_000
    again = Park(plant, hours_later, 1, 10, Memory(tmp_path / "plc.json").load())
    rings = [ring for station in before.stations for ring in station.plc.rings]
    kept = [ring for station in again.stations for ring in station.plc.rings]

    for ring, later in zip(rings, kept, strict=True):
        assert later.entries[: len(ring.entries)] == ring.entries
    for quantity, total in before.totals()[LINE].items():
        assert again.totals()[LINE][quantity] == pytest.approx(total, abs=500)
    for path in (f"{LINE}/pot-009/alumina_fed", "power/wind-1/wtg-01/energy"):
        assert read(again, path) == read(before, path)
    run(again, 400)
    numbers = [entry.number for entry in again.stations[0].plc.rings[0].entries]
    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) > len(before.stations[0].plc.rings[0].entries)


def test_noise_after_a_stop_is_of_whole_windows(plant: Plant) -> None:
    """A window that the stop has cut is not counted: unrest begins anew with the next one."""
    before = Park(plant, NOON_MS, seed=1)
    run(before, 90)
    again = Park(plant, NOON_MS + 600_000, 1, 300, before.remember())
    known = []
    for _ in range(5):
        known.append(again.totals()[f"{LINE}/pot-001"]["noise_fast_v_s"])
        run(again, 30)

    # The start is on a whole minute: the first window is whole after 60 s, and holds from then on.
    grown = [after_ - before_ for before_, after_ in pairwise(known)]
    assert grown[:2] == [0.0, 0.0]
    assert min(grown[2:]) > 0


def test_memory_of_another_plant_is_refused(plant: Plant) -> None:
    """Says which part and what to do."""
    remembered = Park(plant, NOON_MS, seed=1).remember()

    for wrong in (
        {**remembered, "refinery": remembered["wind"]},
        {**remembered, "refinery-1-plc-1": remembered["potline-1-plc-1"]},
        {name: state for name, state in remembered.items() if name != "wind"},
        {**remembered, LINE: [1, 2]},
    ):
        with pytest.raises(ConfigError, match=r"--memory .*remove the file"):
            Park(plant, NOON_MS, 1, memory=wrong)


def test_a_changed_plant_refuses_its_old_memory(plant: Plant) -> None:
    """Twenty-five pots cannot take up the state of twenty-four."""
    text = (ROOT / "plants" / "pavlodar.toml").read_text(encoding="utf-8")
    greater = parse_plant(text.replace("pot-{001..024}", "pot-{001..025}"))

    with pytest.raises(ConfigError, match="--memory smelter/potline-1"):
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
        ('value = 4800.0, unit = "kW"', 'value = 4.8, unit = "MW"', "needs it in kW"),
        ("modulus = 4294967296", "modulus = 1e12", "the register ends at 4294967296"),
        ("[template.turbine.power]", "[template.turbine.pitch]", "nothing simulates it"),
    ],
)
def test_a_plant_that_cannot_be_simulated(old: str, new: str, says: str) -> None:
    """Each error names what is missing."""
    text = (ROOT / "plants" / "pavlodar.toml").read_text(encoding="utf-8")
    assert old in text
    if "pitch" in new:
        # What is computed from the power would miss it first.
        for lost in ("power_unavailable", "power_curtailed"):
            head, _, rest = text.partition(f"[template.turbine.{lost}]")
            text = head + rest.partition("\n\n")[2]

    with pytest.raises(PlantError, match=says):
        Park(parse_plant(text.replace(old, new)), NOON_MS, seed=1)


def test_a_part_of_a_park_is_a_park() -> None:
    """A single wind farm without masts, grid or anything else is simulated as well."""
    text = """
    [site]
    name = "farm"
    title = "Farm"
    time_zone = "UTC"
    [[asset]]
    path = "wind"
    level = "line"
    type = "wind_farm"
    [[asset]]
    path = "wind/wtg-{1..2}"
    level = "unit"
    type = "turbine"
    template = "turbine"
    ratings.power = { value = 2050.0, unit = "kW" }
    [template.turbine]
    power = { title = "Power", unit = "kW", kind = "gauge", stale_after_s = 60 }
    """
    park = Park(parse_plant(text), NOON_MS, seed=1)
    run(park, 5)

    assert [station.plc.name for station in park.stations] == ["wind-1-plc-1"]
    assert read(park, "wind/wtg-2/power") <= 2050


def test_a_plant_with_nothing_to_simulate() -> None:
    """Says what can be simulated."""
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
    with pytest.raises(PlantError, match="potline, a refinery, turbines"):
        Park(parse_plant(text), NOON_MS, seed=1)
