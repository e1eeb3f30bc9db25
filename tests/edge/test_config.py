"""The agent's file: what is in it, and what is said about what must not be."""

from pathlib import Path

import pytest

from edge.config import load_config
from edge.exception import Rule
from edge.sources.modbus.registers import Table
from schemas.errors import ConfigError
from tests.edge.files import modbus, write_agent

EXAMPLES = sorted(Path("plants/pavlodar").glob("*.toml"))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_examples_load(path: Path) -> None:
    """Every agent of the plant that ships is complete and names tags that exist."""
    config = load_config(path)

    assert config.node.group == "pavlodar"
    assert all(device.paths for device in config.devices)


def test_ranges_get_an_address_each_and_the_rules_of_the_plant(tmp_path: Path) -> None:
    """Three pots at a stride of their width; deadband and silence from plant or file."""
    device = modbus(load_config(write_agent(tmp_path)).devices[0])

    assert [(point.path, point.address) for point in device.points] == [
        ("line/current", 4),
        ("line/pot-1/voltage", 6),
        ("line/pot-2/voltage", 8),
        ("line/pot-3/voltage", 10),
    ]
    assert device.rules["line/current"] == Rule(0.0, 0)
    assert device.clock is not None
    assert device.logs[0].paths == ("line/pot-1/tapped", "line/pot-2/tapped", "line/pot-3/tapped")


def test_what_the_file_leaves_out_comes_from_the_plant(tmp_path: Path) -> None:
    """Deadband as is, maximum silence a third of stale_after; linear tags keep their corners."""
    path = write_agent(
        tmp_path,
        changes={
            "deadband = 0.0\nmax_silence_s = 0": "",
            "line/pot-{1..3}/voltage": "line/temperature",
        },
    )

    device = modbus(load_config(path).devices[0])

    assert device.rules["line/current"] == Rule(0.5, 20_000)
    assert device.rules["line/temperature"].linear


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ("deadband_percent = 2.5", Rule(2.5, 20_000, linear=True)),
        ("swinging_door = 0.4", Rule(0.0, 20_000, linear=True, deviation=0.4)),
        ("swinging_door = 0.4\nmax_silence_s = 30", Rule(0.0, 30_000, True, 0.4)),  # noqa: FBT003
    ],
)
def test_a_tag_is_reported_by_percent_of_its_range_or_a_door(
    tmp_path: Path, given: str, rule: Rule
) -> None:
    """2.5 % of 900 to 1000 degC; a door of 0.4 degC."""
    changes = {
        "line/current": "line/temperature",
        "deadband = 0.0\nmax_silence_s = 0": given,
    }

    (device,) = load_config(write_agent(tmp_path, changes=changes)).devices

    assert device.rules["line/temperature"] == rule


def test_addresses_can_be_named_on_the_command_line(tmp_path: Path) -> None:
    """--source replaces host and port of its device alone."""
    device = modbus(load_config(write_agent(tmp_path), {"plc": ("10.0.0.9", 5021)}).devices[0])

    assert (device.table.host, device.table.port) == ("10.0.0.9", 5021)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"[node]": "[nod]"}, "nod.*did you mean 'node'"),
        ({"scan_s": "scan"}, "agent.toml: source.0.scan.*did you mean 'scan_s'"),
        ({"address = 4": "adress = 4"}, "source.0.tag.0.adress.*did you mean 'address'"),
        ({"plant.toml": "plan.toml"}, "plan.toml.*name a readable file"),
        ({"line/current": "line/curent"}, "tag.0.path.*'line/curent'.*did you mean 'line/current'"),
        ({"line/current": "line/pot-1/power"}, "computed from other tags"),
        ({'"float32"\ndeadband': '"float23"\ndeadband'}, "float23.*'float32'"),
        ({'type = "float32"\ndeadband': "deadband"}, "say what the registers hold"),
        ({"address = 6": "address = 6\nstride = 1"}, "stride.*takes 2 registers"),
        ({"address = 6": "address = 65532"}, "its range ends at 65537"),
        (
            {'table = "input"\naddress = 4': 'table = "coil"\naddress = 4'},
            "a coil holds bool alone",
        ),
        ({"line/pot-{1..3}/voltage": "line/current"}, "listed twice"),
        ({"address = 4": "address = 4\nbit = 3"}, "bits are of uint16"),
        (
            {'address = 4\ntype = "float32"': 'address = 4\ntype = "uint16"\nbits = [3, 16]'},
            "within 0 to 15 of a uint16",
        ),
        (
            {'4\ntype = "float32"': '4\ntype = "uint16"\nbit = 1\nbits = [0, 1]'},
            "bit is given too",
        ),
        ({"line/pot-{1..3}/tapped": "line/pot-{1..3}/effect"}, "its kind is state"),
        ({"entries = 4": "entries = 8190"}, "the ring ends at"),
        ({"scan_s = 0.05": "scan_s = 0"}, "source.0.scan_s: found 0; .*greater than 0"),
        ({'group = "site"': 'group = "si/te"'}, "node.group"),
        ({"plant =": "plant"}, "not TOML"),
        ({"deadband = 0.0": "deadband_percent = 1"}, "line/current has no limits"),
        ({"deadband = 0.0": "swinging_door = 1"}, "line/current holds its value between readings"),
        ({"deadband = 0.0": "deadband = 1\nswinging_door = 1"}, "keep one of deadband, deadband_p"),
    ],
)
def test_a_wrong_file_says_key_value_and_what_would_be_right(
    tmp_path: Path, change: dict[str, str], message: str
) -> None:
    """Each fault is a ConfigError that an operator can act on."""
    with pytest.raises(ConfigError, match=message):
        load_config(write_agent(tmp_path, changes=change))


def test_an_unknown_device_on_the_command_line_is_refused(tmp_path: Path) -> None:
    """It names the devices that there are."""
    with pytest.raises(ConfigError, match=r"--source: found 'plk'; agent.toml has the devices plc"):
        load_config(write_agent(tmp_path), {"plk": ("h", 1)})


def test_a_device_is_one_source(tmp_path: Path) -> None:
    """Two sources of one device would be born and die on their own."""
    path = write_agent(tmp_path)
    text = path.read_text()
    path.write_text(text + text[text.index("[[source]]") :].split("[[source.tag]]")[0])

    with pytest.raises(ConfigError, match=r"source.device: found 'plc'; it is listed twice"):
        load_config(path)


def test_coils_are_bits(tmp_path: Path) -> None:
    """In the tables of bits the type is bool, and it need not be said."""
    path = write_agent(
        tmp_path,
        changes={'table = "input"\naddress = 4\ntype = "float32"': 'table = "coil"\naddress = 4'},
    )

    device = modbus(load_config(path).devices[0])

    assert device.points[0].table is Table.COIL


def test_the_file_in_the_documents_loads(tmp_path: Path) -> None:
    """docs/architecture.md shows every key, and shows it as it is read."""
    text = Path("docs/architecture.md").read_text()
    shown = text[text.index("### edge") :].split("```toml\n")[1].split("```")[0]
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "agent.toml").write_text(shown)
    (tmp_path / "pavlodar.toml").write_text(Path("plants/pavlodar.toml").read_text())

    device = modbus(load_config(tmp_path / "agents" / "agent.toml").devices[0])

    assert len(device.points) == 24
    assert len(device.logs[0].paths) == 24
