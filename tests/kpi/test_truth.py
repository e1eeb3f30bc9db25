"""Every KPI of the catalogue against a simulated park that knows the truth.

An hour and a quarter of the whole park with faults, scanned every three seconds, as its PLCs show
it: read, derived, summarised by minute, evaluated. The truth is what the processes summed
themselves, asset by asset, without tags, bindings or summaries.

Between two scans everything is constant, so a KPI is right to rounding, `EXACT`, wherever it is
made of levels, states, events and doses. The energy of totalisers is as fine as their reading: a
scan late, whole kWh (`SAMPLED`).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from math import isclose
from typing import Any, Final, TypeAlias

import numpy as np
import polars as pl
import pytest

from kpi.binding import bind, kpis_of
from kpi.catalogue.park import KPIS
from kpi.derive import derive, derived_tags
from kpi.evaluate import evaluate
from kpi.frames import READINGS, TAGS
from kpi.kpi import Amount, Given, Input, Kpi, Rated, Settled, Source
from kpi.summary import summarise
from kpi.units import factor
from schemas.instant import to_ms
from schemas.plant.model import Asset, Plant
from simulator.command import Command, Fault
from simulator.model import Totals
from simulator.park import Park
from simulator.potline import PotlineState
from simulator.scale import SMALLEST, park_at

EXACT: Final = 1e-9
SCAN: Final = timedelta(seconds=3)
BEGIN: Final = datetime(2026, 7, 21, 5, 45, tzinfo=UTC)
"""Mid-morning of a summer day: sun and wind, and time for the windows of the noise to fill."""

EDGES: Final = (
    datetime(2026, 7, 21, 6, 0, tzinfo=UTC),
    datetime(2026, 7, 21, 6, 40, tzinfo=UTC),
    datetime(2026, 7, 21, 7, 15, tzinfo=UTC),
)
HOUR: Final = datetime(2026, 7, 21, 7, 0, tzinfo=UTC)
INSTANTS: Final = sorted({*EDGES, HOUR})

#: The KPIs that no totaliser lets be exact: kWh that a span may miss, a unit.
SAMPLED: Final = {"energy_delivered": 1.0 + 4800.0 * SCAN.total_seconds() / 3600}

Quantities: TypeAlias = Mapping[tuple[str, Amount], tuple[str, str]]

LOAD: Final[dict[tuple[str, Amount], tuple[str, str]]] = {
    ("load", Amount.INTEGRAL): ("load_kwh", "kWh")
}
FUEL: Final[dict[tuple[str, Amount], tuple[str, str]]] = {
    ("fuel_heat", Amount.INTEGRAL): ("fuel_heat_gj", "GJ"),
    ("fuel_emission", Amount.INTEGRAL): ("fuel_co2_kg", "kg"),
}
GENERATION: Final[Quantities] = {
    ("power", Amount.INTEGRAL): ("net_kwh", "kWh"),
    ("energy", Amount.INCREASE): ("energy_kwh", "kWh"),
    ("available", Amount.ACTIVE): ("available_s", "s"),
    ("power_unavailable", Amount.INTEGRAL): ("unavailable_kwh", "kWh"),
    ("power_curtailed", Amount.INTEGRAL): ("curtailed_kwh", "kWh"),
}

#: Asset type -> measure and aggregate -> quantity of the ledger and its unit.
QUANTITIES: Final[Mapping[str, Quantities]] = {
    "pot": {
        ("metal_tapped", Amount.TOTAL): ("metal_tapped_kg", "kg"),
        ("metal_inventory_change", Amount.TOTAL): ("metal_gain_kg", "kg"),
        ("pure_metal_tapped", Amount.TOTAL): ("pure_metal_kg", "kg"),
        ("metal_on_grade", Amount.TOTAL): ("metal_on_grade_kg", "kg"),
        ("anode_set", Amount.TOTAL): ("anode_set_kg", "kg"),
        ("butt_removed", Amount.TOTAL): ("butt_removed_kg", "kg"),
        ("alumina_fed", Amount.INCREASE): ("alumina_fed_kg", "kg"),
        ("alf3_fed", Amount.INCREASE): ("alf3_fed_kg", "kg"),
        ("pot_current", Amount.INTEGRAL): ("charge_kah", "kA h"),
        ("power", Amount.INTEGRAL): ("energy_kwh", "kWh"),
        ("operating", Amount.ACTIVE): ("operating_s", "s"),
        ("anode_effect_by_voltage", Amount.ACTIVE): ("anode_effect_s", "s"),
        ("anode_effect_by_voltage", Amount.ACTIVATIONS): ("anode_effects", "1"),
        ("overvoltage", Amount.INTEGRAL): ("overvoltage_v_s", "V s"),
        ("voltage", Amount.INTEGRAL): ("voltage_v_s", "V s"),
        ("resistance", Amount.INTEGRAL): ("resistance_uohm_s", "uohm s"),
        ("normal_voltage", Amount.INTEGRAL): ("normal_voltage_v_s", "V s"),
        ("voltage_slope", Amount.INTEGRAL): ("voltage_slope_v_min_s", "V/min*s"),
        ("noise_fast", Amount.INTEGRAL): ("noise_fast_v_s", "V s"),
        ("noise_slow", Amount.INTEGRAL): ("noise_slow_v_s", "V s"),
        ("noise_alarm", Amount.ACTIVE): ("noise_alarm_s", "s"),
        ("superheat", Amount.INTEGRAL): ("superheat_k_s", "delta_degC s"),
        ("bath_excess_alf3", Amount.INTEGRAL): ("excess_alf3_percent_s", "percent s"),
    },
    "potline": {
        ("line_current", Amount.INTEGRAL): ("charge_kah", "kA h"),
        ("current_target", Amount.INTEGRAL): ("target_kah", "kA h"),
    },
    "rectifier": {
        ("load", Amount.INTEGRAL): ("ac_kwh", "kWh"),
        ("dc_power", Amount.INTEGRAL): ("dc_kwh", "kWh"),
    },
    "gas_treatment": LOAD,
    "potroom": LOAD,
    "carbon_plant": LOAD | FUEL,
    "casthouse": LOAD | FUEL,
    "refinery": {
        ("load", Amount.INTEGRAL): ("load_kwh", "kWh"),
        ("water_intake", Amount.INTEGRAL): ("intake_m3", "m^3"),
        ("water_discharge", Amount.INTEGRAL): ("discharge_m3", "m^3"),
    },
    "digestion": {
        ("bauxite_feed", Amount.INTEGRAL): ("bauxite_t", "t"),
        ("bauxite_alumina_flow", Amount.INTEGRAL): ("bauxite_alumina_t", "t"),
        ("extracted_alumina_flow", Amount.INTEGRAL): ("extracted_t", "t"),
        ("pregnant_flow", Amount.INTEGRAL): ("pregnant_m3", "m^3"),
        ("spent_alumina_flow", Amount.INTEGRAL): ("spent_alumina_kg", "kg"),
        ("pregnant_alumina_flow", Amount.INTEGRAL): ("pregnant_alumina_kg", "kg"),
        ("pregnant_caustic_flow", Amount.INTEGRAL): ("pregnant_caustic_kg", "kg"),
        ("pregnant_soda_flow", Amount.INTEGRAL): ("pregnant_soda_kg", "kg"),
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
    },
    "clarification": {
        ("overflow_solids", Amount.INTEGRAL): ("solids_mg_s_l", "mg/L*s"),
        ("overflow_cloudy", Amount.ACTIVE): ("cloudy_s", "s"),
        **{
            (f"overflow_above_{limit}", Amount.ACTIVE): (f"above_{limit}_s", "s")
            for limit in (10, 20, 50, 100, 200, 500)
        },
    },
    "washing": {
        ("residue_flow", Amount.INTEGRAL): ("residue_t", "t"),
        ("residue_used", Amount.INTEGRAL): ("used_t", "t"),
        ("underflow_soda_flow", Amount.INTEGRAL): ("soda_kg", "kg"),
    },
    "precipitation": {
        ("precipitated_flow", Amount.INTEGRAL): ("precipitated_kg", "kg"),
        ("feed_flow", Amount.INTEGRAL): ("feed_m3", "m^3"),
    },
    "evaporation": {
        ("condensate_flow", Amount.INTEGRAL): ("condensate_t", "t"),
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
        ("caustic_makeup", Amount.INTEGRAL): ("caustic_kg", "kg"),
    },
    "calcination": {
        ("alumina_produced", Amount.INCREASE): ("alumina_t", "t"),
        ("alumina_on_spec", Amount.INCREASE): ("on_spec_t", "t"),
        ("running", Amount.ACTIVE): ("running_s", "s"),
        ("planned", Amount.ACTIVE): ("planned_s", "s"),
        **FUEL,
    },
    "powerhouse": {
        ("steam_flow", Amount.INTEGRAL): ("steam_t", "t"),
        **FUEL,
    },
    "turbine": GENERATION,
    "inverter": GENERATION,
    "met_mast": {
        ("air_density", Amount.INTEGRAL): ("air_density_kg_s_m3", "kg/m^3*s"),
        ("wind_speed_normal", Amount.INTEGRAL): ("normal_wind_m", "m"),
        ("wind_east", Amount.INTEGRAL): ("east_s", "s"),
        ("wind_north", Amount.INTEGRAL): ("north_s", "s"),
    },
    "solar_farm": {
        ("irradiance", Amount.INTEGRAL): ("insolation_kwh_m2", "kWh/m^2"),
        ("irradiance_corrected", Amount.INTEGRAL): ("insolation_corrected_kwh_m2", "kWh/m^2"),
    },
    "battery": {
        ("charge_power", Amount.INTEGRAL): ("charged_kwh", "kWh"),
        ("discharge_power", Amount.INTEGRAL): ("discharged_kwh", "kWh"),
        ("stored_energy_change", Amount.TOTAL): ("stored_gain_kwh", "kWh"),
    },
    "grid": {
        ("import_power", Amount.INTEGRAL): ("import_kwh", "kWh"),
        ("export_power", Amount.INTEGRAL): ("export_kwh", "kWh"),
        ("import_emission", Amount.INTEGRAL): ("import_co2_kg", "kg"),
        ("renewable_import", Amount.INTEGRAL): ("renewable_kwh", "kWh"),
        ("carbon_free_import", Amount.INTEGRAL): ("carbon_free_kwh", "kWh"),
        ("market_emission", Amount.INTEGRAL): ("market_co2_kg", "kg"),
    },
}


@dataclass(frozen=True)
class Run:
    """What was simulated: the plant, its tags, their summaries by minute, the truth at instants."""

    plant: Plant
    tag_ids: Mapping[str, int]
    summaries: pl.DataFrame
    truth: Mapping[datetime, Totals]

    def value(self, kpi: Kpi, asset: str) -> list[dict[str, Any]]:
        """What the KPI core makes of the readings."""
        binding = bind(kpi, asset, self.plant, self.tag_ids)
        return evaluate(binding, self.summaries, EDGES).to_dicts()

    def true(self, kpi: Kpi, asset: str, start: datetime, end: datetime) -> float | None:
        """The KPI of the true inputs; None where it divides by zero."""
        constants = {name: of.value for name, of in kpi.parameters().constants.items()}
        inputs = {
            given.name: self.input(kpi, given, asset, start, end)
            for given in kpi.inputs
            if given.name in kpi.operands
        }
        try:
            value: float = kpi.formula(**inputs, **constants) * kpi.scale
        except ZeroDivisionError:
            return None
        return value

    def error(self, kpi: Kpi, asset: str) -> float:
        """How far sampling lets the KPI be off, at most."""
        if kpi.id not in SAMPLED:
            return EXACT
        units = sum(one.type in {"turbine", "inverter"} for one in self.plant.subtree(asset))
        return SAMPLED[kpi.id] * units * factor("kWh", kpi.unit, kpi.id)

    def input(self, kpi: Kpi, given: Given, asset: str, start: datetime, end: datetime) -> float:
        """What an input truly was over ``[start, end)``."""
        if isinstance(given, Settled):
            by_name = {one.name: one for one in kpi.inputs}
            instants = [start, *(at for at in (HOUR,) if start < at < end), end]
            hours: list[float] = [
                given.formula(
                    **{
                        name: self.input(kpi, by_name[name], asset, *hour)
                        for name in given.operands
                    }
                )
                for hour in pairwise(instants)
            ]
            return sum(hours)
        if isinstance(given, Rated):
            over = next(one for one in kpi.inputs if one.name == given.over)
            assert isinstance(over, Input)
            seconds = (end - start).total_seconds()
            return sum(
                self.rating(one, given.rating, f"({given.unit}) / s") * seconds
                for one, _ in self.sources(over, asset)
            )
        return sum(
            self.amount(source, one, given.unit, asset, (start, end))
            for one, source in self.sources(given, asset)
        )

    def sources(self, given: Input, asset: str) -> Iterator[tuple[Asset, Source]]:
        """The assets at or below *asset* that measure an input, each by its first source."""
        below = list(self.plant.subtree(asset))
        above = self.plant.asset(asset).parent
        for one in below:
            for source in given.sources:
                # Every pot has a current of its own: none takes that of its line.
                if source.per is not None:
                    continue
                if one.type in source.of and f"{one.path}/{source.measure}" in self.plant.tags:
                    yield one, source
                    break
        if given.sources[0].rated is not None and above is not None and len(below) == 1:
            farm = self.plant.asset(above)
            yield from ((farm, source) for source in given.sources if farm.type in source.of)

    def amount(
        self,
        source: Source,
        one: Asset,
        unit: str,
        asked: str,
        span: tuple[datetime, datetime],
    ) -> float:
        """What one asset gave of an input, in *unit*."""
        start, end = span
        if source.amount is Amount.COVERED:
            return (end - start).total_seconds() * factor("s", unit, one.path)
        quantity, given = QUANTITIES[one.type][source.measure, source.amount]
        grown = self.truth[end][one.path][quantity] - self.truth[start][one.path][quantity]
        if source.rated is None:
            return grown * factor(given, unit, one.path)
        near = [asset for asset in self.plant.subtree(one.path) if source.rated in asset.ratings]
        within = [asset for asset in near if f"{asset.path}/".startswith(f"{asked}/")] or near
        ratings = [asset.ratings[source.rated] for asset in within]
        return grown * sum(
            rating.value * factor(f"({given}) * ({rating.unit})", unit, one.path)
            for rating in ratings
        )

    def rating(self, asset: Asset, name: str, unit: str) -> float:
        """The rating of *asset* or of the nearest asset above it."""
        while name not in asset.ratings:
            assert asset.parent is not None
            asset = self.plant.asset(asset.parent)
        return asset.ratings[name].value * factor(asset.ratings[name].unit, unit, asset.path)


def place(park: Park, asset: str) -> tuple[int, int]:
    """The station that serves *asset*, and its place there."""
    for number, station in enumerate(park.stations):
        if asset in station.plc.wiring.assets:
            return number, station.plc.wiring.assets.index(asset) + 1
    raise AssertionError(asset)


def fault(park: Park, fault: Fault, asset: str, level: int | None, minutes: int) -> None:
    """A command to the PLC of *asset*; without a level it is about the asset itself."""
    station, unit = place(park, asset)
    park.stations[station].obey(Command(fault, unit if level is None else level, minutes * 60))


def disturb(park: Park, minute: float) -> None:
    """What goes wrong, by the minute since the begin."""
    line, wind, sun = "smelter/potline-1", "power/wind-1", "power/solar-1"
    match minute:
        case 18.0:
            running = park.running[0]
            state: PotlineState = running.state
            out = state.pots.out_until_ms.copy()
            out[23] = to_ms(HOUR)
            running.state = replace(state, pots=replace(state.pots, out_until_ms=out))
            fault(park, Fault.UPSET, f"{line}/pot-003", None, 4)
            fault(park, Fault.SICKEN, f"{line}/pot-011", None, 40)
        case 25.0:
            fault(park, Fault.UPSET, f"{wind}/wtg-02", None, 30)
            fault(park, Fault.UPSET, f"{sun}/inv-01", None, 45)
            fault(park, Fault.UPSET, "refinery/calcination-2", None, 20)
        case 50.0:
            fault(park, Fault.MODULATE, line, 85, 20)
            fault(park, Fault.UPSET, f"{line}/pot-001", None, 2)
        case 65.0:
            fault(park, Fault.CURTAIL, f"{wind}/wtg-01", 5, 15)
            fault(park, Fault.UPSET, f"{line}/pot-003", None, 3)


@pytest.fixture(scope="module")
def run() -> Run:
    """The park at its smallest, from BEGIN to the last edge."""
    plant = park_at(SMALLEST)
    tag_ids = {path: number for number, path in enumerate(plant.tags, start=1)}
    park = Park(plant, to_ms(BEGIN), seed=5, tap_every_s=60)
    points = [point for station in park.stations for point in station.plc.points]
    times, rows, events, truth = [], [], [], {}
    now = BEGIN
    while True:
        times.append(now)
        rows.append([station.plc.shown for station in park.stations])
        events += [(tag_ids[one.path], now, one.amount, 192) for one in park.events()]
        if now in INSTANTS:
            truth[now] = park.totals()
        if now >= EDGES[-1]:
            break
        disturb(park, (now - BEGIN).total_seconds() / 60)
        now += SCAN
        park.scan(to_ms(now))
    ids = np.array([tag_ids[point.path] for point in points], np.int32)
    measured = pl.DataFrame(
        {
            "tag_id": np.tile(ids, len(times)),
            "ts": pl.Series(times).repeat_by(len(ids)).explode(),
            "value": np.concatenate([np.concatenate(row) for row in rows]),
            "quality": pl.repeat(192, len(ids) * len(times), eager=True),
        }
    ).cast(pl.Schema(READINGS))
    readings = pl.concat([measured, pl.DataFrame(events, schema=dict(READINGS), orient="row")])
    tags = pl.DataFrame(
        [
            (tag_ids[path], tag.kind.value, tag.interpolation.value, tag.stale_after_s, tag.modulus)
            for path, tag in plant.tags.items()
        ],
        schema=dict(TAGS),
        orient="row",
    )
    derived = derived_tags(plant, tag_ids)
    computed = derive(readings, derived, derived, tags)
    summaries = summarise(
        pl.concat([readings, computed]), tags, EDGES[0], EDGES[-1], timedelta(minutes=1)
    )
    return Run(plant, tag_ids, summaries, truth)


def asked(plant: Plant) -> list[tuple[str, str]]:
    """Every KPI at the first asset of each type that has it."""
    first: dict[str, str] = {}
    for asset in plant.assets.values():
        first.setdefault(asset.type, asset.path)
    return [(kpi.id, path) for path in first.values() for kpi in kpis_of(KPIS, path, plant)]


def test_every_kpi_has_a_place_in_the_park() -> None:
    """No KPI of the catalogue that no asset of the park could be asked for."""
    assert {kpi for kpi, _ in asked(park_at(SMALLEST))} == KPIS.keys()


def test_every_kpi_is_the_truth(run: Run) -> None:
    """Both spans, each KPI at one asset of every type that has it, up to the site."""
    wrong = []
    for name, asset in asked(run.plant):
        kpi = KPIS[name]
        for row in run.value(kpi, asset):
            true = run.true(kpi, asset, row["start"], row["end"])
            error = run.error(kpi, asset)
            value = row["value"]
            if true is None or value is None:
                right = value is true
            else:
                right = isclose(value, true, rel_tol=EXACT, abs_tol=error)
            if not right:
                wrong.append((name, asset, row["value"], true, row["reason"], row["coverage"]))
    assert not wrong, "\n".join(map(str, wrong))
