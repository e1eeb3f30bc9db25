"""The park at a scale: its plant file, and the files of the agents that read it.

``pavlodar.toml`` beside this module has the site, what every type of asset measures, and the alarms
of a line; here stands how many assets of each type there are, at scale 1 and at least. Below 0.03
or so a line, a farm or a unit remains of everything.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Final

from schemas.errors import DefectError
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from simulator.plc import LOG_ENTRIES
from simulator.wiring import Point, Wiring, wire

SMALLEST: Final = 0.001
NAME: Final = "pavlodar"
POTS, TURBINES, INVERTERS = 724, 800, 4000
LINES: Final = 3
SECTION_POTS: Final = 24
"""A line has as many pots at least."""

FARM_UNITS: Final = 80
"""The most turbines or inverters of a farm."""

REFINERY: Final[Mapping[str, tuple[int, str]]] = {
    "digestion": (2, "Digestion unit"),
    "clarification": (4, "Settler"),
    "washing": (2, "Washing train"),
    "precipitation": (4, "Precipitation train"),
    "evaporation": (2, "Evaporation train"),
    "calcination": (4, "Calciner"),
    "powerhouse": (1, "Powerhouse"),
}
"""Units of a refinery for 2 Mt/y: how many at scale 1, and what they are called."""

_HEAD: Final = """\
# The Pavlodar park at scale {scale:g}: {pots} pots, a Bayer refinery, {turbines} turbines,
# {inverters} inverters, batteries and the connection to the grid.
# Written, with the agents' files in the folder of the same name, by
#   python -m simulator park --scale {scale:g} --into DIR
#
# Assets are listed parents first; {{001..024}} in a path stands for that many assets.
# A template lists the measures of one type of asset:
#   unit            as pint reads it; "1" for a state
#   kind            gauge | counter | state | event
#   interpolation   step (default: holds its value) | linear
#   stale_after_s   a silence beyond this is not covered by the last value [s]
#   deadband        a smaller change is not reported [unit]
#   limits          what is physically possible [unit]
#   modulus         where a counter starts again [unit]; without one a decrease is a reset
#   max_rate        faster than a counter can climb [unit/h]: its rating, and a tenth
#   product         computed, not measured: the product of two tags, relative to the asset
#   derived         computed by a rule of docs/measures.md from other tags, relative to the asset
"""


@dataclass(frozen=True, slots=True)
class Listed:
    """An ``[[asset]]`` of a plant file."""

    path: str
    level: str
    type: str
    title: str = ""
    template: str = ""
    ratings: Mapping[str, tuple[float, str]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = ["[[asset]]", f'path = "{self.path}"', f'level = "{self.level}"']
        lines.append(f'type = "{self.type}"')
        lines += [f'title = "{self.title}"'] if self.title else []
        lines += [f'template = "{self.template}"'] if self.template else []
        for name, (value, unit) in self.ratings.items():
            lines.append(f'ratings.{name} = {{ value = {value}, unit = "{unit}" }}')
        return "\n".join(lines) + "\n"


@dataclass(frozen=True, slots=True)
class Counts:
    """How many units there are: pots of each line, turbines and inverters of each farm."""

    pots: Sequence[int]
    turbines: Sequence[int]
    inverters: Sequence[int]
    refinery: Mapping[str, int]
    batteries: int

    @classmethod
    def at(cls, scale: float) -> "Counts":
        """The counts at *scale*, 1 being the whole park."""
        pots = max(round(POTS * scale), SECTION_POTS)
        units = {kind: max(round(at_one * scale), 1) for kind, (at_one, _) in REFINERY.items()}
        units["calcination"] = 2 * units["digestion"]
        return cls(
            pots=_shared(pots, min(pots // SECTION_POTS, LINES)),
            turbines=_farms(max(round(TURBINES * scale), 8)),
            inverters=_farms(max(round(INVERTERS * scale), 4)),
            refinery=units,
            batteries=max(round(50 * scale), 1),
        )


def _shared(units: int, among: int) -> list[int]:
    return [units // among + (place < units % among) for place in range(among)]


def _farms(units: int) -> list[int]:
    return _shared(units, -(-units // FARM_UNITS))


def plant_text(scale: float) -> str:
    """The plant file of the park at *scale*."""
    counts = Counts.at(scale)
    head = _HEAD.format(
        scale=scale,
        pots=sum(counts.pots),
        turbines=sum(counts.turbines),
        inverters=sum(counts.inverters),
    )
    described = Path(__file__).with_name(f"{NAME}.toml").read_text(encoding="utf-8")
    site, mark, measured = described.partition("\n# --- smelter ---")
    measured, first, alarms = measured.partition("[[alarm]]\n")
    assets = "\n".join(map(str, _assets(counts)))
    of_lines = (
        f"{first}{alarms}".replace("LINE", str(line)).replace("POTS", _numbers(pots, 3))
        for line, pots in enumerate(counts.pots, start=1)
    )
    return f"{head}\n{site}\n{assets}{mark}{measured}" + "\n".join(of_lines)


def park_at(scale: float) -> Plant:
    """The plant model of the park at *scale*."""
    return parse_plant(plant_text(scale), f"park at scale {scale:g}")


def _assets(counts: Counts) -> Iterator[Listed]:
    yield Listed("smelter", "area", "smelter", "Smelter")
    for line, pots in enumerate(counts.pots, start=1):
        yield from _line(f"smelter/potline-{line}", line, pots)
    yield Listed("smelter/carbon-plant", "unit", "carbon_plant", "Carbon plant", "burner")
    yield Listed("smelter/casthouse", "unit", "casthouse", "Casthouse", "burner")
    yield Listed("refinery", "area", "refinery", "Alumina refinery", "refinery")
    for kind, count in counts.refinery.items():
        rating = {"rate": (60.0, "t/h")} if kind == "calcination" else {}
        for number in range(1, count + 1):
            title = f"{REFINERY[kind][1]} {number}"
            yield Listed(f"refinery/{kind}-{number}", "unit", kind, title, kind, rating)
    yield Listed("power", "area", "renewables", "Wind and solar")
    for farm, turbines in enumerate(counts.turbines, start=1):
        yield from _wind_farm(f"power/wind-{farm}", farm, turbines)
    for farm, inverters in enumerate(counts.inverters, start=1):
        yield from _solar_farm(f"power/solar-{farm}", farm, inverters)
    path = f"power/battery-{_numbers(counts.batteries, 1)}"
    rating = {"power": (20_000.0, "kW"), "energy": (80_000.0, "kWh")}
    yield Listed(path, "unit", "battery", "", "battery", rating)
    connection_kw = 2_500.0 * sum(counts.pots) + 5_000.0 * sum(counts.turbines)
    rating = {"power": (connection_kw, "kW")}
    yield Listed("power/grid", "unit", "grid", "Connection to the grid", "grid", rating)


def _line(path: str, number: int, pots: int) -> Iterator[Listed]:
    rating = {"line_current": (500.0, "kA")}
    yield Listed(path, "line", "potline", f"Potline {number}", "potline", rating)
    yield Listed(f"{path}/rectifier", "unit", "rectifier", "Rectifiers", "rectifier")
    yield Listed(f"{path}/gas-treatment", "unit", "gas_treatment", "Gas treatment", "consumer")
    yield Listed(f"{path}/potroom", "unit", "potroom", "Potroom services", "consumer")
    yield Listed(f"{path}/pot-{_numbers(pots, 3)}", "unit", "pot", "", "pot")


def _wind_farm(path: str, number: int, turbines: int) -> Iterator[Listed]:
    rating = {"power": (4_800.0, "kW")}
    yield Listed(path, "line", "wind_farm", f"Wind farm {number}")
    units = f"{path}/wtg-{_numbers(turbines, 2)}"
    yield Listed(units, "unit", "turbine", "", "turbine", rating)
    yield Listed(f"{path}/mast", "unit", "met_mast", "Met mast", "met_mast")


def _solar_farm(path: str, number: int, inverters: int) -> Iterator[Listed]:
    rating = {"power": (2_500.0, "kW"), "dc_power": (3_125.0, "kW")}
    yield Listed(path, "line", "solar_farm", f"Solar farm {number}", "solar_farm")
    units = f"{path}/inv-{_numbers(inverters, 2)}"
    yield Listed(units, "unit", "inverter", "", "inverter", rating)


def _numbers(count: int, width: int) -> str:
    return f"{{{1:0{width}d}..{count:0{width}d}}}"


def agent_texts(plant: Plant) -> dict[str, str]:
    """The files of the agents of *plant*, by their names."""
    return {
        agent: _agent(plant.name, agent, list(plcs))
        for agent, plcs in groupby(wire(plant), lambda wiring: wiring.agent)
    }


def write_park(scale: float, into: Path) -> list[Path]:
    """Write the park at *scale* to the folder *into*; returns the files, the plant's first."""
    plant = into / f"{NAME}.toml"
    folder = into / NAME
    folder.mkdir(parents=True, exist_ok=True)
    plant.write_text(plant_text(scale), encoding="utf-8")
    written = [plant]
    for agent, text in agent_texts(park_at(scale)).items():
        written.append(folder / f"{agent}.toml")
        written[-1].write_text(text, encoding="utf-8")
    return written


