"""The whole park: the processes of a plant model, and the PLCs before them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import chain
from typing import Any, Final

import numpy as np

from schemas.errors import ConfigError, PlantError
from schemas.plant.model import Asset, Plant
from simulator import solar, wind
from simulator.grid import Battery, Grid
from simulator.memory import plain, revived
from simulator.model import Disturbance, Event, Moment, Process, Totals, refuse
from simulator.noise import FloatArray, seeded
from simulator.plc import Plc
from simulator.pot import METAL_KG_PER_KAH
from simulator.potline import Potline
from simulator.refinery import MEASURES, Refinery, Unit
from simulator.services import PER_TONNE, Services
from simulator.station import Station
from simulator.wiring import wire

UINT32: Final = 2**32


class Running:
    """A *process* with its state and the generator that is its own and nobody else's."""

    def __init__(self, name: str, process: Process[Any], now_ms: int, seed: int) -> None:
        self.name = name
        self.process = process
        self.rng = seeded(f"{seed}/{name}")
        self.state = process.start(now_ms, self.rng)

    def step(self, moment: Moment) -> Moment:
        """Carry it on; *moment* for the process after it, with its power."""
        self.state = self.process.step(self.state, moment, self.rng)
        power = self.process.power(self.state)
        return Moment(
            moment.now_ms,
            moment.dt_s,
            moment.load_kw + power.load_kw,
            moment.generation_kw + power.generation_kw,
        )

    def recall(self, given: object, now_ms: int, seed: int) -> None:
        """Take up the state of an earlier run, whose noise is not repeated."""
        self.state = revived(self.state, given)
        self.rng = seeded(f"{seed}/{self.name}/{now_ms}")


class Park:
    """The processes and PLCs of *plant* at *now_ms* [ms].

    The same plant, seed and start give the same park, second by second. *memory* holds what
    processes and PLCs remember of an earlier run: they stood still meanwhile.

    Raises
    ------
    PlantError
        The plant has nothing to simulate, a tag that nothing simulates, or lacks a rating.
    ConfigError
        The memory belongs to another plant.
    """

    def __init__(
        self,
        plant: Plant,
        now_ms: int,
        seed: int,
        tap_every_s: int = 300,
        memory: Mapping[str, object] | None = None,
    ) -> None:
        self.running = [
            Running(name, process, now_ms, seed) for name, process in _processes(plant, tap_every_s)
        ]
        if not self.running:
            right = "give it a potline, a refinery, turbines, inverters or a grid connection"
            raise PlantError("plant", plant.name, right)
        self.ts_ms = now_ms
        self.stations = [Station(Plc(wiring), self._disturb) for wiring in wire(plant)]
        paths = list(chain.from_iterable(one.process.paths for one in self.running))
        self._places = [_places(station.plc, paths) for station in self.stations]
        if memory:
            self._recall(memory, now_ms, seed)
        self._carry(now_ms, 0.0)

    def scan(self, now_ms: int) -> None:
        """Carry all processes on to *now_ms* [ms] and renew all registers."""
        self._carry(now_ms, (now_ms - self.ts_ms) / 1000)

    def _carry(self, now_ms: int, dt_s: float) -> None:
        moment = Moment(now_ms, dt_s)
        for running in self.running:
            moment = running.step(moment)
        values = self.values()
        events = self.events()
        for station, places in zip(self.stations, self._places, strict=True):
            station.plc.scan(now_ms, values[places], events)
        self.ts_ms = now_ms

    def values(self) -> FloatArray:
        """What all sensors would show, in the order of `paths`."""
        return np.concatenate([one.process.values(one.state) for one in self.running])

    @property
    def paths(self) -> tuple[str, ...]:
        """The paths of all tags but events that the processes have."""
        return tuple(chain.from_iterable(one.process.paths for one in self.running))

    def events(self) -> list[Event]:
        """What happened at the last scan."""
        return [event for one in self.running for event in one.process.events(one.state)]

    def totals(self) -> Totals:
        """The exact totals of all assets until the last scan."""
        merged: Totals = {}
        for one in self.running:
            merged |= one.process.totals(one.state)
        return merged

    def remember(self) -> dict[str, object]:
        """The states of all processes and PLCs, for the next run."""
        return {one.name: plain(one.state) for one in self.running} | {
            station.plc.name: station.plc.remember() for station in self.stations
        }

    def _recall(self, memory: Mapping[str, object], now_ms: int, seed: int) -> None:
        names = [one.name for one in self.running] + [one.plc.name for one in self.stations]
        if unknown := set(names) ^ set(memory):
            raise _foreign(min(unknown))
        for running in self.running:
            try:
                running.recall(memory[running.name], now_ms, seed)
            except ValueError as error:
                raise _foreign(running.name) from error
        for station in self.stations:
            try:
                station.plc.recall(memory[station.plc.name])
            except (TypeError, ValueError) as error:
                raise _foreign(station.plc.name) from error

    def _disturb(self, disturbance: Disturbance) -> None:
        """Disturb every process that knows the fault of one of the assets."""
        found = False
        for running in self.running:
            with suppress(ValueError):
                running.state = running.process.disturb(running.state, disturbance)
                found = True
        if not found:
            raise refuse(disturbance)


