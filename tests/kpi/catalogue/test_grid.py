"""Matching, battery and carbon of the site, hour by hour."""

from collections.abc import Sequence
from datetime import timedelta

import polars as pl
import pytest

from kpi.binding import bind
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate, lineage
from tests.kpi.catalogue.park import IDS, PLANT, held, of_readings, of_sums, sums
from tests.kpi.frames import HOUR, START

SITE = "park"

_LOADS = sorted(
    {
        term.tag
        for term in bind(KPIS["self_sufficiency"], SITE, PLANT, IDS).terms
        if term.input == "load"
    }
)
_UNITS = [
    term.tag
    for term in bind(KPIS["self_consumption"], SITE, PLANT, IDS).terms
    if term.input == "generation"
]


def hours(
    load: Sequence[float], renewable: Sequence[float], cfe: float = 0.3, **of: Sequence[float]
) -> pl.DataFrame:
    """Summaries of the site by the hour: all load at one consumer, all generation at one farm.

    What is missing comes from the grid, what is too much goes to it; *of* gives the battery.
    """
    frames = []
    for hour, (used, made) in enumerate(zip(load, renewable, strict=True)):
        charge, discharge = (
            of.get(name, [0.0] * len(load))[hour] for name in ("charge", "discharge")
        )
        balance = used + charge - made - discharge
        given: dict[str, dict[str, float]] = {tag: {"mean": 0.0} for tag in _LOADS}
        given |= {
            tag: {"total": 0.0} if tag.endswith("energy_net") else {"mean": 0.0} for tag in _UNITS
        }
        given |= {
            "smelter/casthouse/load": {"mean": used},
            "power/metered/energy_net": {"total": made},
            "power/battery/charge_power": {"mean": charge},
            "power/battery/discharge_power": {"mean": discharge},
            "grid/import_power": {"mean": max(balance, 0.0)},
            "grid/export_power": {"mean": max(-balance, 0.0)},
            "grid/carbon_free_import": {"mean": max(balance, 0.0) * cfe},
            "grid/renewable_import": {"mean": max(balance, 0.0) * cfe},
            "grid/import_emission": {"mean": max(balance, 0.0) * 0.5},
        }
        frames.append(sums(given, START + hour * HOUR))
    return pl.concat(frames)


def of_site(kpi: str, summaries: pl.DataFrame, count: int) -> float:
    """The value over all hours."""
    edges = [START, START + count * HOUR]
    value = evaluate(bind(KPIS[kpi], SITE, PLANT, IDS), summaries, edges)["value"].item()
    assert isinstance(value, float)
    return value


EXAMPLE = hours(load=[6, 6, 6, 6], renewable=[8, 4, 0, 6])


@pytest.mark.parametrize(
    ("kpi", "value"),
    [
        ("hourly_matched_share", 66.6667),
        ("carbon_free_score", 76.6667),
        ("volumetric_renewable_share", 75.0),
        ("self_consumption", 100 * 16 / 18),
        ("self_sufficiency", 100 * 16 / 24),
    ],
)
def test_four_hours_of_matching(kpi: str, value: float) -> None:
    """Load 6 each hour, renewables 8, 4, 0, 6, grid 30 % carbon-free: 0.6667, 0.7667, 0.75."""
    assert of_site(kpi, EXAMPLE, 4) == pytest.approx(value, abs=5e-5)


def test_the_surplus_of_one_hour_is_no_help_to_another() -> None:
    """All of the day's energy in one hour: the year's books balance, the hours do not."""
    given = hours(load=[6, 6, 6, 6], renewable=[24, 0, 0, 0])
    assert of_site("volumetric_renewable_share", given, 4) == pytest.approx(100.0)
    assert of_site("hourly_matched_share", given, 4) == pytest.approx(25.0)


def test_a_battery_carries_it_over() -> None:
    """What was charged in the hour of surplus counts where it is discharged, losses apart."""
    given = hours(
        load=[6, 6, 6, 6], renewable=[24, 0, 0, 0], charge=[18, 0, 0, 0], discharge=[0, 6, 6, 4]
    )
    assert of_site("hourly_matched_share", given, 4) == pytest.approx(100 * 22 / 24)
    assert of_site("carbon_free_score", given, 4) == pytest.approx(100 * (22 + 2 * 0.3) / 24)


