"""The whole agent between a real PLC and a real broker, some of it cut or killed on the way."""

import signal
import subprocess
import sys
from pathlib import Path

from schemas.quality import Quality
from schemas.sparkplug.topic import MessageType
from tests.edge.files import write_agent
from tests.edge.host import Host, rebirth
from tests.edge.plc import Plc
from tests.edge.processes import CURRENT, Clock, Process, one_broker, scrape, tap, wait_values
from tests.fixtures.broker import Broker, Embedded
from tests.fixtures.ports import free_port
from tests.fixtures.until import until


def test_every_scan_arrives_in_session_order(edge: Process, plc: Plc, host: Host) -> None:
    """Births, then data, none of it retained, with the PLC's times; farewell on SIGTERM."""
    clock = Clock(plc)
    steps = {float(clock.scan()) for _ in range(5)}
    wait_values(host, steps)
    code = edge.end()

    until(lambda: host.look(lambda ledger: ledger.of(MessageType.NDEATH)), "an NDEATH")
    assert code == 0
    ledger = host.ledger
    kinds = [message.topic.type for message in ledger.messages]
    assert kinds[:3] == [MessageType.NBIRTH, MessageType.DBIRTH, MessageType.DDATA]
    assert not any(message.retain for message in ledger.messages)
    seqs = [m.payload.seq for m in ledger.messages if m.payload.HasField("seq")]
    assert seqs == [number % 256 for number in range(len(seqs))]
    times = {r.ts_ms - 1_000_000: r.value for r in ledger.readings if r.tag == CURRENT}
    assert {step: times[int(step)] for step in steps} == {step: step for step in steps}


@one_broker
def test_events_of_a_log_arrive_once_and_over_a_kill(edge: Process, plc: Plc, host: Host) -> None:
    """SIGKILL between two taps: each of them arrives, each under one position."""
    taps = [500.0, 600.0, 700.0]
    for number, amount in enumerate(taps[:2], 1):
        tap(plc, number, amount)
    wait_values(host, {500.0, 600.0}, "line/pot-1/tapped")
    edge.end(signal.SIGKILL)
    tap(plc, 3, 700.0)
    edge.start()
    wait_values(host, set(taps), "line/pot-1/tapped")
    edge.end()

    # An amount of 0 is no tap: it says that the log was read.
    arrived = [r for r in host.ledger.readings if r.tag == "line/pot-1/tapped" and r.value]
    assert sorted({(r.ts_ms, r.value) for r in arrived}) == [
        (1_000, 500.0),
        (2_000, 600.0),
        (3_000, 700.0),
    ]


def test_nothing_is_lost_while_the_broker_restarts(
    edge: Process, plc: Plc, host: Host, broker: Broker
) -> None:
    """What was scanned meanwhile comes as history; nothing before or after it is missing."""
    clock = Clock(plc)
    before = {float(clock.scan()) for _ in range(3)}
    wait_values(host, before)
    broker.stop()
    away = {float(clock.scan()) for _ in range(5)}
    broker.start()
    wait_values(host, before | away)
    after = {float(clock.scan())}
    wait_values(host, after)

    history = {reading.value for reading in host.ledger.history if reading.tag == CURRENT}
    assert away & history


@one_broker
def test_nothing_is_lost_when_the_agent_is_killed(edge: Process, plc: Plc, host: Host) -> None:
    """Frames that no host acknowledged are in the spool and come after a SIGKILL."""
    clock = Clock(plc)
    host.acknowledges = False
    before = {float(clock.scan()) for _ in range(5)}
    wait_values(host, before)
    edge.end(signal.SIGKILL)
    host.ledger.readings.clear()
    host.ledger.positions.clear()
    host.acknowledges = True
    edge.start()
    wait_values(host, before)

    assert len(host.ledger.history) > 0


def test_it_waits_for_its_host(edge: Process, plc: Plc, broker: Broker) -> None:
    """No host, no birth; host gone, NDEATH and a new connection; back, births and the rest."""
    clock = Clock(plc)
    first = {float(clock.scan()) for _ in range(3)}
    with Host(broker.port, "site", "node") as host:
        wait_values(host, first)
        host.say(online=False)
        until(lambda: host.look(lambda ledger: ledger.of(MessageType.NDEATH)), "an NDEATH")
        second = {float(clock.scan()) for _ in range(3)}
        host.say(online=True)
        wait_values(host, first | second)

        death = host.ledger.of(MessageType.NDEATH)[0].payload
        births = host.ledger.of(MessageType.NBIRTH)
        assert death.metrics[0].long_value == births[0].payload.metrics[0].long_value
        assert births[1].payload.metrics[0].long_value == death.metrics[0].long_value + 1


