"""Evaluating KPIs: levels, spans, coverage, reasons, lineage."""

from datetime import timedelta
from typing import Any

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from kpi.binding import bind, kpis_of
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate, evaluate_sums, evaluate_together, lineage, lineage_of_sums
from kpi.sums import add_up
from schemas.errors import FormulaError, NotFoundError
from schemas.plant.file import parse_plant
from tests.kpi.catalogue import park
from tests.kpi.frames import HOUR, MINUTE, START
from tests.kpi.park import IDS, PLANT, bound, summaries, value

POTS = (
    "smelter/line-1/pot-1",
    "smelter/line-1/pot-2",
    "smelter/line-1/pot-3",
    "smelter/line-2/pot-1",
)


def _pots(**given: float) -> dict[str, dict[str, Any]]:
    """Power [kW] and metal [kg] that grow from pot to pot."""
    found: dict[str, dict[str, Any]] = {}
    for place, pot in enumerate(POTS, start=1):
        found[f"{pot}/power"] = {"mean": given["power"] * place}
        found[f"{pot}/metal_tapped"] = {"total": given["metal"]}
    return found


@pytest.mark.parametrize(
    ("asset", "energy", "metal"),
    [
        (POTS[1], 2, 1),
        ("smelter/line-1", 1 + 2 + 3, 3),
        ("smelter/line-2", 4, 1),
        ("smelter", 10, 4),
        ("park", 10, 4),  # the power of the turbines is no power of pots
    ],
)
def test_inputs_are_summed_before_the_ratio(asset: str, energy: float, metal: float) -> None:
    """At every level the KPI is that of the sums, never a mean of ratios."""
    found = value("dc_specific_energy", asset, _pots(power=1300.0, metal=100.0), HOUR)
    assert found["value"] == pytest.approx(1300 * energy / (0.1 * metal), rel=1e-12)
    assert found["coverage"] == 1


def test_a_line_s_current_counts_once_a_pot() -> None:
    """At the line for its three pots, at a pot once, at the smelter line by line."""
    weights = [bound("current_efficiency", a).terms[-1] for a in ("smelter/line-1", POTS[0])]
    assert weights[0].tag == weights[1].tag == "smelter/line-1/line_current"
    assert weights[0].weight == pytest.approx(3 * weights[1].weight)
    charge = [
        term for term in bound("current_efficiency", "smelter").terms if term.input == "charge"
    ]
    assert [round(term.weight * 3600) for term in charge] == [3, 1]


def test_a_meter_stands_for_the_units_behind_it() -> None:
    """The metered farm by its meter, the bare one by its turbines, the area by both."""
    tags = [term.tag for term in bound("capacity_factor", "power").terms if term.input == "energy"]
    assert tags == [
        "power/metered/energy_net",
        "power/bare/wtg-1/power",
        "power/bare/wtg-2/power",
    ]
    capacity = [
        round(term.weight * 3600)
        for term in bound("capacity_factor", "power").terms
        if term.input == "capacity"
    ]
    assert capacity == [8200, 4800, 4800]


def test_a_site_mixes_neither_pots_into_power_nor_power_into_pots() -> None:
    """Both have a measure of that name; the type of the asset keeps them apart."""
    of_site = {term.tag for term in bound("capacity_factor", "park").terms}
    assert of_site == {term.tag for term in bound("capacity_factor", "power").terms}


def test_an_asset_has_the_kpis_of_its_type_that_its_tags_give() -> None:
    """A farm without a meter has no losses to tell; a pot has no liquor."""
    of = {
        asset: [kpi.id for kpi in kpis_of(KPIS, asset, PLANT)]
        for asset in ("power/bare", "power/metered", POTS[0], "digestion")
    }
    assert of == {
        "power/bare": ["energy_delivered", "capacity_factor"],
        "power/metered": [
            "energy_delivered",
            "capacity_factor",
            "unavailability_loss",
            "curtailment_loss",
            "energy_availability",
        ],
        POTS[0]: ["faraday_production", "current_efficiency", "dc_specific_energy"],
        "digestion": ["liquor_productivity", "steam_per_tonne"],
    }


