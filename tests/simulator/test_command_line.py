"""``python -m simulator`` as a process."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pymodbus.client import ModbusTcpClient

from schemas.plant.file import load_plant
from simulator.ledger import read_served, read_truth
from simulator.wiring import CLOCK, wire
from tests.fixtures.until import until
from tests.simulator.conftest import ROOT

POTLINE = "potline-1-plc-1"
RUN = [sys.executable, "-m", "simulator", "run", "--host", "127.0.0.1"]
WIRED = wire(load_plant(ROOT / "plants" / "pavlodar.toml"))
READY = re.compile(r"(\S+) Modbus TCP 127\.0\.0\.1:(\d+), (\d+) tags\n")


@contextmanager
def simulator(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A running simulator on free ports, and the port of each PLC."""
    with subprocess.Popen(
        [*RUN, "--port", "0", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = [READY.fullmatch(process.stdout.readline()) for _ in WIRED]
            yield process, {found[1]: int(found[2]) for found in ready if found}
        finally:
            process.kill()


def clock_ms(port: int) -> int:
    """The time of the scan that the PLC at *port* shows."""
    with ModbusTcpClient("127.0.0.1", port=port, timeout=10) as client:
        return round(CLOCK.decode(client.read_input_registers(0, count=4, device_id=1).registers))


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_runs_until_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    """Scans on whole seconds, writes ledger and memory, ends cleanly with exit code 0."""
    ledger, memory = tmp_path / "ledger", tmp_path / "plc.json"
    with simulator("--ledger", str(ledger), "--memory", str(memory)) as (process, ports):
        assert list(ports) == [wiring.name for wiring in WIRED]
        first = clock_ms(ports[POTLINE])
        until(lambda: clock_ms(ports[POTLINE]) > first, "the next scan")
        process.send_signal(number)

        assert process.wait(10) == 0
    truth = read_truth(ledger)
    assert first % 1000 == 0
    assert [scan.ts_ms for scan in truth] == [
        truth[0].ts_ms + place * 1000 for place in range(len(truth))
    ]
    assert truth[0].totals["smelter/potline-1"]["energy_kwh"] == 0
    assert truth[-1].totals["smelter/potline-1"]["energy_kwh"] > 0
    assert read_served(ledger) == {}
    assert memory.exists()


def test_a_kill_leaves_ledger_and_memory_whole(tmp_path: Path) -> None:
    """After SIGKILL the ledger still holds what was served, and the plant starts where it was."""
    ledger, memory = tmp_path / "ledger", tmp_path / "plc.json"
    wiring = next(wiring for wiring in WIRED if wiring.agent == "refinery-1")
    with simulator("--ledger", str(ledger), "--memory", str(memory)) as (process, ports):
        until(memory.exists, "a first scan")
        with ModbusTcpClient("127.0.0.1", port=ports[wiring.name], timeout=10) as client:
            count = wiring.points[-1].end
            words = client.read_input_registers(0, count=count, device_id=1).registers
        process.kill()
    served = read_served(ledger)

    assert len(served) == wiring.tags
    assert {ts_ms for _, ts_ms in served} == {CLOCK.decode(words[:4])}
    with simulator("--memory", str(memory)) as (_, ports):
        assert len(ports) == len(WIRED)


def test_a_busy_port_ends_with_exit_code_2() -> None:
    """One line that says which port and what to do, no traceback."""
    with simulator() as (_, ports):
        busy = ports[POTLINE]
        failed = subprocess.run(
            [*RUN, "--port", str(busy)], cwd=ROOT, capture_output=True, text=True, check=False
        )

    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert f"ConfigError: address of {POTLINE}" in failed.stderr
    assert f"127.0.0.1:{busy}" in failed.stderr
    assert "another --port" in failed.stderr


def test_a_missing_plant_ends_with_exit_code_2() -> None:
    """The file is named."""
    failed = subprocess.run(
        [*RUN, "--plant", "nowhere.toml"], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert failed.returncode == 2
    assert "nowhere.toml" in failed.stderr


def test_help_teaches_the_faults_and_the_registers() -> None:
    """What a newcomer needs stands in the help; the register table lists every tag."""
    told = subprocess.run(
        [sys.executable, "-m", "simulator", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    table = subprocess.run(
        [sys.executable, "-m", "simulator", "registers"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert "Holding registers 0 to 2" in told
    assert len(table.splitlines()) == sum(wiring.tags for wiring in WIRED)
    assert f"{POTLINE}\t5\t16\tfloat32\t1\tsmelter/potline-1/pot-001/voltage\n" in table
    assert f"{POTLINE}\t5\t1000\tlog place 0\t1\tsmelter/potline-1/pot-001/metal_tapped\n" in table


def test_a_scale_or_a_plant(tmp_path: Path) -> None:
    """``--scale`` stands for a plant of that scale; with ``--plant`` it is refused."""
    command = [sys.executable, "-m", "simulator"]
    table = subprocess.run(
        [*command, "registers", "--scale", "0.05"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    both = subprocess.run(
        [*command, "registers", "--scale", "0.05", "--plant", "plants/pavlodar.toml"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert "power/solar-1/inv-67/power" in table
    assert both.returncode == 2
    assert "--plant is a park of its own" in both.stderr


def test_a_park_is_written(tmp_path: Path) -> None:
    """The files are named, and a folder that cannot be is an error of the operator."""
    command = [sys.executable, "-m", "simulator", "park", "--scale", "0.05", "--into"]
    told = subprocess.run(
        [*command, str(tmp_path / "park")], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout
    (tmp_path / "file").touch()
    failed = subprocess.run(
        [*command, str(tmp_path / "file")], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert all(Path(line).is_file() for line in told.splitlines())
    assert told.splitlines()[0] == str(tmp_path / "park" / "pavlodar.toml")
    assert failed.returncode == 2
    assert "--into" in failed.stderr
