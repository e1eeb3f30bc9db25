"""What the nodes of a fault scenario measure: a plant, and readings that follow from a seed.

The readings of a step are known before they are sent, so the ledger needs no log that a kill could
cut short. Steps are a second apart and begin shortly before a full hour in the past: summaries by
minute and by hour are closed when a scenario ends.
"""

import random
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Final

from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from schemas.quality import Quality
from schemas.reading import Reading

GROUP: Final = "faults"
HOST: Final = "ertis"
NODES: Final = ("edge-1", "edge-2")
DEVICES: Final = 8
HOUR_MS: Final = 3_600_000
#: An asset that no node of ours measures: what strangers send lands here.
STRANGER: Final = "yard"

_PLANT: Final = """
[site]
name = "faults"
title = "Faults"
time_zone = "Asia/Almaty"

[[asset]]
path = "line-{1..2}"
level = "line"
type = "line"

[[asset]]
path = "line-{1..2}/unit-{1..8}"
level = "unit"
type = "pot"
template = "unit"

[[asset]]
path = "yard"
level = "unit"
type = "pot"
template = "unit"

[[source]]
address = "faults/stranger"
asset = "yard"

[template.unit]
level = { title = "Level", unit = "kA", kind = "gauge", stale_after_s = 60 }
flow = { title = "Flow", unit = "V", kind = "gauge", interpolation = "linear", stale_after_s = 60 }
volume = { title = "Volume", unit = "m3", kind = "counter", modulus = 1000, stale_after_s = 60 }
running = { title = "Running", unit = "1", kind = "state", stale_after_s = 60 }
tapped = { title = "Tapped", unit = "kg", kind = "event", stale_after_s = 60 }

[template.unit.product]
title = "Product"
unit = "kW"
kind = "gauge"
stale_after_s = 60
product = ["level", "flow"]
"""
Value = tuple[float | None, int]
"""Value and quality."""
Readings = dict[tuple[str, int], Value]
"""By tag path and time [ms]."""


def plant() -> Plant:
    """Units with a tag of every kind: a line of eight for each node, one unit for strangers."""
    return parse_plant(_PLANT)


def unit(node: str, number: int) -> str:
    """The asset that device *number* (from 1) of *node* measures."""
    return f"line-{NODES.index(node) + 1}/unit-{number}"


def before_the_hour(seconds: int) -> int:
    """So many seconds before the last full hour that lies at least an hour back [ms]."""
    return (time.time_ns() // 1_000_000 // HOUR_MS - 1) * HOUR_MS - seconds * 1000


@dataclass(frozen=True, slots=True)
class Load:
    """The readings of one node: at each step, every ``step_ms``, one of every tag of its devices.

    From step ``jump_at`` on the node's clock is off by ``jump_s``; its readings are stamped by it,
    unless its PLCs have clocks of their own.
    """

    node: str
    start_ms: int
    steps: int = 300
    step_ms: int = 1000
    seed: int = 1
    jump_at: int = 0
    jump_s: int = 0
    plc_clock: bool = False

    @property
    def devices(self) -> dict[str, list[str]]:
        """The tags of each device."""
        return {
            f"plc-{number}": [f"{unit(self.node, number)}/{measure}" for measure in _MEASURES]
            for number in range(1, DEVICES + 1)
        }

    @property
    def readings(self) -> int:
        """How many are sent in all."""
        return self.steps * DEVICES * len(_MEASURES)

    def ts_ms(self, step: int) -> int:
        """The time of the readings of *step* [ms]."""
        ahead_ms = 0 if self.plc_clock else self.ahead_ns(step) // 1_000_000
        return self.start_ms + self.step_ms * step + ahead_ms

    def ahead_ns(self, step: int) -> int:
        """By how much the node's clock is ahead at *step* [ns]."""
        return self.jump_s * 1_000_000_000 if 0 < self.jump_at <= step else 0

    def step(self, step: int) -> Iterator[tuple[str, list[Reading]]]:
        """Device and readings of one step."""
        ts_ms = self.ts_ms(step)
        for device, paths in self.devices.items():
            values = _values(self.seed, self.steps, f"{self.node}/{device}")[step]
            yield (
                device,
                [
                    Reading(path, ts_ms, value, quality)
                    for path, (value, quality) in zip(paths, values, strict=True)
                ],
            )

    def ledger(self, keep: Callable[[Reading], bool] = lambda _: True) -> Readings:
        """All that is sent and that *keep* wants; of one tag and time the later reading."""
        return {
            (reading.tag, reading.ts_ms): (reading.value, reading.quality)
            for step in range(self.steps)
            for _, lot in self.step(step)
            for reading in lot
            if keep(reading)
        }


@cache
def _values(seed: int, steps: int, name: str) -> list[list[Value]]:
    """Values of a device by step and measure."""
    random_ = random.Random(f"{seed} {name}")  # noqa: S311 - a load, not a secret
    return [[draw(random_, step) for draw in _MEASURES.values()] for step in range(steps)]


def _level(random_: random.Random, _step: int) -> Value:
    return round(random_.gauss(4.2, 0.3), 4), Quality.GOOD


def _flow(random_: random.Random, _step: int) -> Value:
    """Sometimes uncertain, sometimes without a value."""
    value, fate = round(random_.uniform(10, 30), 3), random_.random()
    if fate < 0.02:
        return None, Quality.BAD
    return value, Quality.UNCERTAIN if fate < 0.05 else Quality.GOOD


def _volume(random_: random.Random, step: int) -> Value:
    """Passes its modulus every 143 steps."""
    return round((step * 7 + random_.random()) % 1000, 3), Quality.GOOD


def _running(random_: random.Random, _step: int) -> Value:
    return float(random_.random() < 0.8), Quality.GOOD


def _tapped(random_: random.Random, _step: int) -> Value:
    return round(random_.uniform(800, 1200), 1), Quality.GOOD


_MEASURES: Final[Mapping[str, Callable[[random.Random, int], Value]]] = {
    "level": _level,
    "flow": _flow,
    "volume": _volume,
    "running": _running,
    "tapped": _tapped,
}
