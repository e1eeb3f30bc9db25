"""Scan classes: slow tags are read with each n-th scan, at the same instants as the fast ones."""

import asyncio
from pathlib import Path

import pytest

from edge.config import load_config
from edge.source import Scan
from edge.sources.modbus.source import ModbusSource
from schemas.errors import ConfigError, DeviceDown
from tests.edge.files import modbus, write_agent
from tests.edge.plc import INPUT, Plc, words
from tests.fixtures.until import until

SLOW = {"address = 6": "address = 60\nevery = 3"}
VOLTAGES = {f"line/pot-{pot}/voltage" for pot in (1, 2, 3)}


def scans(folder: Path, plc: Plc, count: int, lost_at: int | None = None) -> list[Scan | None]:
    """What *count* scans of one source bring; None for the one at which the PLC is silent."""
    device = modbus(load_config(write_agent(folder, plc.port, SLOW)).devices[0])

    async def run() -> list[Scan | None]:
        source, found = ModbusSource(device, {}), list[Scan | None]()
        for number in range(count):
            plc.silent = number == lost_at
            try:
                found.append(await source.scan())
            except DeviceDown:
                found.append(None)
        await source.close()
        return found

    return asyncio.run(run())


def test_slow_tags_come_with_each_third_scan(tmp_path: Path, plc: Plc) -> None:
    """With the PLC's time of that scan; the fast one and the clock with each."""
    image = words("Qf", 5_000, 101.5)
    plc.set(INPUT, 0, image)
    until(lambda: plc.tables[INPUT][:6] == image, "registers")

    found = scans(tmp_path, plc, 7)

    slow = [{r.tag for r in scan.readings} >= VOLTAGES for scan in found if scan]
    assert slow == [True, False, False, True, False, False, True]
    assert all(scan and "line/current" in {r.tag for r in scan.readings} for scan in found)
    assert {r.ts_ms for scan in found if scan for r in scan.readings} == {5_000}


def test_a_device_that_is_found_again_is_read_whole(tmp_path: Path, plc: Plc) -> None:
    """Its tags are bad meanwhile: none of them may wait for its turn."""
    found = scans(tmp_path, plc, 4, lost_at=1)

    assert found[1] is None
    slow = [scan is not None and {r.tag for r in scan.readings} >= VOLTAGES for scan in found]
    assert slow == [True, False, True, False]


def test_a_class_slower_than_stale_after_is_refused(tmp_path: Path) -> None:
    """Voltages are stale after 3 s: 100 scans of 0.05 s are 5 s."""
    changes = {"address = 6": "address = 6\nevery = 100"}

    with pytest.raises(ConfigError, match=r"every: found 100; read every 5 s it would be stale"):
        load_config(write_agent(tmp_path, changes=changes))
