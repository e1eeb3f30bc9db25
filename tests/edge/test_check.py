"""``python -m edge check`` and ``scan`` as an engineer runs them, against a real PLC."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from edge.config import load_config
from edge.draft import Place, write_draft
from schemas.errors import ConfigError
from tests.edge.files import write_agent
from tests.edge.plc import COIL, HOLDING, INPUT, Plc, words
from tests.edge.sources.opcua_server import OpcUaServer
from tests.fixtures.ports import free_port
from tests.fixtures.until import until


def edge(*words: str, environment: Mapping[str, str] | None = None) -> tuple[int, str, str]:
    """Exit code, output and errors of ``python -m edge``."""
    done = subprocess.run(
        [sys.executable, "-m", "edge", *words],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env=None if environment is None else {"PATH": "", **environment},
    )
    return done.returncode, done.stdout, done.stderr


def put(plc: Plc, table: int, address: int, values: list[int]) -> None:
    """Set registers and wait until they are."""
    plc.set(table, address, values)
    until(lambda: plc.tables[table][address : address + len(values)] == values, "registers")


def row(output: str, tag: str) -> list[str]:
    """The cells of the row of *tag*."""
    (line,) = [line for line in output.splitlines() if f" {tag} " in line]
    return [cell.strip() for cell in line.split("│")[1:-1]]


def test_check_shows_every_tag(tmp_path: Path, plc: Plc) -> None:
    """Path, address, value, unit, quality and time of each; 0 where all are good."""
    put(plc, INPUT, 0, words("Qffff", 1_700_000_000_000, 101.5, 4.1, 4.2, 4.3))

    code, output, errors = edge("check", "--config", str(write_agent(tmp_path, plc.port)))

    assert (code, errors) == (0, "")
    assert row(output, "line/current") == [
        *("plc", "line/current", "input 4 float32", "101.5", "kA", "good"),
        *("2023-11-14T22:13:20.000+00:00", ""),
    ]
    assert row(output, "line/pot-3/tapped")[3:6] == ["0", "kg", "good"]
    assert output.splitlines()[-1] == "plc: 7 of 7 tags good"


def test_check_names_the_tag_that_is_refused(tmp_path: Path, plc: Plc) -> None:
    """An address that the PLC does not have is that tag's fault alone: exit code 1."""
    path = write_agent(tmp_path, plc.port, {"address = 6": "address = 60"})
    plc.missing = {60, 61, 62, 63, 64, 65}

    code, output, _ = edge("check", "--config", str(path))

    assert code == 1
    assert row(output, "line/pot-1/voltage")[5:] == [
        "bad",
        row(output, "line/pot-1/voltage")[6],
        "refused, or no number",
    ]
    assert row(output, "line/current")[5] == "good"
    assert output.splitlines()[-1] == "plc: 4 of 7 tags good"


def test_check_says_why_a_device_shows_nothing(tmp_path: Path) -> None:
    """Nobody listens: each tag says so, exit code 69."""
    code, output, _ = edge("check", "--config", str(write_agent(tmp_path, free_port())))

    assert code == 69
    assert "no connection" in row(output, "line/current")[-1]


def test_check_refuses_a_wrong_environment(tmp_path: Path, plc: Plc) -> None:
    """A broker port that is no number: exit code 2 before anything is read."""
    path = write_agent(tmp_path, plc.port)

    code, output, errors = edge("check", "--config", str(path), environment={"MQTT_PORT": "x"})

    assert (code, output) == (2, "")
    assert "MQTT_PORT" in errors
    assert not plc.requests


def test_scan_finds_what_answers_and_writes_a_file_that_loads(tmp_path: Path, plc: Plc) -> None:
    """Registers 4 to 9 as floats, the coils; what is refused is left out; the file can be run."""
    put(plc, INPUT, 4, words("fff", 101.5, 4.1, 4.2))
    put(plc, HOLDING, 3, [7])
    put(plc, COIL, 0, [1])
    plc.missing = {0, 1, 2, *range(10, 200)}
    into = tmp_path / "found.toml"

    code, output, errors = edge(
        *("scan", f"modbus://127.0.0.1:{plc.port}", "--last", "150", "--into", str(into))
    )

    assert (code, errors) == (0, "")
    assert "unit 1: input 3 to 9" in output
    assert "1 input 4 = 101.5" in output
    assert "1 holding 3 = 7" in output
    (device,) = load_config(into).devices
    assert "plc/input_4" in device.paths
    code, shown, _ = edge("check", "--config", str(into))
    assert code == 0
    assert row(shown, "plc/input_4")[2:4] == ["input 4 float32", "101.5"]


@pytest.mark.parametrize("address", ["127.0.0.1:502", "opcua://plc", "modbus:///x"])
def test_scan_wants_an_address_of_modbus(address: str) -> None:
    """One line that says how to write it."""
    code, _, errors = edge("scan", address)

    assert code == 2
    assert "write modbus://HOST:PORT" in errors


def test_scan_says_that_nobody_is_there() -> None:
    """Exit code 69."""
    assert edge("scan", f"modbus://127.0.0.1:{free_port()}")[0] == 69


def test_a_draft_overwrites_nothing(tmp_path: Path) -> None:
    """Neither the file nor its plant."""
    (tmp_path / "a-plant.toml").write_text("mine")

    with pytest.raises(ConfigError, match="it is there already"):
        write_draft(tmp_path / "a.toml", "plc", {"type": "modbus"}, [Place("x", {})])
    assert not (tmp_path / "a.toml").exists()


def test_names_of_a_draft_are_words_of_a_plant(tmp_path: Path) -> None:
    """Any browse name becomes a measure; two that would be one are told apart."""
    names = ["Kessel 1/Druck (bar)", "kessel-1/druck_bar", "Температура", "Kessel 1/Druck [bar]"]
    keys = {"table": "input", "type": "uint16"}
    places = [Place(name, {**keys, "address": at}) for at, name in enumerate(names)]

    into = tmp_path / "a.toml"
    write_draft(into, "Boiler PLC", {"type": "modbus", "host": "h"}, places)

    (device,) = load_config(into).devices
    assert device.paths == [
        "boiler_plc/kessel_1_druck_bar",
        "boiler_plc/kessel-1_druck_bar",
        "boiler_plc/x",
        "boiler_plc/kessel_1_druck_bar_2",
    ]


def test_browse_lists_an_opcua_server_and_writes_a_file_that_loads(tmp_path: Path) -> None:
    """Each variable with its node and value; the file that is written reads them."""
    into = tmp_path / "server.toml"
    with OpcUaServer(2) as server:
        server.write(1, 4.5, second=7)
        url = server.url.replace("opc.tcp", "opcua")
        code, output, errors = edge("browse", url, "--into", str(into))
        checked = edge("check", "--config", str(into))

    assert (code, errors) == (0, "")
    assert "ns=2;s=v1 line/v1 = 4.5" in output
    assert checked[0] == 0
    assert row(checked[1], "server/line_v1")[2:7] == [
        *("ns=2;s=v1", "4.5", "1", "good"),
        "2026-01-02T03:04:07.000+00:00",
    ]


def test_browse_wants_an_address_of_opcua() -> None:
    """One line that says how to write it."""
    code, _, errors = edge("browse", "modbus://plc")

    assert code == 2
    assert "write opcua://HOST:PORT" in errors
