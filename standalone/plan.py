"""What a standalone park consists of: a table of services, in the order in which they start."""

import tomllib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Final

from psycopg.conninfo import conninfo_to_dict

from edge.config import EdgeConfig, load_config
from edge.sources.modbus.table import ModbusDevice
from schemas.errors import ConfigError
from standalone.broker import EmbeddedBroker
from standalone.data_dir import DataDir
from standalone.database import EmbeddedDatabase
from standalone.park import Ground
from standalone.past import STEP_S
from standalone.ports import HOST, answers, listens
from standalone.service import Service

#: Seconds between two taps of the simulated line. Its 24 pots take 48 s in turn and not 32 h, so
#: that the energy of a tonne of metal can be seen two minutes after the start.
TAP_EVERY_S: Final = 2
#: Where the agents' files expect the first PLC; the simulator serves all of them in a row.
PLC_PORT: Final = 5020


@dataclass(frozen=True, slots=True)
class Options:
    """What the operator asked for on the command line."""

    data_dir: Path
    plant: Path
    port: int
    mqtt_port: int
    plc_port: int
    simulator: bool
    history: float = 0

    @property
    def mqtt3_port(self) -> int:
        """Where devices that speak MQTT 3.1.1 connect: the broker has a port for each version."""
        return self.mqtt_port + 1

    @property
    def tap_every_s(self) -> int:
        """Seconds between two taps; those of a past that was written go on at its pace."""
        return STEP_S if self.history else TAP_EVERY_S

    @property
    def ingest_port(self) -> int:
        """Where ingest shows its health and counters; those of the agents follow."""
        return self.port + 1

    def agent_port(self, place: int) -> int:
        """Where the agent at *place* of the plant's agents shows its counters."""
        return self.ingest_port + 1 + place

    def plc_ports(self, plcs: int) -> Sequence[int]:
        """Where so many simulated PLCs listen."""
        return range(self.plc_port, self.plc_port + plcs) if self.simulator else ()

    def ports(self, agents: Collection[EdgeConfig]) -> Mapping[str, Sequence[int]]:
        """Every port that a park with these *agents* needs, by the option that chooses it."""
        return {
            "--port": range(self.port, self.port + 2 + len(agents)),
            "--mqtt-port": (self.mqtt_port, self.mqtt3_port),
            "--plc-port": self.plc_ports(plcs_of(agents)),
        }


def find_agents(plant: Path) -> Mapping[Path, EdgeConfig]:
    """The files of a plant's agents: those with a node and sources in the folder of its name.

    Raises
    ------
    ConfigError
        One of them is wrong.
    """
    return {
        file: load_config(file)
        for file in sorted(plant.with_suffix("").glob("*.toml"))
        if {"node", "source"} <= _document(file).keys()
    }


def plcs_of(agents: Iterable[EdgeConfig]) -> int:
    """How many PLCs in a row the *agents* expect from `PLC_PORT` on."""
    return sum(isinstance(device, ModbusDevice) for agent in agents for device in agent.devices)


def _document(file: Path) -> Mapping[str, object]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ConfigError("file", str(file), f"make it readable TOML ({error})") from error


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything that runs for these options, with its data below ``data``."""

    options: Options
    agents: Mapping[Path, EdgeConfig]
    data: DataDir

    def grounds(self, database: EmbeddedDatabase, broker: EmbeddedBroker) -> Sequence[Ground]:
        """What has to stand before any service starts, and is ended after the last one."""
        port, old_port = self.options.mqtt_port, self.options.mqtt3_port
        return [
            Ground(
                "database",
                database,
                f"host={conninfo_to_dict(database.dsn)['host']} user=postgres",
                "postgresql-18/log",
                partial(_lives, database),
            ),
            Ground(
                "broker",
                broker,
                f"MQTT 5 {HOST}:{port}, 3.1.1 at {old_port}",
                "-",
                broker.answers,
            ),
        ]

    def stages(self, dsn: str) -> Sequence[Sequence[Service]]:
        """The services: a stage starts when the one before it is ready; all end in reverse."""
        receiving = [self._api(dsn), self._ingest(dsn)]
        plcs = [self._simulator()] if self._plc_ports else []
        edges = [self._edge(place, file) for place, file in enumerate(self.agents)]
        return [receiving + plcs, edges]

    def _api(self, dsn: str) -> Service:
        port = self.options.port
        return Service(
            name="api",
            module="api",
            arguments=("serve", "--host", HOST, "--port", str(port)),
            address=f"http://{HOST}:{port}",
            ready=partial(answers, port, "/health/ready"),
            # Nobody else reaches it here: the live KPIs of a first look need no key.
            environment={"ERTIS_DSN": dsn, "API_KEYLESS_ROLE": "viewer", "API_HOST": HOST},
        )

    def _ingest(self, dsn: str) -> Service:
        port = self.options.ingest_port
        return Service(
            name="ingest",
            module="ingest",
            arguments=("run",),
            address=f"http://{HOST}:{port}/metrics",
            ready=partial(answers, port, "/health/ready"),
            environment={
                **self._mqtt,
                "ERTIS_DSN": dsn,
                "INGEST_METRICS_HOST": HOST,
                "INGEST_METRICS_PORT": str(port),
            },
        )

    def _simulator(self) -> Service:
        ports = self._plc_ports
        return Service(
            name="simulator",
            module="simulator",
            arguments=(
                *("run", "--plant", str(self.options.plant), "--memory", str(self.data.simulator)),
                *("--tap-every-s", str(self.options.tap_every_s)),
                *("--host", HOST, "--port", str(ports[0])),
            ),
            address=f"Modbus TCP {HOST}:{ports[0]} to {ports[-1]}",
            ready=lambda: all(map(listens, ports)),
        )

    def _edge(self, place: int, file: Path) -> Service:
        port = self.options.agent_port(place)
        return Service(
            name=f"edge-{file.stem}",
            module="edge",
            arguments=(
                *("run", "--config", str(file), "--data-dir", str(self.data.spool(file.stem))),
                *("--metrics-port", str(port)),
                *self._sources(self.agents[file]),
            ),
            address=f"http://{HOST}:{port}/metrics",
            ready=partial(answers, port, "/metrics", "ertis_edge_born 1.0"),
            environment=self._mqtt,
        )

    def _sources(self, agent: EdgeConfig) -> Iterator[str]:
        """Where the agent finds those of its PLCs that the simulator serves."""
        plcs = [device for device in agent.devices if isinstance(device, ModbusDevice)]
        for device in plcs if self.options.simulator else ():
            place = device.table.port - PLC_PORT
            if 0 <= place < len(self._plc_ports):
                yield "--source"
                yield f"{device.device}={HOST}:{self._plc_ports[place]}"

    @property
    def _plc_ports(self) -> Sequence[int]:
        return self.options.plc_ports(plcs_of(self.agents.values()))

    @property
    def _mqtt(self) -> Mapping[str, str]:
        return {"MQTT_HOST": HOST, "MQTT_PORT": str(self.options.mqtt_port)}


def _lives(database: EmbeddedDatabase) -> bool:
    """Whether the server's process exists; a busy server does not answer and still lives."""
    return database.pid is not None and Path(f"/proc/{database.pid}").exists()
