"""What a park consists of."""

from dataclasses import replace
from pathlib import Path

import pytest

from schemas.errors import ConfigError
from schemas.plant.file import load_plant
from simulator.wiring import wire
from standalone.data_dir import DataDir
from standalone.plan import Options, Plan, find_agents

PLANT = Path(__file__).parents[2] / "plants" / "pavlodar.toml"


@pytest.fixture
def options(tmp_path: Path) -> Options:
    """Options as given on a command line with nothing but a directory."""
    return Options(tmp_path, PLANT, port=8000, mqtt_port=1883, plc_port=5020, simulator=True)


def plan(options: Options) -> dict[str, str]:
    """The arguments of each service by its name, in the order of the start."""
    found = Plan(options, find_agents(PLANT), DataDir(options.data_dir)).stages("dsn")
    return {service.name: " ".join(service.arguments) for stage in found for service in stage}


def test_agents_start_last(options: Options) -> None:
    """The agents find the PLCs ready, and end first: a stopped PLC would leave bad readings."""
    assert list(plan(options)) == [
        "api",
        "ingest",
        "simulator",
        "edge-potline-1",
        "edge-power-1",
        "edge-refinery-1",
    ]


def test_agents_follow_the_simulator_to_its_ports(options: Options) -> None:
    """With another PLC port each agent is told where its own PLC stands."""
    moved = plan(replace(options, plc_port=15020))

    for place, plc in enumerate(wire(load_plant(PLANT))):
        source = f"--source {plc.name}=127.0.0.1:{15020 + place}"
        assert source in moved[f"edge-{plc.agent}"]


def test_agents_without_simulator_read_their_own_plcs(options: Options) -> None:
    """Without the simulator the files alone say where the PLCs are, and no port is needed."""
    real = replace(options, simulator=False)

    assert "simulator" not in plan(real)
    assert "--source" not in plan(real)["edge-potline-1"]
    assert real.ports(find_agents(PLANT).values())["--plc-port"] == ()


def test_no_port_is_wanted_twice(options: Options) -> None:
    """The defaults leave room for everything that runs."""
    agents = find_agents(PLANT).values()
    wanted = [port for ports in options.ports(agents).values() for port in ports]

    assert len(wanted) == len(set(wanted)) == 7 + len(wire(load_plant(PLANT)))


def test_a_park_without_agents_has_no_simulator(options: Options, tmp_path: Path) -> None:
    """Nobody would read its PLCs: the readings of La Haute Borne come from files."""
    plan = Plan(options, find_agents(tmp_path / "none.toml"), DataDir(options.data_dir))

    assert {service.name for stage in plan.stages("dsn") for service in stage} == {"api", "ingest"}


def test_other_files_are_no_agents(tmp_path: Path) -> None:
    """A file that does not scan, such as that of a replay, is not started."""
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "replay.toml").write_text("[node]\n[[export]]\n")

    assert find_agents(tmp_path / "plant.toml") == {}


def test_unreadable_agent_is_the_operators_error(tmp_path: Path) -> None:
    """A slip in a file is told with its name before anything starts."""
    (tmp_path / "plant").mkdir()
    (tmp_path / "plant" / "slip.toml").write_text("[node\n")

    with pytest.raises(ConfigError, match=r"slip\.toml"):
        find_agents(tmp_path / "plant.toml")
