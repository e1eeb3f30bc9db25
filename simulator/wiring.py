"""Which PLC serves which tag, and at which register: what the simulator and the agents agree on.

A PLC serves whole assets, as many as one Modbus request reads: 125 input registers with the time of
the scan, so that an answer is a scan. Event tags stand in rings, one for each measure. All of it
follows from the plant model alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from schemas.plant.model import Asset, Plant, Tag
from schemas.reading import Kind
from simulator.register import Encoding, encoding_of

CLOCK: Final = Encoding("uint64")
FIRST_TAG: Final = CLOCK.words
REQUEST: Final = 125
"""The registers that one request may ask for (Modbus application protocol, 6.4)."""

LOG_STEP: Final = 1000
"""The rings of event tags stand at 1000, 2000, ..."""

AGENT_PLCS: Final = 64
"""The most PLCs that one agent reads."""

FIRST_PORT: Final = 5020


@dataclass(frozen=True, slots=True)
class Point:
    """Where a tag stands among the input registers."""

    path: str
    address: int
    encoding: Encoding

    @property
    def end(self) -> int:
        """The address behind its last register."""
        return self.address + self.encoding.words


@dataclass(frozen=True, slots=True)
class Log:
    """The ring of the event tags at *paths*: its head, with the entries behind it."""

    head: int
    paths: tuple[str, ...]

    @property
    def measure(self) -> str:
        """What the events measure."""
        return self.paths[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Wiring:
    """A PLC called ``name``, read by ``agent``: its assets in order, its points and its logs."""

    name: str
    agent: str
    port: int
    assets: tuple[str, ...]
    points: tuple[Point, ...]
    logs: tuple[Log, ...]

    @property
    def tags(self) -> int:
        """How many tags it serves, event tags included."""
        return len(self.points) + sum(len(log.paths) for log in self.logs)


def wire(plant: Plant) -> tuple[Wiring, ...]:
    """The PLCs of *plant*, those of one agent after the other."""
    measured: dict[str, list[Tag]] = {}
    for tag in plant.tags.values():
        if tag.derivation is None:
            measured.setdefault(tag.asset, []).append(tag)
    lines = [asset.path for asset in plant.assets.values() if asset.type == "potline"]
    agents: dict[str, list[Asset]] = {}
    for asset in plant.assets.values():
        if asset.path in measured:
            agents.setdefault(_agent(asset.path, lines), []).append(asset)
    found: list[Wiring] = []
    for area, assets in agents.items():
        for place, group in enumerate(_packed(assets, measured)):
            agent = _numbered(area, place // AGENT_PLCS)
            name = f"{agent}-plc-{place % AGENT_PLCS + 1}"
            port = FIRST_PORT + len(found)
            found.append(_wired(name, agent, port, group, measured))
    return tuple(found)


def _agent(asset: str, lines: Sequence[str]) -> str:
    """A potline has an agent of its own; what serves all of a smelter goes to its first line."""
    area = asset.partition("/")[0]
    own = [line for line in lines if f"{asset}/".startswith(f"{line}/")]
    near = [line for line in lines if line.startswith(f"{area}/")]
    return (own or near or [area])[0].rpartition("/")[2]


def _numbered(area: str, place: int) -> str:
    """``power-1`` and on; a line has its number already."""
    if area[-1].isdigit():
        return area if place == 0 else f"{area}-{place + 1}"
    return f"{area}-{place + 1}"


def _packed(assets: Iterable[Asset], measured: dict[str, list[Tag]]) -> Iterator[list[Asset]]:
    group: list[Asset] = []
    room = REQUEST - FIRST_TAG
    for asset in assets:
        size = sum(encoding_of(tag.measure).words for tag in _values(measured[asset.path]))
        if group and size > room:
            yield group
            group, room = [], REQUEST - FIRST_TAG
        group.append(asset)
        room -= size
    yield group


def _values(tags: Sequence[Tag]) -> list[Tag]:
    return [tag for tag in tags if tag.kind is not Kind.EVENT]


def _wired(
    name: str, agent: str, port: int, assets: Sequence[Asset], measured: dict[str, list[Tag]]
) -> Wiring:
    points: list[Point] = []
    logs: dict[str, list[str]] = {}
    address = FIRST_TAG
    for _, alike in groupby(assets, lambda asset: (asset.parent, asset.type)):
        run = [measured[asset.path] for asset in alike]
        for column in zip(*run, strict=True):
            for tag in column:
                if tag.kind is Kind.EVENT:
                    logs.setdefault(tag.measure, []).append(tag.path)
                    continue
                point = Point(tag.path, address, encoding_of(tag.measure))
                points.append(point)
                address = point.end
    rings = (Log((place + 1) * LOG_STEP, tuple(paths)) for place, paths in enumerate(logs.values()))
    return Wiring(
        name, agent, port, tuple(asset.path for asset in assets), tuple(points), tuple(rings)
    )
