"""What ingest says of itself, read all the time while a scenario runs.

The page is scraped some ten times a second. Each answer is of one instant, and in each the counter
identity has to hold for every source: that is the check which every scenario makes.
"""

import http.client
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

_PREFIX: Final = "ertis_ingest_readings_"
FATES: Final = ("stored", "duplicate", "conflicting", "dead_letter", "in_flight")
Tallies = Mapping[str, Counter[str]]
"""Readings by source and column."""


def fetch(port: int, page: str) -> str:
    """A page of ingest's health server.

    Raises
    ------
    OSError
        Nobody answers.
    """
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", page)
        return connection.getresponse().read().decode()
    except http.client.HTTPException as error:
        raise ConnectionError(f"{page} broke off") from error
    finally:
        connection.close()


def tallies(page: str) -> Tallies:
    """The columns of each source."""
    found: dict[str, Counter[str]] = {}
    for family in text_string_to_metric_families(page):
        if family.name.startswith(_PREFIX):
            for sample in family.samples:
                column = family.name.removeprefix(_PREFIX)
                found.setdefault(sample.labels["source"], Counter())[column] = int(sample.value)
    return found


def sample(port: int, name: str) -> float | None:
    """The first value of a metric; None where it is not shown or nobody answers."""
    try:
        page = fetch(port, "/metrics")
    except OSError:
        return None
    return next(
        (
            sample.value
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == name
        ),
        None,
    )


def unbalanced(page: str) -> list[str]:
    """The sources whose identity is broken, with their columns."""
    return [
        f"{source}: {dict(tally)}"
        for source, tally in tallies(page).items()
        if tally["received"] != sum(tally[fate] for fate in FATES)
    ]


@dataclass
class Watch:
    """Reads /metrics on *port* until closed, through all lives of the process behind it."""

    port: int
    scrapes: int = 0
    broken: list[str] = field(default_factory=list)
    peak_mb: float = 0.0
    peak_buffer: int = 0

    def __post_init__(self) -> None:
        self._pid = 0
        self._lives: dict[int, Tallies] = {}
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="watch")
        self._thread.start()

    def lives(self, pid: int) -> None:
        """Process *pid* answers from now on."""
        self._pid = pid

    def close(self) -> None:
        """Read no more."""
        self._closed.set()
        self._thread.join()

    def look(self) -> Tallies:
        """Read now; what was never counted has no source."""
        with self._lock:
            pid = self._pid
            page = fetch(self.port, "/metrics")
            self.scrapes += 1
            self.broken += unbalanced(page)
            self._lives[pid] = tallies(page)
            self.peak_buffer = max(self.peak_buffer, _buffered(page))
            self.peak_mb = max(self.peak_mb, _peak_mb(pid))
            return self._lives[pid]

    def total(self) -> Counter[str]:
        """All sources and lives together, as last seen of each."""
        total: Counter[str] = Counter()
        for life in self._lives.values():
            for tally in life.values():
                total.update(tally)
        return total

    def _run(self) -> None:
        while not self._closed.wait(0.1):
            try:
                self.look()
            except OSError:
                continue  # it is dead, or not there yet


def _buffered(page: str) -> int:
    """What waits for the database in memory [B]."""
    return max(
        (
            int(sample.value)
            for family in text_string_to_metric_families(page)
            for sample in family.samples
            if sample.name == "ertis_ingest_waiting_bytes" and sample.labels["place"] == "buffer"
        ),
        default=0,
    )


def _peak_mb(pid: int) -> float:
    """The most memory that a process ever held [MB]; 0 if it is gone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next(
        (int(line.split()[1]) * 1024 / 1e6 for line in lines if line.startswith("VmHWM")), 0.0
    )
