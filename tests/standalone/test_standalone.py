"""``python -m standalone`` as a user meets it: real processes, from the first start to the last."""

import os
import re
import signal
import socket
import subprocess
import tempfile
import urllib.parse
import urllib.request
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest

from tests.fixtures.standalone import (
    COMMAND,
    END_WITHIN_S,
    PLCS,
    ROOT,
    Standalone,
    free_row,
)
from tests.fixtures.until import until

#: What every park runs, as its table names it.
SERVICES = {
    *("database", "broker", "api", "ingest", "simulator"),
    *("edge-potline-1", "edge-power-1", "edge-refinery-1"),
}

pytestmark = pytest.mark.e2e


def alive(folder: Path) -> list[str]:
    """The processes that have *folder* on their command line."""
    found = []
    for process in psutil.process_iter(["cmdline", "pid"]):
        line = " ".join(process.info["cmdline"] or ())
        if str(folder) in line and process.pid != os.getpid():
            found.append(line)
    return found


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """A folder outside of pytest's own, which the account of the database cannot pass."""
    with tempfile.TemporaryDirectory(prefix="ertis-test-") as made:
        yield Path(made)


@pytest.fixture(scope="module")
def folder(home: Path) -> Path:
    """One data directory for the park's whole life."""
    return home / "data"


@pytest.fixture(scope="module")
def park(folder: Path) -> Iterator[Standalone]:
    """The first start on the directory."""
    started = Standalone.start(folder)
    yield started
    if started.runs:
        started.kill()


def test_table_names_what_runs(park: Standalone) -> None:
    """Each line of the table is a live process, and each has its log."""
    assert park.pids.keys() >= SERVICES
    assert all(psutil.pid_exists(pid) for pid in park.pids.values())


def test_live_kpi_answers_and_moves(park: Standalone) -> None:
    """The KPI has a value within 30 s of the table, and another one soon after."""
    first = until(park.productivity, "a value", 30.0)

    assert 40 < first < 120
    until(lambda: park.productivity() not in {0.0, first}, "another value", 30.0)


def test_printed_urls_answer(park: Standalone) -> None:
    """Every address that is shown can be opened."""
    urls = re.findall(r"http://\S+", park.text)

    assert len(urls) >= 7
    for url in urls:
        path = url if urllib.parse.urlsplit(url).path else f"{url}/health/ready"
        with urllib.request.urlopen(path, timeout=30) as answer:  # noqa: S310 - loopback
            assert answer.status == 200


def test_killed_services_come_back(park: Standalone) -> None:
    """Ingest, broker and database are started again after a kill, and the KPI goes on."""
    until(park.productivity, "a value", 30.0)
    for name in ("ingest", "broker", "database"):
        os.kill(park.pids[name], signal.SIGKILL)
        until(partial(park.told, name), f"word of {name}")

    def fresh() -> bool:
        try:
            return park.productivity("-5s") > 0
        except OSError:
            return False

    until(fresh, "a value after the kills", 60.0)


def test_two_parks_beside_each_other_and_one_that_ends_by_itself(
    park: Standalone, home: Path
) -> None:
    """A park with a directory and ports of its own does not disturb, and ends with 0 in time."""
    second = Standalone.start(home / "second", "--no-simulator", "--duration", "1")

    assert second.process.wait(END_WITHIN_S) == 0
    assert "simulator" not in second.pids
    assert alive(home / "second") == []
    assert park.runs


def test_directory_of_a_running_park_is_refused(park: Standalone, folder: Path) -> None:
    """Two parks on one directory would write over each other."""
    ports = ["--port", str(free_row(5)), "--mqtt-port", str(free_row(2))]
    done = run("--data-dir", str(folder), *ports, "--plc-port", str(free_row(len(PLCS))))

    assert done.returncode == 2
    assert "--data-dir" in done.stderr
    assert park.runs


def test_interrupt_leaves_no_process(park: Standalone, folder: Path) -> None:
    """Ctrl-C ends everything in order: nothing runs on, and nothing had to be killed."""
    pids = park.pids.values()
    assert park.interrupt() == 0

    assert alive(folder) == []
    assert not any(psutil.pid_exists(pid) for pid in pids)
    assert "is killed" not in park.text


def test_later_starts_find_the_data(folder: Path) -> None:
    """Data outlive a stop and a kill, and a kill leaves no process either."""
    second = Standalone.start(folder)
    before = readings(second)
    second.kill()
    until(lambda: alive(folder) == [], "the end of all processes")

    third = Standalone.start(folder, "--duration", "600")
    try:
        assert readings(third) >= before > 0
    finally:
        os.kill(third.process.pid, signal.SIGTERM)
        assert third.process.wait(END_WITHIN_S) == 0
    assert alive(folder) == []


def readings(park: Standalone) -> int:
    """Raw readings of one tag in the database."""
    history = park.get(
        "/api/v1/history", tag="refinery/digestion-1/pregnant_flow", **{"from": "-1h"}
    )
    return len(history["rows"])


def run(*options: str) -> subprocess.CompletedProcess[str]:
    """A start that is expected to end by itself."""
    return subprocess.run(
        [*COMMAND, *options], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_busy_port_ends_with_what_to_do(tmp_path: Path) -> None:
    """A port that is taken is told before anything is made or started."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = run("--data-dir", str(tmp_path / "data"), "--port", str(port))

    assert done.returncode == 2
    assert f"--port: found {port}; another program listens there; choose another" in done.stderr
    assert not (tmp_path / "data").exists()


def test_unusable_directory_ends_with_what_to_do(tmp_path: Path) -> None:
    """A directory that cannot be is told with the option."""
    (tmp_path / "file").touch()
    ports = ["--port", str(free_row(5)), "--mqtt-port", str(free_row(2))]
    data = str(tmp_path / "file" / "data")
    done = run("--data-dir", data, *ports, "--plc-port", str(free_row(len(PLCS))))

    assert done.returncode == 2
    assert "--data-dir" in done.stderr
    assert "name a directory" in done.stderr


def test_missing_plant_ends_with_what_to_do(tmp_path: Path) -> None:
    """A plant model that is not there is named."""
    done = run("--data-dir", str(tmp_path / "data"), "--plant", str(tmp_path / "none.toml"))

    assert done.returncode == 2
    assert "none.toml" in done.stderr


def test_help_lists_the_options() -> None:
    """Every option is explained."""
    done = run("--help")

    assert done.returncode == 0
    for option in ("--data-dir", "--port", "--plant", "--duration", "--no-simulator"):
        assert option in done.stdout
    for option in ("--mqtt-port", "--plc-port"):
        assert option in done.stdout
