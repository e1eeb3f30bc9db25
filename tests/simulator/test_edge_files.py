"""The agents' files of the repository: each address holds what it says, over the wire."""

import asyncio
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from schemas.plant.model import Plant
from schemas.plant.ranges import expand
from schemas.reading import Kind
from simulator.park import Park
from simulator.server import serving
from tests.simulator.conftest import NOON_MS, ROOT, run

FILES = sorted((ROOT / "plants" / "pavlodar").glob("*.toml"))
FORMATS = {"float32": "f", "int16": "h", "uint16": "H", "uint32": "I", "uint64": "Q"}


@dataclass(frozen=True, slots=True)
class Address:
    """A tag as an agent's file describes it."""

    path: str
    address: int
    type: str
    scale: float


def sources(file: Path) -> list[dict[str, Any]]:
    """The PLCs of an agent's file."""
    found: list[dict[str, Any]] = tomllib.loads(file.read_text(encoding="utf-8"))["source"]
    return found


def addresses(source: dict[str, Any]) -> list[Address]:
    """All tags of a PLC, ranges expanded."""
    return [
        Address(
            path, tag["address"] + place * tag.get("stride", 0), tag["type"], tag.get("scale", 1.0)
        )
        for tag in source["tag"]
        for place, path in enumerate(expand(tag["path"]))
    ]


def test_every_measured_tag_is_addressed_once(plant: Plant) -> None:
    """The files together are the plant without its derived tags; events are in the logs."""
    assert [file.stem for file in FILES] == ["potline-1", "power-1", "refinery-1"]
    plcs = [source for file in FILES for source in sources(file)]
    tags = [tag.path for source in plcs for tag in addresses(source)]
    logs = [log for source in plcs for log in source.get("log", [])]
    logged = [path for log in logs for path in expand(log["path"])]

    assert sorted(tags + logged) == sorted(
        path for path, tag in plant.tags.items() if tag.derivation is None
    )
    assert all(plant.tag(path).kind is Kind.EVENT for path in logged)
    assert all(plant.tag(path).kind is not Kind.EVENT for path in tags)


def test_files_name_nodes_and_ports_as_served(plant: Plant) -> None:
    """Port 5020 and on in the order in which the simulator serves; node and file share a name."""
    ports: dict[str, int] = {}
    for file in FILES:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
        assert whole["node"] == {"group": "pavlodar", "id": file.stem, "host": "ertis"}
        assert (file.parent / whole["plant"]).resolve() == ROOT / "plants" / "pavlodar.toml"
        ports |= {source["device"]: source["port"] for source in sources(file)}

    names = [station.plc.name for station in Park(plant, NOON_MS, 1).stations]
    assert ports == {name: 5020 + place for place, name in enumerate(names)}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_addresses_decode_to_the_values_of_the_plant(plant: Plant, file: Path) -> None:
    """One answer of each PLC, decoded as the file says by another decoder than ours."""
    park = Park(plant, NOON_MS, 1)
    run(park, 30)
    ports: dict[str, int] = {}
    seen: dict[str, float] = {}

    async def talk() -> None:
        async with serving(park, "127.0.0.1", 0) as servers:
            ports.update({server.station.plc.name: server.port for server in servers})
            for source in sources(file):
                port = ports[source["device"]]
                async with AsyncModbusTcpClient("127.0.0.1", port=port) as client:
                    tags = addresses(source)
                    size = struct.calcsize(FORMATS[tags[-1].type]) // 2
                    count = tags[-1].address + size
                    answer = await client.read_input_registers(0, count=count, device_id=1)
                    words = struct.pack(f">{count}H", *answer.registers)
                    assert struct.unpack_from(">Q", words) == (NOON_MS + 30_000,)
                    for tag in tags:
                        (number,) = struct.unpack_from(
                            f">{FORMATS[tag.type]}", words, 2 * tag.address
                        )
                        seen[tag.path] = number * tag.scale

    asyncio.run(talk())

    values = dict(zip(park.paths, park.values().tolist(), strict=True))
    assert seen
    assert seen == {path: values[path] for path in seen}


def test_logs_of_the_potline_are_where_the_file_says(plant: Plant) -> None:
    """Head, ring, number of entries and the order of the pots, of taps, anodes and butts."""
    park = Park(plant, NOON_MS, seed=1, tap_every_s=10)
    run(park, 120)
    plcs = {station.plc.name: station.plc for station in park.stations}
    taps = 0
    for source in sources(ROOT / "plants" / "pavlodar" / "potline-1.toml"):
        plc = plcs[source["device"]]
        for ring, log in zip(plc.rings, source["log"], strict=True):
            assert tuple(expand(log["path"])) == ring.log.paths
            assert ring.end == log["address"] + log["entries"] * 8
            words = struct.pack(">2H", *plc.image[log["head"] : log["head"] + 2])
            assert struct.unpack(">I", words)[0] == len(ring.entries)
            for entry in ring.entries:
                at = log["address"] + (entry.number - 1) % log["entries"] * 8
                words = struct.pack(">8H", *plc.image[at : at + 8])
                assert struct.unpack(">IHHIf", words) == (
                    entry.number,
                    entry.place,
                    0,
                    entry.ts_ms // 1000,
                    entry.amount,
                )
                taps += 1
    assert taps > 30