def test_minutes_are_settled_by_the_hour() -> None:
    """Half an hour of surplus and half of want within one hour are one hour's match."""
    first, second = (hours([6.0], [made]) for made in (12.0, 0.0))
    half = pl.col("integral", "total", "covered_s", "good_s") / 2
    minutes = pl.concat(
        [first.with_columns(half), second.with_columns(half, pl.col("bucket").dt.offset_by("30m"))]
    )
    assert of_site("hourly_matched_share", minutes, 1) == pytest.approx(100.0)


def test_spans_that_cut_an_hour_settle_their_parts() -> None:
    """Each half hour by itself: the surplus of the first is not in the second span."""
    first, second = (hours([6.0], [made]) for made in (12.0, 0.0))
    half = pl.col("integral", "total", "covered_s", "good_s") / 2
    minutes = pl.concat(
        [first.with_columns(half), second.with_columns(half, pl.col("bucket").dt.offset_by("30m"))]
    )
    edges = [START, START + HOUR / 2, START + HOUR]
    found = evaluate(bind(KPIS["hourly_matched_share"], SITE, PLANT, IDS), minutes, edges)
    assert found["value"].to_list() == pytest.approx([100.0, 0.0])


def test_the_hours_of_a_span_are_the_spans_of_its_hours() -> None:
    """Matched energy adds up: four hours in one span or in four."""
    binding = bind(KPIS["hourly_matched_share"], SITE, PLANT, IDS)
    by_hour = lineage(binding, EXAMPLE, [START + n * HOUR for n in range(5)])
    at_once = lineage(binding, EXAMPLE, [START, START + 4 * HOUR])
    matched = pl.col("input") == "matched"

    assert by_hour.filter(matched)["value"].to_list() == pytest.approx([6.0, 4.0, 0.0, 6.0])
    assert at_once.filter(matched)["value"].item() == pytest.approx(16.0)


def test_an_hour_of_which_nothing_is_known_is_not_matched() -> None:
    """The coverage says so; nine tenths are wanted."""
    binding = bind(KPIS["hourly_matched_share"], SITE, PLANT, IDS)
    known = EXAMPLE.filter(pl.col("bucket") < START + 3 * HOUR)
    found = evaluate(binding, known, [START, START + 4 * HOUR]).row(0, named=True)

    assert found["value"] is None
    assert found["coverage"] == pytest.approx(0.75)


def test_renewable_factor_of_a_published_example() -> None:
    """MVS, test_E3_indicator_calculation.py: grid 50 with 10 % renewable, PV 100: 0.70."""
    given = hours(load=[150.0], renewable=[100.0], cfe=0.1)
    assert of_site("renewable_factor", given, 1) == pytest.approx(0.70)


@pytest.mark.parametrize(
    ("charged", "discharged", "gain", "efficiency"),
    [
        # Empty to empty.
        (1000.0, 880.0, 0.0, 88.0),
        # 200 kWh are still in it: they are no loss.
        (1200.0, 880.0, 200.0, 88.0),
        # It gave what it had been holding.
        (800.0, 880.0, -200.0, 88.0),
    ],
)
def test_a_battery_is_judged_by_what_it_holds(
    charged: float, discharged: float, gain: float, efficiency: float
) -> None:
    """The change of its state of charge over the window is accounted for."""
    given = {
        "power/battery/charge_power": {"mean": charged},
        "power/battery/discharge_power": {"mean": discharged},
        "power/battery/stored_energy_change": {"total": gain},
    }
    found = of_sums("battery_round_trip", "power/battery", given)
    assert found["value"] == pytest.approx(efficiency)


def test_scope_2_both_ways() -> None:
    """1000 kW imported, 600 of it under a contract of 0.02 kg/kWh; grid 0.6, residual mix 0.8."""
    given = {
        "grid/import_power": held(1000.0, 3600),
        "grid/emission_factor": [(-60.0, 0.6)],
        "grid/contracted_power": [(-60.0, 600.0), (3000.0, 600.0)],
        "grid/contract_emission_factor": [(-60.0, 0.02)],
        "grid/residual_emission_factor": [(-60.0, 0.8)],
    }
    location = of_readings("scope2_location", SITE, given)["value"]
    market = of_readings("scope2_market", SITE, given)["value"]

    assert location == pytest.approx(0.600)
    assert market == pytest.approx(0.6 * 0.02 + 0.4 * 0.8)


def test_own_wind_and_sun_are_in_no_scope() -> None:
    """A site that imports nothing has no scope 2, however much it uses."""
    given = hours(load=[6.0], renewable=[6.0])
    edges = [START, START + timedelta(hours=1)]
    found = evaluate(bind(KPIS["scope2_location"], SITE, PLANT, IDS), given, edges)
    assert found["value"].item() == 0.0
