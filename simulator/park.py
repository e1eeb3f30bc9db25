"""The whole park: one station per potline, digestion unit and renewables area of a plant model."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from schemas.errors import ConfigError, PlantError
from schemas.plant.model import Asset, Plant
from simulator.digestion import Digestion
from simulator.model import Model, Totals
from simulator.noise import seeded
from simulator.potline import Potline
from simulator.renewables import Renewables
from simulator.solar import SolarFarm
from simulator.station import Station
from simulator.wind import WindFarm

UINT32 = 2**32

AnyStation = Station[Any]
"""Each station keeps the state of its own process."""


class Park:
    """The stations of *plant* at *now_ms* [ms], in the order of the plant file.

    The same plant, seed and start give the same park, second by second. *memory* holds what the
    stations remember of an earlier run.

    Raises
    ------
    PlantError
        The plant has nothing to simulate, or lacks a rating.
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
        self.stations = tuple(_stations(plant, now_ms, seed, tap_every_s))
        if not self.stations:
            kinds = ", ".join(_MODELS)
            raise PlantError("plant", plant.name, f"give it an asset of one of the types {kinds}")
        for station in self.stations:
            if plain := (memory or {}).get(station.plc.name):
                _recall(station, plain, now_ms, seed)
        self.ts_ms = now_ms

    def scan(self, now_ms: int) -> None:
        """Carry all processes on to *now_ms* [ms] and renew all registers."""
        dt_s = (now_ms - self.ts_ms) / 1000
        for station in self.stations:
            station.scan(now_ms, dt_s)
        self.ts_ms = now_ms

    def totals(self) -> Totals:
        """The exact totals of all assets until the last scan."""
        merged: Totals = {}
        for station in self.stations:
            merged |= station.totals()
        return merged

    def remember(self) -> dict[str, object]:
        """The states of all stations, for the next run."""
        return {station.plc.name: station.remember() for station in self.stations}


def _recall(station: AnyStation, plain: object, now_ms: int, seed: int) -> None:
    name = station.plc.name
    try:
        station.recall(plain, now_ms)
    except ValueError as error:
        raise ConfigError(
            f"--memory {name}", "the state of another plant", "remove the file or name another"
        ) from error
    # A run that goes on must not repeat the noise of the run before.
    station.rng.seed(f"{seed}/{name}/{now_ms}")


def _stations(plant: Plant, now_ms: int, seed: int, tap_every_s: int) -> Iterable[AnyStation]:
    for asset in plant.assets.values():
        if make := _MODELS.get(asset.type):
            name = _name(asset)
            model = make(plant, asset, tap_every_s)
            yield Station(name, model, now_ms, seeded(f"{seed}/{name}"))


def _name(asset: Asset) -> str:
    """``potline-1`` by its path; an area such as ``power`` is numbered to say that it is a PLC."""
    last = asset.path.rpartition("/")[2]
    return last if last[-1].isdigit() else f"{last}-1"


def _potline(plant: Plant, line: Asset, tap_every_s: int) -> Model[Any]:
    pots = [pot.path for pot in plant.subtree(line.path) if pot.type == "pot"]
    return Potline(line.path, pots, _rating(line, "line_current", "kA"), tap_every_s)


def _digestion(_plant: Plant, unit: Asset, _tap_every_s: int) -> Model[Any]:
    return Digestion(unit.path)


def _renewables(plant: Plant, area: Asset, _tap_every_s: int) -> Model[Any]:
    turbines = _rated(plant, area, "turbine")
    energy = plant.tag(f"{turbines[0][0]}/energy")
    modulus = int(energy.modulus or UINT32)
    if modulus > UINT32:
        raise PlantError(f"{energy.path} modulus", modulus, f"the register ends at {UINT32}")
    return Renewables(
        WindFarm(_one(plant, area, "wind_farm"), turbines, modulus),
        SolarFarm(_one(plant, area, "solar_farm"), _rated(plant, area, "inverter")),
    )


_MODELS: Mapping[str, Callable[[Plant, Asset, int], Model[Any]]] = {
    "potline": _potline,
    "digestion": _digestion,
    "renewables": _renewables,
}
"""What simulates an asset, by its type."""


def _one(plant: Plant, area: Asset, kind: str) -> str:
    found = [asset.path for asset in plant.subtree(area.path) if asset.type == kind]
    if len(found) != 1:
        raise PlantError(area.path, found, f"one asset of type {kind} can be simulated here")
    return found[0]


def _rated(plant: Plant, area: Asset, kind: str) -> list[tuple[str, float]]:
    units = [asset for asset in plant.subtree(area.path) if asset.type == kind]
    if not units:
        raise PlantError(area.path, "no units", f"list assets of type {kind} below it")
    return [(unit.path, _rating(unit, "power", "kW")) for unit in units]


def _rating(asset: Asset, name: str, unit: str) -> float:
    rating = asset.ratings.get(name)
    if rating is None or rating.unit != unit:
        raise PlantError(
            f"{asset.path} ratings.{name}", rating, f"the simulator needs it in {unit}"
        )
    return rating.value
