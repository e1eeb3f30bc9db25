"""The accounts of the green-aluminium ledger: what is booked, at which assets, hour by hour."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from kpi.binding import kpis_of
from kpi.catalogue.carbon import fuel_co2, scope2_location, scope2_market
from kpi.catalogue.emission import anode_co2, pfc_emission
from kpi.catalogue.grid import CARBON_FREE, MATCHED
from kpi.catalogue.inputs import (
    CHARGE,
    CHARGED,
    DISCHARGED,
    EFFECT_TIME,
    EVERY_TYPE,
    EXPORT,
    GENERATION,
    IMPORT,
    LOAD,
    METAL,
)
from kpi.catalogue.methodology import SMELTER_CARBON, only
from kpi.formula import Formula
from kpi.kpi import Given, Input, Kpi
from schemas.plant.model import Asset, Plant


@dataclass(frozen=True, slots=True)
class Account:
    """What is booked under one name.

    ``kpi`` gives the amount. It is booked for each asset of the types ``at``, and elsewhere for
    whatever measures it itself: line by line, farm by farm, nothing twice. An amount that comes in
    lumps (metal in taps, carbon in anodes) is known for the whole period; ``spread`` gives what it
    is then spread over the hours by. ``scope`` is that of the GHG Protocol.
    """

    name: str
    title: str
    kpi: Kpi
    at: frozenset[str]
    spread: Kpi | None = None
    scope: int | None = None

    def assets(self, plant: Plant) -> Iterator[str]:
        """The assets that the account has an entry for, in the order of the plant."""
        yield from self._below(plant.asset(plant.name), plant)

    def _below(self, asset: Asset, plant: Plant) -> Iterator[str]:
        if asset.type in self.at or self._is_measured_at(asset, plant):
            if all(kpis_of({kpi.id: kpi}, asset.path, plant) for kpi in self.kpis):
                yield asset.path
            return
        for child in plant.children[asset.path]:
            yield from self._below(child, plant)

    @property
    def kpis(self) -> tuple[Kpi, ...]:
        """What has to be evaluated."""
        return (self.kpi,) if self.spread is None else (self.kpi, self.spread)

    def _is_measured_at(self, asset: Asset, plant: Plant) -> bool:
        return any(
            asset.type in source.of and f"{asset.path}/{source.measure}" in plant.tags
            for given in self.kpi.inputs
            if isinstance(given, Input)
            for source in given.sources
        )


def _booked(name: str, title: str, unit: str, inputs: tuple[Given, ...], amount: Formula) -> Kpi:
    return Kpi(
        id=name,
        title=title,
        unit=unit,
        assets=EVERY_TYPE,
        inputs=inputs,
        formula=amount,
        description=title,
        source="Green-aluminium ledger",
        valid=(float("-inf"), float("inf")),
        minimum_coverage=0.9,
    )


#: The names of the parameter sets that a ledger can be kept by; the first is the default.
METHODOLOGIES: Final = tuple(given.name for given in SMELTER_CARBON)

_BY_CHARGE: Final = _booked("charge", "Charge", "kA h", (CHARGE,), lambda charge: charge)
_BY_EFFECTS: Final = _booked(
    "effect_time", "Time in anode effects", "min", (EFFECT_TIME,), lambda effect_time: effect_time
)

_SITE: Final = frozenset({"site"})
_LINES: Final = frozenset({"potline"})
_FARMS: Final = frozenset({"wind_farm", "solar_farm"})
_AREAS: Final = frozenset({"smelter", "refinery"})


def _account(
    name: str, title: str, inputs: tuple[Given, ...], amount: Formula, at: frozenset[str]
) -> Account:
    return Account(name, title, _booked(name, title, "MWh", inputs, amount), at)


ENERGY: Final = (
    _account("generation", "Wind and solar", (GENERATION,), lambda generation: generation, _FARMS),
    _account(
        "storage charge",
        "Into the batteries",
        (replace(CHARGED, optional=False),),
        lambda charged: charged,
        frozenset(),
    ),
    _account(
        "storage discharge",
        "Out of the batteries",
        (replace(DISCHARGED, optional=False),),
        lambda discharged: discharged,
        frozenset(),
    ),
    _account("import", "From the grid", (IMPORT,), lambda imported: imported, frozenset()),
    _account("export", "To the grid", (EXPORT,), lambda exported: exported, frozenset()),
    _account("consumption", "Consumed", (LOAD,), lambda load: load, _LINES | {"refinery"}),
    _account("matched", "Met by own renewables", MATCHED, lambda matched: matched, _SITE),
    _account("carbon-free", "Met carbon-free", CARBON_FREE, lambda carbon_free: carbon_free, _SITE),
)

CARBON: Final = (
    Account(
        "metal",
        "Metal tapped, spread by charge",
        _booked("metal", "Metal tapped", "t", (METAL,), lambda metal: metal),
        _LINES,
        spread=_BY_CHARGE,
    ),
    Account(
        "pfc",
        "CF4 and C2F6, spread by time in anode effects",
        pfc_emission,
        _LINES,
        spread=_BY_EFFECTS,
        scope=1,
    ),
    Account(
        "anode",
        "CO2 of the anodes, spread by charge",
        replace(anode_co2, parameter_sets=only(SMELTER_CARBON, "sulfur", "ash", "oxidation")),
        _LINES,
        spread=_BY_CHARGE,
        scope=1,
    ),
    Account("fuel", "CO2 of fuels", fuel_co2, _AREAS, scope=1),
    Account("power by location", "Imported power", scope2_location, _SITE, scope=2),
    Account("power by market", "Imported power", scope2_market, _SITE, scope=2),
)

ACCOUNTS: Final[Mapping[str, Account]] = {account.name: account for account in (*ENERGY, *CARBON)}


def booked(plant: Plant) -> Iterator[tuple[Kpi, str]]:
    """Everything that the ledger of *plant* evaluates, and at which asset."""
    for account in ACCOUNTS.values():
        for asset in account.assets(plant):
            for kpi in account.kpis:
                yield kpi, asset
