"""An agent in a process of its own, a PLC that scans when told to, and what a host has seen."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Self
from urllib.request import urlopen

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.edge.host import Host, Ledger
from tests.edge.plc import INPUT, Plc, words
from tests.fixtures.until import until

CURRENT = "line/current"
#: For what does not depend on the broker.
one_broker = pytest.mark.parametrize("broker", ["embedded"], indirect=True)


class Process:
    """``python -m edge run`` in a process of its own."""

    def __init__(
        self, folder: Path, config: Path, port: int, *options: str, **environment: str
    ) -> None:
        self.folder = folder
        self._command = [
            *(sys.executable, "-m", "edge", "run", "--config", str(config)),
            *("--data-dir", str(folder / "data"), *options),
        ]
        self._env = os.environ | {"MQTT_PORT": str(port)} | environment
        self._child: subprocess.Popen[bytes] | None = None

    def start(self) -> Self:
        """Start it (again)."""
        with (self.folder / "edge.log").open("ab") as log:
            self._child = subprocess.Popen(self._command, stderr=log, env=self._env)
        return self

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal; its exit code."""
        assert self._child is not None
        self._child.send_signal(number)
        return self._child.wait(20)

    def hang_up(self) -> None:
        """Have it read its file again."""
        assert self._child is not None
        self._child.send_signal(signal.SIGHUP)

    @property
    def log(self) -> str:
        """Everything that it said."""
        return (self.folder / "edge.log").read_text()

    def close(self) -> None:
        """Whatever is left of it."""
        if self._child is not None and self._child.poll() is None:
            self._child.kill()
            self._child.wait()


class Clock:
    """Lets the PLC scan: at each step its time and its current are one more."""

    def __init__(self, plc: Plc) -> None:
        self.plc = plc
        self.step = 0

    def scan(self) -> int:
        """One scan; its number, which is its value."""
        self.step += 1
        image = words("Qffff", 1_000_000 + self.step, float(self.step), 4.0, 4.0, 4.0)
        self.plc.set(INPUT, 0, image)
        until(lambda: self.plc.tables[INPUT][: len(image)] == image, "the PLC to scan")
        seen = len(self.plc.requests)
        until(lambda: not self.listening or len(self.plc.requests) > seen + 4, "the agent to scan")
        return self.step

    listening = True


def values(ledger: Ledger, tag: str = CURRENT) -> set[float]:
    """The values of a tag that arrived."""
    return {reading.value for reading in ledger.readings if reading.tag == tag and reading.value}


def wait_values(host: Host, wanted: set[float], tag: str = CURRENT) -> None:
    """Wait until all of *wanted* have arrived."""
    until(lambda: host.look(lambda ledger: wanted <= values(ledger, tag)), f"{tag} in {wanted}")


def scrape(port: int) -> dict[str, float]:
    """The agent's counters, summed over devices."""
    with urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
        text = answer.read().decode()
    counts: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            name = sample.name.removeprefix("ertis_edge_")
            counts[name] = counts.get(name, 0.0) + sample.value
    return counts


def tap(plc: Plc, number: int, amount: float) -> None:
    """Write one event of pot 1, then the head."""
    plc.set(INPUT, 102 + (number - 1) % 4 * 8, words("IHHIf", number, 0, 0, number, amount))
    plc.set(INPUT, 100, words("I", number))