def _foreign(name: str) -> ConfigError:
    return ConfigError(
        f"--memory {name}", "the state of another plant", "remove the file or name another"
    )


def _places(plc: Plc, paths: Sequence[str]) -> Sequence[int]:
    at = {path: place for place, path in enumerate(paths)}
    if unknown := [point.path for point in plc.points if point.path not in at]:
        raise PlantError("tag", unknown[0], "nothing simulates it; derive it, or take it out")
    return [at[point.path] for point in plc.points]


def _processes(plant: Plant, tap_every_s: int) -> Iterator[tuple[str, Process[Any]]]:
    """In the order in which they step: the grid settles what the others draw and give."""
    of: dict[str, list[Asset]] = {}
    for asset in plant.assets.values():
        of.setdefault(asset.type, []).append(asset)
    metal_t_per_h = 0.0
    for line in of.get("potline", ()):
        pots = [pot.path for pot in plant.subtree(line.path) if pot.type == "pot"]
        rated_ka = _rating(line, "line_current", "kA")
        metal_t_per_h += METAL_KG_PER_KAH * 0.94 * rated_ka * len(pots) / 1000
        yield line.path, Potline(line.path, pots, rated_ka, tap_every_s)
    services = {asset.path: kind for kind in PER_TONNE for asset in of.get(kind, ())}
    if services:
        yield "services", Services(services, metal_t_per_h)
    units = [
        Unit(asset.path, kind, _rating(asset, "rate", "t/h") if kind == "calcination" else 0.0)
        for kind in MEASURES
        for asset in of.get(kind, ())
    ]
    if "digestion" in of:
        yield "refinery", Refinery(units)
    if "turbine" in of:
        yield "wind", wind.Wind(list(_wind_farms(plant, of)), _modulus(plant, of["turbine"]))
    if "inverter" in of:
        yield "solar", solar.Solar(list(_solar_farms(of)), _modulus(plant, of["inverter"]))
    for grid in of.get("grid", ())[:1]:
        batteries = [
            Battery(one.path, _rating(one, "power", "kW"), _rating(one, "energy", "kWh"))
            for one in of.get("battery", ())
        ]
        yield grid.path, Grid(grid.path, _rating(grid, "power", "kW"), batteries)


def _wind_farms(plant: Plant, of: Mapping[str, Sequence[Asset]]) -> Iterator[wind.Farm]:
    for path, turbines in _by_parent(of["turbine"]):
        masts = [one.path for one in plant.children[path] if one.type == "met_mast"]
        rated = [(turbine.path, _rating(turbine, "power", "kW")) for turbine in turbines]
        yield wind.Farm(path, rated, masts[0] if masts else None)


def _solar_farms(of: Mapping[str, Sequence[Asset]]) -> Iterator[solar.Farm]:
    for path, inverters in _by_parent(of["inverter"]):
        rated = [
            (one.path, _rating(one, "power", "kW"), _rating(one, "dc_power", "kW"))
            for one in inverters
        ]
        yield solar.Farm(path, rated)


def _by_parent(assets: Iterable[Asset]) -> Iterator[tuple[str, list[Asset]]]:
    farms: dict[str, list[Asset]] = {}
    for asset in assets:
        farms.setdefault(str(asset.parent), []).append(asset)
    yield from farms.items()


def _modulus(plant: Plant, units: Sequence[Asset]) -> float:
    energy = plant.tags.get(f"{units[0].path}/energy")
    modulus = energy.modulus if energy and energy.modulus else UINT32
    if energy and modulus > UINT32:
        raise PlantError(f"{energy.path} modulus", modulus, f"the register ends at {UINT32}")
    return modulus


def _rating(asset: Asset, name: str, unit: str) -> float:
    rating = asset.ratings.get(name)
    if rating is None or rating.unit != unit:
        raise PlantError(
            f"{asset.path} ratings.{name}", rating, f"the simulator needs it in {unit}"
        )
    return rating.value
