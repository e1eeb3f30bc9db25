"""The agents' files: every measured tag of the plant once, at the right address."""

import asyncio
import struct
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pymodbus.client import AsyncModbusTcpClient

from schemas.plant.ranges import expand
from schemas.plant.model import Plant
from schemas.reading import Kind
from simulator.park import Park
from simulator.server import serving
from tests.simulator.conftest import NOON_MS, ROOT

FILES = sorted((ROOT / "plants" / "pavlodar").glob("*.toml"))
FORMATS = {"float32": "f", "int16": "h", "uint16": "H", "uint32": "I", "uint64": "Q"}


@dataclass(frozen=True, slots=True)
class Address:
    """A tag as an agent's file describes it."""

    path: str
    address: int
    type: str
    scale: float


def source(file: Path) -> dict[str, Any]:
    """The one source of an agent's file."""
    (only,) = tomllib.loads(file.read_text(encoding="utf-8"))["source"]
    assert isinstance(only, dict)
    return only


def addresses(file: Path) -> list[Address]:
    """All tags of an agent's file, ranges expanded."""
    return [
        Address(
            path, tag["address"] + place * tag.get("stride", 0), tag["type"], tag.get("scale", 1.0)
        )
        for tag in source(file)["tag"]
        for place, path in enumerate(expand(tag["path"]))
    ]


def test_every_measured_tag_is_addressed_once(plant: Plant) -> None:
    """The three files together are the plant without its products; events are in the logs."""
    assert [file.stem for file in FILES] == ["digestion-1", "potline-1", "power-1"]
    tags = [tag.path for file in FILES for tag in addresses(file)]
    logs = [log for file in FILES for log in source(file).get("log", [])]
    logged = [path for log in logs for path in expand(log["path"])]

    assert sorted(tags + logged) == sorted(
        path for path, tag in plant.tags.items() if tag.derivation is None
    )
    assert all(plant.tag(path).kind is Kind.EVENT for path in logged)
    assert all(plant.tag(path).kind is not Kind.EVENT for path in tags)


def test_files_name_nodes_and_ports_as_served() -> None:
    """Port 5020 and on in the order of the plant file; node, device and file share a name."""
    ports = {}
    for file in FILES:
        whole = tomllib.loads(file.read_text(encoding="utf-8"))
        assert whole["node"] == {"group": "pavlodar", "id": file.stem, "host": "ertis"}
        assert (file.parent / whole["plant"]).resolve() == ROOT / "plants" / "pavlodar.toml"
        assert source(file)["device"] == f"{file.stem}-plc"
        ports[file.stem] = source(file)["port"]

    assert ports == {"potline-1": 5020, "digestion-1": 5021, "power-1": 5022}


async def number(client: AsyncModbusTcpClient, address: int, kind: str) -> float:
    """The number of *kind* at an input register, as any client would decode it."""
    size = struct.calcsize(FORMATS[kind]) // 2
    answer = await client.read_input_registers(address, count=size, device_id=1)
    value: float = struct.unpack(f">{FORMATS[kind]}", struct.pack(f">{size}H", *answer.registers))[
        0
    ]
    return value


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_addresses_decode_to_the_values_of_the_plant(plant: Plant, file: Path) -> None:
    """Read over the wire at each address of the file, decoded as the file says."""
    park = Park(plant, NOON_MS, 1)
    for _ in range(30):
        park.scan(park.ts_ms + 1000)
    (place,) = (n for n, station in enumerate(park.stations) if station.plc.name == file.stem)
    station = park.stations[place]
    seen: dict[str, float] = {}

    async def run() -> float:
        async with (
            serving(park, "127.0.0.1", 0) as servers,
            AsyncModbusTcpClient("127.0.0.1", port=servers[place].port) as client,
        ):
            for tag in addresses(file):
                seen[tag.path] = await number(client, tag.address, tag.type) * tag.scale
            return await number(client, source(file)["clock"]["address"], "uint64")

    assert asyncio.run(run()) == NOON_MS + 30_000
    expected = station.model.values(station.state)
    # A scaled register shows its nearest step.
    resolution = {tag.path: tag.scale / 2 if tag.scale != 1 else 0 for tag in addresses(file)}
    assert seen == {
        path: pytest.approx(value, rel=0, abs=resolution[path] + 1e-9 * bool(resolution[path]))
        for path, value in expected.items()
    }


def test_log_of_the_potline_is_where_the_file_says(plant: Plant) -> None:
    """Head, ring, number of entries and the order of the pots."""
    (log,) = source(ROOT / "plants" / "pavlodar" / "potline-1.toml")["log"]
    park = Park(plant, NOON_MS, 1, tap_every_s=10)
    for _ in range(60):
        park.scan(park.ts_ms + 1000)
    plc = park.stations[0].plc

    assert tuple(expand(log["path"])) == plc.logged
    assert plc.end == log["address"] + log["entries"] * 8
    head = struct.unpack(">I", struct.pack(">2H", *plc.image[log["head"] : log["head"] + 2]))[0]
    assert head == len(plc.log) > 3
    for tap in plc.log:
        at = log["address"] + (tap.number - 1) % log["entries"] * 8
        words = struct.pack(">8H", *plc.image[at : at + 8])
        assert struct.unpack(">IHHIf", words) == (
            tap.number,
            tap.place,
            0,
            tap.ts_ms // 1000,
            tap.amount,
        )
