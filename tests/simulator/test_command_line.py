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

from simulator.ledger import read_served, read_truth
from simulator.plc import CLOCK
from tests.fixtures.until import until
from tests.simulator.conftest import ROOT

RUN = [sys.executable, "-m", "simulator", "run", "--host", "127.0.0.1"]
READY = re.compile(r"(\S+) Modbus TCP 127\.0\.0\.1:(\d+), (\d+) tags\n")


@contextmanager
def simulator(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    """A running simulator on free ports, and the port of each PLC."""
    with subprocess.Popen(
        [*RUN, "--port", "0", *options], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            ready = [READY.fullmatch(process.stdout.readline()) for _ in range(3)]
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
        assert list(ports) == ["potline-1", "digestion-1", "power-1"]
        first = clock_ms(ports["potline-1"])
        until(lambda: clock_ms(ports["potline-1"]) > first, "the next scan")
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
    with simulator("--ledger", str(ledger), "--memory", str(memory)) as (process, ports):
        until(memory.exists, "a first scan")
        with ModbusTcpClient("127.0.0.1", port=ports["digestion-1"], timeout=10) as client:
            words = client.read_input_registers(0, count=19, device_id=1).registers
        process.kill()
    served = read_served(ledger)

    assert len(served) == 8
    assert {ts_ms for _, ts_ms in served} == {CLOCK.decode(words[:4])}
    with simulator("--memory", str(memory)) as (_, ports):
        assert len(ports) == 3


def test_a_busy_port_ends_with_exit_code_2() -> None:
    """One line that says which port and what to do, no traceback."""
    with simulator() as (_, ports):
        busy = ports["potline-1"]
        failed = subprocess.run(
            [*RUN, "--port", str(busy)], cwd=ROOT, capture_output=True, text=True, check=False
        )

    assert failed.returncode == 2
    assert failed.stderr.count("\n") == 1
    assert "ConfigError: address of potline-1" in failed.stderr
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
    assert len(table.splitlines()) == 73 + 8 + 41
    assert "potline-1\t6\tfloat32\t1\tsmelter/potline-1/pot-001/voltage\n" in table
