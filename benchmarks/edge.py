"""One agent beside PLCs: what it needs at full load, and how fast it gets rid of an outage.

*Load*: 10,000 tags at 1 Hz on ten Modbus TCP servers (pymodbus, processes of their own). Every
value changes with every scan and passes its deadband, so each goes through the spool and out to the
broker, and is acknowledged by a host that only counts. ``cores`` is processor time of the agent by
wall time, ``rss_mb`` the most memory it ever held, ``jitter_p99_ms`` how late scans start, as the
bound of the bucket of ``ertis_edge_scan_late_seconds`` that holds the 99th percentile.

*Outage*: an agent starts on a spool that is full. ``start_full_spool_s`` is from starting the
process to its NBIRTH at the host, ``drain_per_s`` what arrives, counted once, behind the first
acknowledgement; ``drain_cores`` what the agent takes for it. PLCs are scanned meanwhile.

Broker, host and PLCs share the machine with the agent.
"""

import json
import math
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final
from urllib.request import urlopen

import typer
from prometheus_client.parser import text_string_to_metric_families

from benchmarks import stand
from benchmarks.host import NAME, Host
from benchmarks.load import GROUP, MEASURES, plant_text
from edge.frame import FRAME_READINGS, encode
from edge.spool import Spool
from schemas.errors import DefectError
from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import SPOOL_POSITION
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload

NODE: Final = "agent"
PLCS: Final = 10
#: PLCs that one process serves.
_SERVED: Final = 5


@dataclass(frozen=True, slots=True)
class Size:
    """How much is scanned, how much waits, and how long is looked."""

    tags: int
    spool_mb: int
    warm_up_s: float
    load_s: float
    drain_s: float


def main(
    quick: Annotated[bool, typer.Option(help="a tenth of tags and spool, a few seconds")] = False,
    tags: Annotated[int, typer.Option(help=f"a multiple of {PLCS * MEASURES}")] = 10_000,
    spool_mb: Annotated[int, typer.Option(help="what waits in the spool [MB]")] = 1000,
) -> None:
    """An agent at full load, then one that starts with a full spool."""
    size = Size(tags, spool_mb, 5.0, 30.0, 10.0)
    if quick:
        size = Size(tags // 10, spool_mb // 10, 1.0, 3.0, 2.0)
    with ExitStack() as held:
        folder = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="ertis-bench-")))
        name, port = held.enter_context(stand.broker())
        ports = held.enter_context(plcs(size.tags))
        config = write_config(folder, ports, size.tags, spool_mb=size.spool_mb)
        load = measure_load(Agent(config, folder / "load", port), size)
        readings = fill(folder / "full", size)
        outage = measure_outage(Agent(config, folder / "full", port), size, readings)
    document = {"benchmark": "edge", "broker": name, "tags": size.tags, **load, **outage}
    typer.echo(json.dumps(document))


