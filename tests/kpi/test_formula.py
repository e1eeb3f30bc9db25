"""The functions of formulas: the same of columns, numbers, quantities and symbols."""

import math
from collections.abc import Callable

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kpi import formula
from kpi.formula import Operand, Symbol, written
from kpi.units import formula_factor, registry
from schemas.errors import FormulaError

_NUMBERS = st.sampled_from([-3.5, -1.0, -1e-14, 0.0, 0.5, 1.0, 2.0, 350.0])

FUNCTIONS: dict[str, tuple[Callable[..., Operand], int]] = {
    "minimum": (formula.minimum, 2),
    "maximum": (formula.maximum, 2),
    "positive": (formula.positive, 1),
    "active": (formula.active, 1),
    "at_least": (formula.at_least, 2),
    "crossing": (formula.crossing, 3),
    "exp": (formula.exp, 1),
    "sine": (formula.sine, 1),
    "cosine": (formula.cosine, 1),
    "bearing": (formula.bearing, 2),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@given(st.data())
def test_columns_and_numbers_agree(name: str, data: st.DataObject) -> None:
    """What pint checks with numbers is what Polars computes with columns."""
    function, count = FUNCTIONS[name]
    values = [data.draw(_NUMBERS) for _ in range(count)]
    plain = function(*values)
    frame = pl.DataFrame({f"x{place}": [value] for place, value in enumerate(values)})
    of_columns = frame.select(function(*map(pl.col, frame.columns))).item()

    if math.isnan(of_columns):
        # A vector of no length has no direction; a number has to be one.
        assert name == "bearing"
        assert values == [0.0, 0.0]
    else:
        assert of_columns == pytest.approx(plain, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_symbols_are_written_as_calls(name: str) -> None:
    """People read the function by its name, and its arguments."""
    function, count = FUNCTIONS[name]
    text = function(*(Symbol(f"x{place}") for place in range(count))).text

    assert text.endswith(f"({', '.join(f'x{place}' for place in range(count))})")


def test_powers_are_written_with_their_brackets() -> None:
    """(a + b) ** 2 is not a + b ** 2, and a power of a power keeps its base together."""
    assert written(lambda a, b: (a + b) ** 2, "ab") == "(a + b) ** 2"
    assert written(lambda a, b: a + b**2, "ab") == "a + b ** 2"
    assert written(lambda a: (a**2) ** 3, "a") == "(a ** 2) ** 3"
    assert written(lambda a, b: (a * b) ** 0.5 / a, "ab") == "(a * b) ** 0.5 / a"


def test_units_go_through() -> None:
    """The larger of two energies is an energy; of an energy and a power there is none."""
    kilowatt_hours, megajoules = registry().Quantity(1.0, "kWh"), registry().Quantity(1.0, "MJ")

    assert formula.maximum(kilowatt_hours, megajoules) is kilowatt_hours
    assert formula.minimum(kilowatt_hours, megajoules) is megajoules
    with pytest.raises(FormulaError, match="do not add up"):
        formula_factor(formula.minimum, {"first": "kWh", "second": "kW"}, "kWh", "test")
    with pytest.raises(FormulaError, match="different size"):
        formula_factor(formula.maximum, {"first": "kWh", "second": "MJ"}, "kWh", "test")


def test_a_bearing_has_no_unit_but_degrees() -> None:
    """Of components of one unit, whichever; east is 90."""
    assert formula_factor(formula.bearing, {"east": "m/s", "north": "m/s"}, "deg", "test") == 1.0
    assert formula.bearing(1.0, 0.0) == 90.0
    assert formula.bearing(-1.0, 0.0) == 270.0


def test_a_product_difference_is_not_taken_for_zero() -> None:
    """Probes that are powers of one number would make a d - b c vanish."""

    def determinant(a: Operand, b: Operand, c: Operand, d: Operand) -> Operand:
        return a * d - b * c

    units = dict.fromkeys("abcd", "kg")
    assert formula_factor(determinant, units, "kg^2", "test") == 1.0
    assert formula_factor(determinant, units, "t^2", "test") == pytest.approx(1e-6)
