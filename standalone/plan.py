"""What a standalone park consists of: a table of services, in the order in which they start."""

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from edge.config import EdgeConfig, load_config
from schemas.errors import ConfigError
from standalone.broker import EmbeddedBroker
from standalone.data_dir import DataDir
from standalone.database import EmbeddedDatabase
from standalone.park import Ground
from standalone.ports import HOST, answers, listens
from standalone.service import Service

#: Where the agents' files expect the first PLC; the simulator serves all of them in a row.
PLC_PORT: Final = 5020
PLCS: Final = 3


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for on the command line."""

    data_dir: Path
    plant: Path
    port: int
    mqtt_port: int
    plc_port: int
    simulator: bool

    @property
    def mqtt3_port(self) -> int:
        """Where devices that speak MQTT 3.1.1 connect: the broker has a port for each version."""
        return self.mqtt_port + 1

    @property
    def counters_port(self) -> int:
        """Where ingest shows its health and its counters."""
        return self.port + 1

    @property
    def plc_ports(self) -> Sequence[int]:
        """Where the simulated PLCs listen."""
        return range(self.plc_port, self.plc_port + PLCS) if self.simulator else ()

    @property
    def ports(self) -> Mapping[str, Sequence[int]]:
        """Every port that has to be free, by the option that chooses it."""
        return {
            "--port": (self.port, self.counters_port),
            "--mqtt-port": (self.mqtt_port, self.mqtt3_port),
            "--plc-port": self.plc_ports,
        }


def find_agents(plant: Path) -> Mapping[Path, EdgeConfig]:
    """The files of a plant's agents: those with a ``[node]`` in the folder beside it of its name.

    Raises
    ------
    ConfigError
        One of them is wrong.
    """
    return {
        file: load_config(file)
        for file in sorted(plant.with_suffix("").glob("*.toml"))
        if "node" in _document(file)
    }


def _document(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError("file", str(file), f"make it readable TOML ({error})") from error


def grounds(
    options: Options, data: DataDir, database: EmbeddedDatabase, broker: EmbeddedBroker
) -> Sequence[Ground]:
    """What has to stand before any service starts, and is ended after the last one."""
    return [
        Ground("database", database, database.dsn, str(data.path), partial(_lives, database)),
        Ground(
            "broker",
            broker,
            f"MQTT 5 {HOST}:{options.mqtt_port}, MQTT 3.1.1 {HOST}:{options.mqtt3_port}",
            "",
            partial(listens, options.mqtt_port),
        ),
    ]


def _lives(database: EmbeddedDatabase) -> bool:
    """Whether the server's process exists; a busy server does not answer and still lives."""
    return database.pid is not None and Path(f"/proc/{database.pid}").exists()


def stages(
    options: Options, agents: Mapping[Path, EdgeConfig], data: DataDir, dsn: str
) -> Sequence[Sequence[Service]]:
    """The services: a stage starts when the one before it is ready; all end in reverse."""
    store = {"ERTIS_DSN": dsn}
    bus = {"MQTT_HOST": HOST, "MQTT_PORT": str(options.mqtt_port)}
    receiving = [_api(options, store), _ingest(options, store | bus)]
    plcs = [_simulator(options, data)] if options.simulator else []
    edges = [_edge(file, config, options, data, bus) for file, config in agents.items()]
    return [receiving + plcs, edges]


def _api(options: Options, environment: Mapping[str, str]) -> Service:
    return Service(
        name="api",
        module="api",
        arguments=("serve", "--host", HOST, "--port", str(options.port)),
        address=f"http://{HOST}:{options.port}",
        ready=partial(answers, options.port, "/health/ready"),
        environment=environment,
    )


def _ingest(options: Options, environment: Mapping[str, str]) -> Service:
    return Service(
        name="ingest",
        module="ingest",
        arguments=("run",),
        address=f"http://{HOST}:{options.counters_port}/metrics",
        ready=partial(answers, options.counters_port, "/health/ready"),
        environment={
            **environment,
            "INGEST_METRICS_HOST": HOST,
            "INGEST_METRICS_PORT": str(options.counters_port),
        },
    )


def _simulator(options: Options, data: DataDir) -> Service:
    first, last = options.plc_ports[0], options.plc_ports[-1]
    return Service(
        name="simulator",
        module="simulator",
        arguments=(
            *("run", "--plant", str(options.plant), "--memory", str(data.simulator)),
            *("--host", HOST, "--port", str(first)),
        ),
        address=f"Modbus TCP {HOST}:{first} to {last}",
        ready=lambda: all(map(listens, options.plc_ports)),
    )


def _edge(
    file: Path,
    config: EdgeConfig,
    options: Options,
    data: DataDir,
    environment: Mapping[str, str],
) -> Service:
    return Service(
        name=f"edge {file.stem}",
        module="edge",
        arguments=(
            *("run", "--config", str(file), "--data-dir", str(data.spool(file.stem))),
            *_sources(config, options),
        ),
        address=f"Sparkplug {config.node.group}/{config.node.id}",
        ready=bool,
        environment=environment,
    )


def _sources(config: EdgeConfig, options: Options) -> Iterator[str]:
    """Where the agent finds its PLCs, if the simulator serves them elsewhere than its file says."""
    if not options.simulator:
        return
    for device in config.devices:
        place = device.port - PLC_PORT
        if 0 <= place < PLCS:
            yield "--source"
            yield f"{device.device}={HOST}:{options.plc_ports[place]}"