@one_broker
def test_a_rebirth_request_is_followed(edge: Process, plc: Plc, host: Host) -> None:
    """Births again in the same session."""
    wait_values(host, {float(Clock(plc).scan())})
    host.send(rebirth())

    until(lambda: host.look(lambda ledger: len(ledger.of(MessageType.NBIRTH)) > 1), "a rebirth")
    first, second = (
        m.payload.metrics[0].long_value for m in host.ledger.of(MessageType.NBIRTH)[:2]
    )
    assert first == second


@one_broker
def test_a_dead_plc_gives_bad_readings_and_a_ddeath(edge: Process, plc: Plc, host: Host) -> None:
    """Each tag's last value, bad; then DDEATH; when it answers again DBIRTH and good values."""
    clock = Clock(plc)
    step = float(clock.scan())
    wait_values(host, {step})
    plc.silent = True
    until(lambda: host.look(lambda ledger: ledger.of(MessageType.DDEATH)), "a DDEATH")
    bad = [r for r in host.ledger.readings if r.quality == Quality.BAD]
    pots = [f"line/pot-{n}/{measure}" for n in (1, 2, 3) for measure in ("voltage", "tapped")]
    assert {r.tag for r in bad} == {CURRENT, *pots}
    assert [r.value for r in bad if r.tag == CURRENT] == [step]
    plc.silent = False
    again = float(clock.scan())
    wait_values(host, {again})

    assert len(host.ledger.of(MessageType.DBIRTH)) == 2


@one_broker
def test_one_dead_device_delays_no_other(
    tmp_path: Path, plc: Plc, broker: Broker, host: Host
) -> None:
    """A second PLC that nobody serves: the first goes on."""
    path = write_agent(tmp_path, plc.port)
    text = path.read_text()
    dead = text[text.index("[[source]]") :].split("clock =")[0]
    path.write_text(text + dead.replace('"plc"', '"dead"').replace(str(plc.port), str(free_port())))
    process = Process(tmp_path, path, broker.port).start()
    try:
        clock = Clock(plc)
        wait_values(host, {float(clock.scan()) for _ in range(10)})
    finally:
        process.close()

    assert '"device": "dead"' in process.log
    assert not [m for m in host.ledger.of(MessageType.DBIRTH) if m.topic.device == "dead"]


def test_it_starts_without_a_broker(tmp_path: Path, plc: Plc) -> None:
    """Nothing listens for a while: scans go to the spool, and out when there is a broker."""
    broker = Embedded(free_port(), config_dir=tmp_path)
    process = Process(tmp_path, write_agent(tmp_path, plc.port), broker.port).start()
    try:
        clock = Clock(plc)
        early = {float(clock.scan()) for _ in range(5)}
        broker.start()
        with Host(broker.port, "site", "node") as host:
            wait_values(host, early)
            birth = host.ledger.of(MessageType.NBIRTH)[0]
            # A CONNECT that was never sent has used no bdSeq.
            assert birth.payload.metrics[0].long_value == 0
    finally:
        process.close()
        broker.stop()


@one_broker
def test_the_counters_add_up(tmp_path: Path, plc: Plc, broker: Broker, host: Host) -> None:
    """Every scanned value was suppressed, acknowledged or is on its way: no silent loss."""
    port = free_port()
    options = ("--metrics-port", str(port))
    path = write_agent(
        tmp_path, plc.port, {"max_silence_s = 0\n\n[[source.log]]": "[[source.log]]"}
    )
    process = Process(tmp_path, path, broker.port, *options).start()
    try:
        clock = Clock(plc)
        wait_values(host, {float(clock.scan()) for _ in range(20)})
        until(lambda: balanced(scrape(port)), "counters that add up")
        counts = scrape(port)
    finally:
        process.close()

    assert counts["readings_suppressed_total"] > 0
    assert counts["readings_acknowledged_total"] > 0
    assert counts["born"] == 1
    assert counts["spool_bytes"] > 0


def balanced(counts: dict[str, float]) -> bool:
    """Whether nothing is missing, in an agent that began with an empty spool."""
    fed = ("readings_scanned_total", "readings_corners_total", "readings_marked_bad_total")
    return sum(counts.get(name, 0.0) for name in fed) == sum(
        counts[name]
        for name in (
            "readings_suppressed_total",
            "readings_acknowledged_total",
            "readings_dropped_total",
            "readings_overflowed_total",
            "readings_unacknowledged",
        )
    )


def test_wrong_files_end_with_exit_code_2(tmp_path: Path, plc: Plc) -> None:
    """One line with key, value and what would be right; no traceback."""
    path = write_agent(tmp_path, plc.port, {"scan_s": "scan_x"})
    done = subprocess.run(
        [sys.executable, "-m", "edge", "run", "--config", str(path)],
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert done.returncode == 2
    assert done.stderr.strip().splitlines() == [
        "ConfigError: agent.toml: source.0.scan_x: found 0.05; unknown key; did you mean 'scan_s'?"
    ]