@contextmanager
def plcs(tags: int) -> Iterator[Sequence[int]]:
    """The ports of ten PLCs that share *tags*."""
    ports = [stand.free_port() for _ in range(PLCS)]
    with ExitStack() as held:
        for start in range(0, PLCS, _SERVED):
            held.enter_context(plc(ports[start : start + _SERVED], tags // PLCS))
        yield ports


@contextmanager
def plc(ports: Sequence[int], tags: int) -> Iterator[None]:
    """A process that serves PLCs of *tags* each at *ports*."""
    command = stand.python("-m", "benchmarks.plc", str(tags), *map(str, ports))
    with subprocess.Popen(command, stdout=subprocess.PIPE) as served:  # noqa: S603 - our own module
        assert served.stdout is not None  # noqa: S101 - it is piped
        served.stdout.readline()
        try:
            yield
        finally:
            served.terminate()


def write_config(
    folder: Path,
    ports: Sequence[int],
    tags: int,
    *,
    spool_mb: int = 1000,
    ack_timeout_s: float = 10.0,
) -> Path:
    """The agent's file and its plant in *folder*; the PLCs at *ports* share the *tags*."""
    (folder / "plant.toml").write_text(plant_text(tags))
    units = tags // MEASURES // len(ports)
    sources = "".join(
        _source(number, port, number * units + 1, units) for number, port in enumerate(ports)
    )
    path = folder / "agent.toml"
    path.write_text(
        f'plant = "plant.toml"\n[node]\ngroup = "{GROUP}"\nid = "{NODE}"\nhost = "{NAME}"\n'
        f"[spool]\nmax_mb = {2 * spool_mb}\n"
        f"[delivery]\nack_timeout_s = {ack_timeout_s}\nreplay_readings_per_s = 10000000\n"
        "window_frames = 512\nwindow_mb = 16\n"
        f"{sources}"
    )
    return path


def _source(number: int, port: int, first: int, units: int) -> str:
    places = f"{first:05d}..{first + units - 1:05d}"
    tables = "".join(
        f'[[source.tag]]\npath = "line/unit-{{{places}}}/m{place:02d}"\n'
        f'table = "input"\naddress = {2 * place}\nstride = {2 * MEASURES}\ntype = "float32"\n'
        "deadband = 0.5\n"
        for place in range(MEASURES)
    )
    return (
        f'[[source]]\ntype = "modbus"\ndevice = "plc-{number}"\nhost = "{stand.HOST}"\n'
        f"port = {port}\nscan_s = 1.0\n{tables}"
    )


class Agent:
    """``python -m edge run`` with its spool in *data*."""

    def __init__(self, config: Path, data: Path, mqtt_port: int) -> None:
        self.metrics_port = stand.free_port()
        self.mqtt_port = mqtt_port
        options = ("--config", str(config), "--data-dir", str(data))
        self._command = ("-m", "edge", "run", *options, "--metrics-port", str(self.metrics_port))

    @contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        """The process, ended at exit."""
        environment = {"MQTT_HOST": stand.HOST, "MQTT_PORT": str(self.mqtt_port)}
        with stand.process(*self._command, environment=environment) as process:
            yield process

    def counters(self) -> dict[tuple[str, str], float]:
        """What it counts, by name and ``le`` (of a bucket, else empty), summed over devices."""
        with urlopen(f"http://{stand.HOST}:{self.metrics_port}/metrics") as answer:
            text = answer.read().decode()
        found: dict[tuple[str, str], float] = {}
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                key = (sample.name, sample.labels.get("le", ""))
                found[key] = found.get(key, 0.0) + sample.value
        return found


def measure_load(agent: Agent, size: Size) -> dict[str, float]:
    """The agent at full load."""
    with Host(agent.mqtt_port, GROUP, NODE) as host, agent.running() as process:
        stand.until(lambda: host.account().readings >= size.tags, "the first scan of every tag")
        time.sleep(size.warm_up_s)
        before, counted = host.account(), agent.counters()
        cpu_s, started_s = stand.cpu_s(process), time.monotonic()
        time.sleep(size.load_s)
        seconds = time.monotonic() - started_s
        cpu_s = stand.cpu_s(process) - cpu_s
        after, counts = host.account(), agent.counters()
        missed = "ertis_edge_scans_missed_total", ""
        late = {le: n - counted[name, le] for (name, le), n in counts.items() if le}
        return {
            "readings_per_s": round((after.readings - before.readings) / seconds),
            "cores": round(cpu_s / seconds, 3),
            "rss_mb": round(stand.peak_rss_mb(process), 1),
            "jitter_p50_ms": percentile(late, 0.5) * 1000,
            "jitter_p99_ms": percentile(late, 0.99) * 1000,
            "scans_missed": counts.get(missed, 0.0) - counted.get(missed, 0.0),
        }


def percentile(buckets: dict[str, float], share: float) -> float:
    """The bound of the bucket that holds this *share* of what was observed."""
    total = buckets["+Inf"]
    bounds = sorted((float(le), count) for le, count in buckets.items())
    return next((bound for bound, count in bounds if count >= share * total), math.inf)


def fill(folder: Path, size: Size) -> int:
    """A spool as an outage leaves it: frames of a PLC, up to its size; the readings in it.

    The readings are encoded once and go in under every position: to encode them all would take
    minutes and leave the same bytes.
    """
    device = "plc-0"
    paths = [
        f"line/unit-{1 + k // MEASURES:05d}/m{k % MEASURES:02d}" for k in range(FRAME_READINGS)
    ]
    paths = paths[: size.tags // PLCS]
    spool = Spool(folder / "spool.sqlite")
    aliases = spool.declare(device, paths)
    spool.close()
    now_ms = time.time_ns() // 1_000_000
    body = encode([Reading(path, now_ms, 0.1 * k) for k, path in enumerate(paths)], aliases)
    head = body.SerializeToString()
    frames = size.spool_mb * 1_000_000 // len(head)

    def rows() -> Iterator[tuple[int, str, int, int, bytes]]:
        for position in range(1, frames + 1):
            end = metric(position, DataType.UINT64, now_ms, alias=aliases[SPOOL_POSITION])
            tail = Payload(metrics=[end]).SerializeToString()
            yield position, device, len(paths), now_ms, head + tail

    with sqlite3.connect(folder / "spool.sqlite") as db:
        db.executemany("insert into frame values (?, ?, ?, ?, ?)", rows())
    db.close()
    return frames * len(paths)


def measure_outage(agent: Agent, size: Size, readings: int) -> dict[str, float]:
    """An agent that starts with *readings* in its spool and a host that is there."""
    with Host(agent.mqtt_port, GROUP, NODE) as host:
        started_s = time.monotonic()
        with agent.running() as process:
            stand.until(lambda: host.account().births > 0, "the NBIRTH")
            born_s = host.account().born_s - started_s
            stand.until(lambda: host.account().through > 0, "the first acknowledgement")
            before, cpu_s, began_s = host.account(), stand.cpu_s(process), time.monotonic()
            while (after := host.account()).readings < readings:
                if time.monotonic() - began_s > size.drain_s:
                    break
                time.sleep(0.02)
            seconds = time.monotonic() - began_s
            cpu_s = stand.cpu_s(process) - cpu_s
        if after.repeated_frames:
            raise DefectError(f"{after.repeated_frames} frames came twice")
        return {
            "start_full_spool_s": round(born_s, 2),
            "spool_readings": readings,
            "drain_per_s": round((after.readings - before.readings) / seconds),
            "drain_cores": round(cpu_s / seconds, 3),
        }