def test_an_asset_of_another_type_is_told_apart_from_one_without_tags() -> None:
    """Both are NotFoundError; the message says which."""
    with pytest.raises(NotFoundError, match="is a pot"):
        bound("capacity_factor", POTS[0])
    with pytest.raises(NotFoundError, match="energy_unavailable"):
        bound("curtailment_loss", "power/bare")


def test_a_tag_whose_unit_does_not_fit_is_refused() -> None:
    """Power in kg would be summed silently otherwise."""
    wrong = parse_plant("""
        site = { name = "s", title = "S", time_zone = "UTC" }
        [[asset]]
        path = "pot"
        level = "unit"
        type = "pot"
        template = "pot"
        [template.pot]
        power = { title = "P", unit = "kg", kind = "gauge", stale_after_s = 60 }
        metal_tapped = { title = "m", unit = "kg", kind = "event", stale_after_s = 60 }
    """)
    with pytest.raises(FormulaError, match="pot/power"):
        bind(KPIS["dc_specific_energy"], "pot", wrong, {"pot/power": 1, "pot/metal_tapped": 2})


def _turbine(covered: float) -> pl.DataFrame:
    measured = {"power/bare/wtg-1/power": {"mean": 2400.0}}
    return summaries(measured, HOUR, covered=covered)


def test_below_the_minimum_coverage_there_is_no_value_but_a_reason() -> None:
    """Half an hour is enough for a capacity factor, less is not, nothing is no reading."""
    turbine, edges = bound("capacity_factor", "power/bare/wtg-1"), [START, START + HOUR]
    half = evaluate(turbine, _turbine(0.5), edges).row(0, named=True)
    assert (half["value"], half["coverage"], half["reason"]) == (0.5, 0.5, None)
    less = evaluate(turbine, _turbine(0.49), edges).row(0, named=True)
    assert less["value"] is None
    assert less["reason"] == "coverage 0.49 is below 0.5"
    none = evaluate(turbine, _turbine(0.5).clear(), edges).row(0, named=True)
    assert (none["value"], none["coverage"], none["reason"]) == (None, 0.0, "no readings")


def test_a_silent_unit_lowers_the_coverage_of_its_farm() -> None:
    """One of two turbines known: coverage one half, and the capacity is that of the one."""
    farm, edges = bound("capacity_factor", "power/bare"), [START, START + HOUR]
    found = evaluate(farm, _turbine(1.0), edges).row(0, named=True)
    assert (found["value"], found["coverage"]) == (0.5, 0.5)


def test_a_zero_denominator_gives_no_value_but_a_reason() -> None:
    """No metal was tapped in this hour: nothing to divide by."""
    found = value("dc_specific_energy", POTS[0], _pots(power=1300.0, metal=0.0), HOUR)
    assert found["value"] is None
    assert found["reason"] == "undefined: metal is zero"


def test_a_value_outside_the_valid_range_is_given_with_a_doubt() -> None:
    """Twice rated power is no capacity factor to believe."""
    measured = {"power/bare/wtg-1/power": {"mean": 9600.0}}
    found = value("capacity_factor", "power/bare/wtg-1", measured, HOUR)
    assert found["value"] == pytest.approx(2.0)
    assert "outside" in found["reason"]


def test_a_series_is_the_same_whatever_stands_around_it() -> None:
    """Each span alone gives the same bits as in a series, in any order of the rows."""
    farm = bound("capacity_factor", "power")
    hours = [START + place * HOUR for place in range(6)]
    rows = pl.concat(
        summaries(
            {
                "power/metered/energy_net": {"total": 1e6 / (place + 7)},
                "power/bare/wtg-1/power": {"mean": 1000 * (place * 7919 % 1009) / 7},
                "power/bare/wtg-2/power": {"mean": 1e-3 / (place + 1)},
            },
            MINUTE,
            bucket=START + place * MINUTE,
            covered=0.9 + place / 3000,
        )
        for place in range(300)
    )
    series = evaluate(farm, rows.sample(fraction=1, shuffle=True, seed=1), hours)
    alone = pl.concat(evaluate(farm, rows, [low, low + HOUR]) for low in hours[:-1])
    assert_frame_equal(series, alone, check_exact=True)
    assert series["value"].is_not_null().all()


