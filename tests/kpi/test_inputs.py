"""What an input is summed from: meters and what is behind them, ratings, what a plant lacks."""

import pytest

from kpi.binding import bind, kpis_of
from kpi.catalogue.inputs import LINE, POT, integral
from kpi.evaluate import evaluate, lineage
from kpi.kpi import Amount, Input, Kpi, Rated, Settled, Source, declare
from schemas.errors import FormulaError, NotFoundError
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from tests.kpi.catalogue.park import IDS, PLANT, sums
from tests.kpi.frames import HOUR, START

CHARGE = Input(
    "charge",
    "Charge",
    "kA h",
    (integral("pot_current", POT), Source("line_current", LINE, Amount.INTEGRAL, per="pot")),
)


def declared(*inputs: Input | Rated | Settled, unit: str = "kA h") -> Kpi:
    """A KPI that is its last input."""
    last = inputs[-1].name
    functions = {
        "charge": lambda charge: charge,
        "capacity": lambda capacity: capacity,
        "both": lambda both: both,
    }
    return Kpi(
        id="test",
        title="Test",
        unit=unit,
        assets=frozenset({"pot", "potline", "smelter", "site"}),
        inputs=inputs,
        formula=functions[last],
        description="Test",
        source="test",
        valid=(-1e9, 1e9),
        minimum_coverage=0.9,
    )


def without(plant: Plant, path: str) -> Plant:
    """The plant without one tag."""
    tags = {one: tag for one, tag in plant.tags.items() if one != path}
    return Plant(plant.name, plant.title, plant.time_zone, plant.assets, tags)


def weights(kpi: Kpi, asset: str, plant: Plant) -> dict[str, float]:
    """Tag -> how often its kA h count."""
    return {term.tag: round(term.weight * 3600, 6) for term in bind(kpi, asset, plant, IDS).terms}


def test_a_pot_with_a_current_of_its_own_is_not_counted_by_its_line() -> None:
    """Of two pots one has its own: the line's current stands for the other."""
    plant = without(PLANT, "smelter/line-1/pot-2/pot_current")
    assert weights(declared(CHARGE), "smelter/line-1", PLANT) == {
        "smelter/line-1/pot-1/pot_current": 1.0,
        "smelter/line-1/pot-2/pot_current": 1.0,
    }
    assert weights(declared(CHARGE), "smelter/line-1", plant) == {
        "smelter/line-1/pot-1/pot_current": 1.0,
        "smelter/line-1/line_current": 1.0,
    }


def test_a_pot_without_one_takes_that_of_its_line() -> None:
    """Asked about the pot alone, the line above it serves it once."""
    plant = without(PLANT, "smelter/line-1/pot-2/pot_current")
    asset = "smelter/line-1/pot-2"
    assert weights(declared(CHARGE), asset, plant) == {"smelter/line-1/line_current": 1.0}


def test_a_rating_is_looked_for_below_and_then_above() -> None:
    """500 kA of its line for each pot; without any rating there is no KPI."""
    rated = Rated("capacity", "Rated", "kA h", "line_current", over="charge")
    kpi = declared(CHARGE, rated)
    found = [
        t.weight * 3600 for t in bind(kpi, "smelter", PLANT, IDS).terms if t.input == "capacity"
    ]
    assert found == pytest.approx([500.0] * 4)

    nothing = declared(CHARGE, Rated("capacity", "Rated", "kA h", "no_rating", over="charge"))
    assert kpis_of({"test": nothing}, "smelter", PLANT) == []
    assert kpis_of({"test": kpi}, "smelter", PLANT) == [kpi]


def test_a_rating_without_its_asset_is_refused() -> None:
    """A KPI that is asked for where nothing is rated has no value, rather than zero."""
    nothing = declared(CHARGE, Rated("capacity", "Rated", "kA h", "no_rating", over="charge"))
    with pytest.raises(NotFoundError, match="no_rating"):
        bind(nothing, "smelter", PLANT, IDS)


@declare(
    unit="kWh",
    assets=("site",),
    inputs=(
        Input("load", "Load", "kWh", (integral("load", frozenset({"casthouse"})),)),
        Input("tidal", "Tidal", "kWh", (integral("power", frozenset({"tide"})),), optional=True),
    ),
    source="test",
    valid=(0, 1e9),
    minimum_coverage=0.9,
)
def _balance(load: float, tidal: float) -> float:
    """Balance.

    Of a plant that may have a tidal plant.
    """
    return load - tidal


def test_what_a_plant_does_not_have_is_zero_and_known() -> None:
    """An optional input of no tag lowers no coverage; the lineage says that it has none."""
    binding = bind(_balance, "park", PLANT, IDS)
    given = sums({"smelter/casthouse/load": {"mean": 5.0}})
    edges = [START, START + HOUR]
    answer = evaluate(binding, given, edges).row(0, named=True)
    inputs = lineage(binding, given, edges).filter(input="tidal").row(0, named=True)

    assert (answer["value"], answer["coverage"]) == (5.0, 1.0)
    assert (inputs["value"], inputs["tags"], inputs["readings"]) == (0.0, 0, 0)


def test_an_optional_input_that_is_there_is_wanted() -> None:
    """A plant that has the thing is not known without it."""
    plant = parse_plant("""
        site = { name = "s", title = "S", time_zone = "UTC" }
        [[asset]]
        path = "cast"
        level = "unit"
        type = "casthouse"
        template = "cast"
        [[asset]]
        path = "tide"
        level = "unit"
        type = "tide"
        template = "tide"
        [template.cast]
        load = { title = "L", unit = "kW", kind = "gauge", stale_after_s = 60 }
        [template.tide]
        power = { title = "P", unit = "kW", kind = "gauge", stale_after_s = 60 }
    """)
    binding = bind(
        _balance, "s", plant, {"cast/load": IDS["smelter/casthouse/load"], "tide/power": 0}
    )
    given = sums({"smelter/casthouse/load": {"mean": 5.0}})
    answer = evaluate(binding, given, [START, START + HOUR]).row(0, named=True)

    assert (answer["value"], answer["coverage"]) == (None, 0.0)


def test_a_settlement_has_to_fit_its_inputs() -> None:
    """Names that are inputs, units without conversion: hours are computed with plain numbers."""
    twice = Settled("both", "Twice", "kA h", lambda charge: charge + charge)
    assert declared(CHARGE, twice).operands == ("both",)

    with pytest.raises(FormulaError, match="settled from 'current'"):
        declared(CHARGE, Settled("both", "Both", "kA h", lambda current: current))
    with pytest.raises(FormulaError, match="give its operands in A h"):
        declared(CHARGE, Settled("both", "Both", "A h", lambda charge: charge), unit="A h")


def test_an_input_that_nothing_takes_is_refused() -> None:
    """It would lower the coverage of a value that does not hang on it."""
    other = Input("other", "Other", "kA h", CHARGE.sources)
    with pytest.raises(FormulaError, match="has no other"):
        declared(other, CHARGE)
