"""Declaring KPIs: dimensions, formulas as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi.formula import Operand, Symbol, written
from kpi.kpi import Amount, Constant, Input, Kpi, ParameterSet, Rated, Source, declare
from kpi.units import factor
from schemas.errors import FormulaError, NotFoundError

POT = frozenset({"pot"})
ENERGY = Input("energy", "E", "kWh", (Source("power", POT, Amount.INTEGRAL),))
HEAT = Input("heat", "H", "MJ", (Source("heat", POT, Amount.TOTAL),))
METAL = Input("metal", "m", "kg", (Source("metal", POT, Amount.TOTAL),))


def _declare(unit: str, inputs: tuple[Input | Rated, ...], formula: Operand) -> Kpi:
    return declare(
        unit=unit,
        assets=["pot"],
        inputs=inputs,
        source="a test",
        valid=(0.0, 1.0),
        minimum_coverage=0.9,
    )(formula)


def test_a_formula_of_another_dimension_is_refused_with_both_shown() -> None:
    """Energy per mass is not mass per energy."""

    def ratio(energy: Operand, metal: Operand) -> Operand:
        return metal / energy

    with pytest.raises(FormulaError) as refused:
        _declare("kWh/t", (ENERGY, METAL), ratio)
    message = str(refused.value)
    assert "ratio" in message
    assert "[time] ** 2 / [length] ** 2" in message
    assert "[length] ** 2 / [time] ** 2" in message


def test_adding_what_does_not_add_up_is_refused() -> None:
    """Energy and mass have no sum."""
    with pytest.raises(FormulaError, match="do not add up"):
        _declare("kWh", (ENERGY, METAL), lambda energy, metal: energy + metal)


def test_adding_units_of_different_size_is_refused() -> None:
    """The sum of kWh and MJ has the right dimension, and Polars would add the bare numbers."""
    with pytest.raises(FormulaError, match="different size"):
        _declare("kWh", (ENERGY, HEAT), lambda energy, heat: energy + heat)


def test_a_unit_that_is_none_is_refused() -> None:
    """A misspelt unit names itself."""
    with pytest.raises(FormulaError, match="kWhh"):
        _declare("kWhh", (ENERGY,), lambda energy: energy)


def test_scales_with_other_zeros_are_refused() -> None:
    """A temperature does not convert by a factor."""
    with pytest.raises(FormulaError, match="zeros"):
        factor("degC", "K", "temperature")


def test_the_scale_converts_into_the_declared_unit() -> None:
    """kWh/kg to kWh/t is a thousand, to the bit."""
    assert _declare("kWh/t", (ENERGY, METAL), lambda energy, metal: energy / metal).scale == 1000.0


def test_a_rated_input_must_be_over_an_input() -> None:
    """A rating without the time it is counted over means nothing."""
    rated = Rated("capacity", "C", "kWh", "power", over="nothing")
    with pytest.raises(FormulaError, match="nothing"):
        _declare("1", (ENERGY, rated), lambda energy, capacity: energy / capacity)


def test_parameter_sets_are_chosen_by_name() -> None:
    """The first set is the default; an unknown one is refused with what is known."""
    low, high = (
        ParameterSet(name, "a test", {"price": Constant(value, "1/kWh")})
        for name, value in (("low", 1.0), ("high", 2.0))
    )
    kpi = Kpi(
        id="cost",
        title="Cost",
        unit="1",
        assets=frozenset(["pot"]),
        inputs=(ENERGY,),
        formula=lambda energy, price: energy * price,
        description="",
        source="a test",
        valid=(0.0, 1.0),
        minimum_coverage=0.9,
        parameter_sets=(low, high),
    )
    assert kpi.parameters() is low
    assert kpi.parameters("high") is high
    with pytest.raises(NotFoundError, match="high, low"):
        kpi.parameters("middle")


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (lambda a, b, c: a / (b + c), "a / (b + c)"),
        (lambda a, b, c: a / (b * c), "a / (b * c)"),
        (lambda a, b, c: a / b / c, "a / b / c"),
        (lambda a, b, c: a - (b - c), "a - (b - c)"),
        (lambda a, b, c: (a - b) * c, "(a - b) * c"),
        (lambda a, b, c: 100 * (1 - a / b) + c, "100 * (1 - a / b) + c"),
        (lambda a, b, c: 2 / a - 0.5 / (b - c), "2 / a - 0.5 / (b - c)"),
    ],
)
def test_formulas_are_written_with_the_brackets_they_need(formula: Operand, text: str) -> None:
    """No more brackets than that, and no fewer."""
    assert written(formula, ("a", "b", "c")) == text


_TREES = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda inner: st.tuples(inner, st.sampled_from("+-*/"), inner),
    max_leaves=8,
)


@given(_TREES)
def test_a_written_formula_means_what_the_formula_computes(tree: Operand) -> None:
    """Reading the text as Python gives the same number, operation by operation."""
    values = {"a": 2.0, "b": 3.0, "c": 0.7}
    text = _apply(tree, {name: Symbol(name) for name in values}).text
    try:
        expected = _apply(tree, values)
    except ZeroDivisionError:
        return
    assert eval(text, {}, values) == pytest.approx(expected)  # noqa: S307 - a formula of this test


def _apply(tree: Operand, values: Operand) -> Operand:
    if isinstance(tree, str):
        return values[tree]
    left, sign, right = tree
    first, second = _apply(left, values), _apply(right, values)
    match sign:
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
        case _:
            return first / second