def test_spans_of_any_length_are_sums_of_hours() -> None:
    """Spans need not be alike: a calendar's months are edges like any others."""
    turbine = bound("capacity_factor", "power/bare/wtg-1")
    rows = pl.concat(
        summaries({"power/bare/wtg-1/power": {"mean": 480.0 * place}}, HOUR, START + place * HOUR)
        for place in range(10)
    )
    edges = [START, START + 3 * HOUR, START + 10 * HOUR]
    found = evaluate(turbine, rows, edges)
    assert found["value"].to_list() == pytest.approx([0.1, 0.6], rel=1e-12)
    assert found["start"].to_list() == edges[:-1]


def test_an_open_span_counts_up_to_its_edge() -> None:
    """With now as last edge, 20 minutes of a 20-minute span are full coverage."""
    third = timedelta(minutes=20)
    rows = summaries({"power/bare/wtg-1/power": {"mean": 480.0}}, third)
    found = evaluate(bound("capacity_factor", "power/bare/wtg-1"), rows, [START, START + third])
    assert found.row(0, named=True)["coverage"] == pytest.approx(1.0)


@pytest.mark.parametrize("edges", [[START], [START + HOUR, START], [START, START]])
def test_edges_must_ascend(edges: list[Any]) -> None:
    """What is no series of spans is refused."""
    with pytest.raises(ValueError, match="ascending"):
        evaluate(bound("capacity_factor", "power/bare/wtg-1"), _turbine(1.0), edges)


def test_lineage_tells_the_inputs_of_every_answer() -> None:
    """Values in their units, how many tags and readings, how much of it good."""
    farm = bound("capacity_factor", "power/bare")
    found = lineage(farm, _turbine(1.0), [START, START + HOUR])
    assert found["input"].to_list() == ["energy", "capacity"]
    assert found["unit"].to_list() == ["kWh", "kWh"]
    assert found["value"].to_list() == pytest.approx([2400.0, 4800.0], rel=1e-12)
    assert found["tags"].to_list() == [2, 2]
    assert found["readings"].to_list() == [1, 1]
    assert found["good"].to_list() == [0.5, 0.5]
    assert {term.tag_id for term in farm.terms} == {
        IDS[f"power/bare/wtg-{number}/power"] for number in (1, 2)
    }


def test_kpis_evaluated_together_are_those_evaluated_alone() -> None:
    """The same bits, settled hours and methodologies among them, where some hours are missing."""
    tags = sorted(park.PLANT.tags)
    found = pl.concat(
        park.sums(
            {
                tag: {"mean": 1 / (3 + place), "total": 0.1 * hour, "increase": 1 / 7}
                for place, tag in enumerate(tags)
                if (place + hour) % 3
            },
            START + hour * HOUR,
        )
        for hour in range(6)
    )
    edges = [START + hour * HOUR for hour in (0, 1, 4, 6)]
    for asset in ("park", "smelter/line-1", "refinery"):
        bindings = [
            bind(kpi, asset, park.PLANT, park.IDS) for kpi in kpis_of(KPIS, asset, park.PLANT)
        ]
        terms = pl.concat(binding.frame for binding in bindings).unique()
        sums = add_up(terms, found)
        together = evaluate_together(bindings, sums, edges)
        assert len(together) > 5
        for binding, found_together in zip(bindings, together, strict=True):
            least = lineage_of_sums(binding, sums, edges).group_by("start", maintain_order=True)
            assert found_together["good"].equals(least.agg(pl.col("good").min())["good"])
            rows = found_together.drop("good")
            assert_frame_equal(rows, evaluate_sums(binding, sums, edges), check_exact=True)
            assert_frame_equal(rows, evaluate(binding, found, edges), check_exact=True)