def _agent(plant: str, agent: str, plcs: Sequence[Wiring]) -> str:
    tags = sum(wiring.tags for wiring in plcs)
    count = "one PLC" if len(plcs) == 1 else f"{len(plcs)} PLCs"
    head = (
        f"# Agent beside {count} of {agent}: {tags} tags.\n"
        "# One request reads one scan of a PLC: one answer, one time.\n\n"
        f'plant = "../{plant}.toml"\n\n'
        f'[node]\ngroup = "{plant}"\nid = "{agent}"\nhost = "ertis"\n'
    )
    return "\n".join([head, *map(_source, plcs)])


def _source(wiring: Wiring) -> str:
    head = (
        f'[[source]]\ntype = "modbus"\ndevice = "{wiring.name}"\nhost = "127.0.0.1"\n'
        f"port = {wiring.port}\nunit_id = 1\nscan_s = 1.0\n"
        'clock = { table = "input", address = 0 }\n'
    )
    tags = [_tag(path, first) for path, first in _columns(wiring.points)]
    return "\n".join([head, *tags, *(_log(log.head, log.paths) for log in wiring.logs)])


def _tag(path: str, first: Point) -> str:
    stride = f"stride = {first.encoding.words}\n" if ".." in path else ""
    scale = "" if first.encoding.scale == 1.0 else f"scale = {first.encoding.scale:g}\n"
    return (
        f'[[source.tag]]\npath = "{path}"\ntable = "input"\naddress = {first.address}\n'
        f'{stride}type = "{first.encoding.type}"\n{scale}'
    )


