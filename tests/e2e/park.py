"""The whole way of a reading as separate processes: PLCs, agents, broker, ingest, database, API."""

import shutil
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import psycopg

from schemas.instant import from_ms, to_ms
from schemas.plant.file import load_plant
from simulator.wiring import Wiring, wire
from tests.e2e.backend import Backend, backend
from tests.e2e.processes import Service
from tests.fixtures.broker import Broker
from tests.fixtures.ports import free_row
from tests.fixtures.until import until

PLANTS = Path("plants")
AGENTS = ("potline-1", "refinery-1", "power-1")
#: Every scan of a PLC is reported, so that what was served and what is stored can be compared one
#: by one; an agent that looks twice a second misses none on a busy machine either.
_EVERY_SCAN = {
    "[[source.tag]]": "[[source.tag]]\ndeadband = 0.0\nmax_silence_s = 0",
    "scan_s = 1.0": "scan_s = 0.5",
}


class Park:
    """A simulated plant with agents in front of a backend."""

    def __init__(self, behind: Backend) -> None:
        self.backend = behind
        self.broker = behind.broker

    @property
    def services(self) -> dict[str, Service]:
        """Every process by name."""
        return self.backend.services

    @property
    def ledger(self) -> Path:
        """Where the simulator writes what really happened."""
        return self.backend.folder / "ledger"

    def stored(self) -> dict[tuple[str, int], float]:
        """Value by (tag path, ts [ms]) of everything good in ``reading`` that a PLC said.

        An event of amount 0 is the agent's word that it read the log.
        """
        with psycopg.connect(self.backend.dsn) as connection:
            rows = connection.execute(
                "SELECT path, ts, value FROM reading JOIN tag ON tag.id = tag_id"
                " WHERE quality BETWEEN 192 AND 255 AND NOT (kind = 'event' AND value = 0)"
            )
            return {(path, to_ms(ts)): value for path, ts, value in rows}

    def newest_ms(self, tag: str) -> int:
        """Time of the newest stored reading of *tag* [ms]; 0 if there is none."""
        with psycopg.connect(self.backend.dsn) as connection:
            row = connection.execute(
                "SELECT max(ts) FROM reading JOIN tag ON tag.id = tag_id WHERE path = %s", (tag,)
            ).fetchone()
        assert row is not None
        return to_ms(row[0]) if row[0] is not None else 0

    def wait_stored(self, ts_ms: int) -> None:
        """Wait until each agent has readings stored that are newer than *ts_ms*."""
        for tag in (
            "smelter/potline-1/line_current",
            "refinery/digestion-1/steam_flow",
            "power/solar-1/irradiance",
        ):
            newer = partial(self._is_newer, tag, ts_ms)
            until(newer, f"{tag} newer than {from_ms(ts_ms)}", within_s=60)

    def _is_newer(self, tag: str, ts_ms: int) -> bool:
        return self.newest_ms(tag) > ts_ms


def every_scan(text: str) -> str:
    """An agent's file that reports each scan of its PLC."""
    for found, wanted in _EVERY_SCAN.items():
        text = text.replace(found, wanted)
    return text


def sources(plcs: Sequence[Wiring], agent: str, ports: Sequence[int]) -> Iterator[str]:
    """The options that tell *agent* where its PLCs stand, of all *plcs* in order of *ports*."""
    for plc, port in zip(plcs, ports, strict=True):
        if plc.agent == agent:
            yield "--source"
            yield f"{plc.name}=127.0.0.1:{port}"


def run_park(folder: Path, dsn: str, broker: Broker, tap_every_s: int = 5) -> Iterator[Park]:
    """Start all services on free ports, yield the park, end what still runs."""
    shutil.copytree(PLANTS, folder / "plants")
    plant = folder / "plants" / "pavlodar.toml"
    plcs = wire(load_plant(plant))
    ports = free_row(len(plcs))
    with backend(folder, dsn, broker, plant) as behind:
        park = Park(behind)
        behind.service(
            "simulator",
            *("simulator", "run", "--plant", str(plant), "--port", str(ports[0])),
            *("--ledger", str(park.ledger), "--tap-every-s", str(tap_every_s)),
        ).start()
        for agent in AGENTS:
            config = folder / "plants" / "pavlodar" / f"{agent}.toml"
            config.write_text(every_scan(config.read_text()))
            behind.service(
                agent,
                *("edge", "run", "--config", str(config), "--data-dir", str(folder / agent)),
                *sources(plcs, agent, ports),
            ).start()
        park.wait_stored(0)
        yield park
