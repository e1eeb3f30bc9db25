"""Replays through a real broker, one of them of real files."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from benchmarks.la_haute_borne import METER, SCADA, fetch
from edge.export import load_replay
from schemas.errors import UnavailableError
from tests.edge.files import PLANT
from tests.edge.host import Host
from tests.edge.test_export import HEAD, WIDE
from tests.fixtures.broker import Broker
from tests.fixtures.until import until

ROWS = 20_000
one_broker = pytest.mark.parametrize("broker", ["embedded"], indirect=True)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A replay of one file with a blank and a repeated row."""
    (tmp_path / "plant.toml").write_text(PLANT)
    (tmp_path / "replay.toml").write_text(HEAD + 'host = "ertis"\n' + WIDE)
    lines = [f"{1_400_000_000 + 60 * row},300,{row}" for row in range(ROWS)]
    lines[5] = f"{1_400_000_000 + 60 * 5},,5"
    (tmp_path / "wide.csv").write_text("\n".join(["time,T,I", *lines, lines[-1]]) + "\n")
    text = (tmp_path / "replay.toml").read_text()
    (tmp_path / "replay.toml").write_text(
        text.replace('zone = "Europe/Paris"', 'format = "epoch_s"')
    )
    return tmp_path / "replay.toml"


def start(config: Path, port: int, *options: str) -> "subprocess.Popen[str]":
    """``python -m edge replay`` in a process of its own."""
    return subprocess.Popen(
        [
            *(sys.executable, "-m", "edge", "replay", "--config", str(config)),
            *("--data-dir", str(config.parent / "data"), *options),
        ],
        env=os.environ | {"MQTT_PORT": str(port), "COLUMNS": "120"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def test_a_file_arrives_whole_as_history(config: Path, broker: Broker) -> None:
    """Every value once, is_historical; exit 0 when the host has it; the report counts the rest."""
    with Host(broker.port, "site", "historian") as host:
        replay = start(config, broker.port)
        report, _ = replay.communicate(timeout=60)

    assert replay.returncode == 0
    arrived = Counter((r.tag, r.ts_ms) for r in host.ledger.readings)
    assert len(arrived) == 2 * ROWS - 1
    assert len(host.ledger.history) == len(host.ledger.readings)
    cells = [line.split("│") for line in report.splitlines() if "│" in line]
    counts = {label.strip(): count.strip() for _, label, count, *_ in cells}
    assert counts["rows"] == "20,001"
    assert counts["repeated"] == "1"
    assert counts["blank values"] == "T 1"


@one_broker
def test_a_replay_that_was_killed_goes_on(config: Path, broker: Broker) -> None:
    """SIGKILL without a host: started again, all of it arrives and no position is missing."""
    replay = start(config, broker.port)
    spool = config.parent / "data" / "spool.sqlite-wal"
    until(lambda: spool.exists() and spool.stat().st_size > 100_000, "some frames in the spool")
    replay.send_signal(signal.SIGKILL)
    replay.communicate()
    with Host(broker.port, "site", "historian") as host:
        again = start(config, broker.port)
        again.communicate(timeout=60)

    assert again.returncode == 0
    assert len({(r.tag, r.ts_ms) for r in host.ledger.readings}) == 2 * ROWS - 1


@one_broker
def test_a_second_replay_sends_nothing_unless_asked(config: Path, broker: Broker) -> None:
    """What is in the database already is not sent again; --again does."""
    with Host(broker.port, "site", "historian") as host:
        start(config, broker.port).communicate(timeout=60)
        sent = len(host.ledger.readings)
        start(config, broker.port).communicate(timeout=60)
        assert len(host.ledger.readings) == sent
        start(config, broker.port, "--again").communicate(timeout=60)

    assert len(host.ledger.readings) == 2 * sent


def test_la_haute_borne_is_read_as_published() -> None:
    """420,480 SCADA rows with 2,569 blanks and 48 conflicts at the change of summer time;
    June 2014 of the meter sums up to the 0.692400 GWh that OpenOA's tests have.
    """  # noqa: D205 - one fact after the other
    try:
        folder = fetch()
    except UnavailableError as error:
        pytest.skip(f"the OpenOA wheel cannot be fetched: {error}")
    meter, scada = load_replay(Path("plants/la-haute-borne/replay.toml"), folder).exports
    june = range(1_401_580_800_000, 1_404_172_800_000)

    net = sum(
        reading.value or 0.0
        for lot in meter.lots()
        for reading in lot.readings
        if reading.tag == "wind/energy_net" and reading.ts_ms in june
    )
    for _ in scada.lots():
        pass

    assert (meter.file.name, scada.file.name) == (METER, SCADA)
    assert round(net / 1e6, 6) == 0.692400
    assert round(net / (8200 * 720), 6) == 0.117276
    assert (scada.audit.rows, scada.audit.blanks["P_avg"]) == (420_480, 2_569)
    assert (scada.audit.repeats, scada.audit.conflicts) == (0, 48)
    assert (meter.audit.rows, meter.audit.readings) == (105_120, 315_360)
