"""One look at every tag that a file names: what an engineer sees before the agent runs."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass

from rich.table import Table

from edge.config import EdgeConfig
from edge.source import Source
from edge.sources.device import Device
from schemas.errors import DeviceDown
from schemas.instant import from_ms
from schemas.process import ExitCode
from schemas.quality import Quality
from schemas.reading import Reading


@dataclass(frozen=True, slots=True)
class Sight:
    """What was seen of one tag: a reading, or why there is none."""

    device: str
    path: str
    place: str
    unit: str
    reading: Reading | None
    fault: str

    @property
    def good(self) -> bool:
        """Whether there is a good value."""
        return self.reading is not None and self.reading.quality == Quality.GOOD


async def look(config: EdgeConfig, patience_s: float) -> Sequence[Sight]:
    """Every tag of *config*, seen once; all devices at the same time.

    A device that reports by itself is listened to until each of its tags came, ``patience_s`` at
    the longest. Event logs are read, not marked as read.
    """
    seen = await asyncio.gather(*(_look(device, patience_s) for device in config.devices))
    return [
        Sight(
            device.device,
            path,
            device.place(path),
            config.plant.tag(path).unit,
            readings.get(path),
            _fault(readings.get(path), silence),
        )
        for device, (readings, silence) in zip(config.devices, seen, strict=True)
        for path in device.paths
    ]


def verdict(sights: Sequence[Sight]) -> ExitCode:
    """OK if each tag has a good value, UNAVAILABLE if a device showed none of its tags."""
    if all(sight.good for sight in sights):
        return ExitCode.OK
    answering = {sight.device for sight in sights if sight.reading is not None}
    silent = {sight.device for sight in sights} - answering
    return ExitCode.UNAVAILABLE if silent else ExitCode.FAILED


def table_of(sights: Sequence[Sight]) -> Table:
    """The sights as a table, a row for each tag."""
    table = Table("device", "tag", "address", "value", "unit", "quality", "time", "fault")
    for sight in sights:
        reading = sight.reading
        shown = ("", "", "")
        if reading is not None:
            value = "" if reading.value is None else f"{reading.value:.10g}"
            at = from_ms(reading.ts_ms).isoformat(timespec="milliseconds")
            shown = (value, Quality(reading.quality).name.lower(), at)
        value, quality, at = shown
        row = (sight.device, sight.path, sight.place, value, sight.unit, quality, at, sight.fault)
        table.add_row(*row, style=None if sight.good else "red")
    return table


def summary(sights: Sequence[Sight]) -> str:
    """How many tags of each device are good."""
    devices = dict.fromkeys(sight.device for sight in sights)
    counts = ((name, [s.good for s in sights if s.device == name]) for name in devices)
    return "\n".join(f"{name}: {sum(good)} of {len(good)} tags good" for name, good in counts)


async def _look(device: Device, patience_s: float) -> tuple[dict[str, Reading], str]:
    """The newest reading of each tag that came, and why the others did not."""
    readings: dict[str, Reading] = {}
    source = device.open({})
    try:
        await asyncio.wait_for(_collect(source, readings, set(device.paths)), patience_s)
    except DeviceDown as error:
        return readings, str(error)
    except TimeoutError:
        return readings, f"nothing came within {patience_s:g} s"
    finally:
        await source.close()
    return readings, "it is not among what was read"


async def _collect(source: Source, readings: dict[str, Reading], wanted: set[str]) -> None:
    """Fill *readings*: one scan of what is scanned, all that is *wanted* of what reports itself."""
    while True:
        scan = await source.scan()
        for reading in (*scan.quiet, *scan.readings, *scan.events):
            readings[reading.tag] = reading
        if source.period_s > 0 or wanted <= readings.keys():
            return


def _fault(reading: Reading | None, silence: str) -> str:
    if reading is None:
        return silence
    if reading.value is None:
        return "refused, or no number"
    ahead_s = reading.ts_ms / 1000 - time.time()
    return f"{ahead_s:.0f} s ahead of this clock" if ahead_s > 1.0 else ""