def _log(head: int, paths: Sequence[str]) -> str:
    ranges = list(_ranges(paths))
    if len(ranges) != 1:
        raise DefectError(f"the log of {paths[0]} and others is no one range: {ranges}")
    return (
        f'[[source.log]]\npath = "{ranges[0][0]}"\ntable = "input"\nhead = {head}\n'
        f"address = {head + 2}\nentries = {LOG_ENTRIES}\n"
    )


def _columns(points: Sequence[Point]) -> Iterator[tuple[str, Point]]:
    """A path with a range for points of one measure, and the first of them."""
    place = 0
    for path, length in _ranges([point.path for point in points]):
        yield path, points[place]
        place += length


def _ranges(paths: Iterable[str]) -> Iterator[tuple[str, int]]:
    """Paths whose assets are numbered one after the other, as one path, and how many they are."""
    runs: list[list[str]] = []
    for path in paths:
        if runs and _next(runs[-1][-1]) == path:
            runs[-1].append(path)
        else:
            runs.append([path])
    for run in runs:
        head, first, tail = _split(run[0])
        last = _split(run[-1])[1]
        yield (f"{head}{{{first}..{last}}}{tail}" if len(run) > 1 else run[0]), len(run)


def _split(path: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"(.*?)(\d+)(/[^/]+)", path)
    return (found[1], found[2], found[3]) if found else (path, "", "")


def _next(path: str) -> str:
    head, number, tail = _split(path)
    return f"{head}{int(number) + 1:0{len(number)}d}{tail}" if number else ""
