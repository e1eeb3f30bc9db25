"""Units of measure: conversion factors, and the dimensions of a formula's result."""

from collections.abc import Mapping
from functools import cache
from math import isclose

import pint

from kpi.formula import Formula
from schemas.errors import FormulaError


@cache
def registry() -> pint.UnitRegistry[float]:
    """The one registry; built at the first use because reading its definitions takes 0.3 s."""
    return pint.UnitRegistry()


def factor(found: str, wanted: str, what: str) -> float:
    """How many *wanted* one *found* is; *what* names the quantity in the error.

    Raises
    ------
    FormulaError
        Not a unit, the dimensions differ, or the scales have different zeros (degC).
    """
    try:
        return _factor(found, wanted)
    except FormulaError as error:
        raise FormulaError(f"{what}: {error}") from error


@cache
def _factor(found: str, wanted: str) -> float:
    """A park has 57,000 tags in some 30 units: each pair is parsed once."""
    have, want = _quantity(found), _quantity(wanted)
    if have.dimensionality != want.dimensionality:
        raise FormulaError(
            f"{found} is {have.dimensionality}, {wanted} is {want.dimensionality}; "
            "correct the unit or the quantity"
        )
    if registry().Quantity(0.0, have.units).to(want.units).magnitude != 0.0:
        raise FormulaError(
            f"{found} and {wanted} have different zeros; use a difference (delta_degC)"
        )
    return float(have.to(want.units).magnitude)


def formula_factor(formula: Formula, operands: Mapping[str, str], wanted: str, what: str) -> float:
    """How many *wanted* one of what *formula* gives for plain numbers in these units is.

    The formula is tried with quantities and with plain numbers. Polars computes with the latter, so
    a formula that adds kWh to MJ is refused although its dimensions are right.

    Raises
    ------
    FormulaError
        The formula's dimensions contradict each other or those of *wanted*, or it mixes units.
    """
    try:
        units = {name: _quantity(unit) for name, unit in operands.items()}
    except FormulaError as error:
        raise FormulaError(f"{what}: {error}") from error
    scales = []
    for probe, places in _PROBES:
        values = {name: probe**place for name, place in zip(operands, places, strict=False)}
        quantities = {name: values[name] * unit for name, unit in units.items()}
        try:
            result = registry().Quantity(formula(**quantities))
        except pint.DimensionalityError as error:
            raise FormulaError(f"{what}: {error}; its terms do not add up") from error
        scale = factor(f"{result.units}" or "1", wanted, what)
        plain = formula(**values)
        scales.append(result.magnitude * scale / plain if plain else scale)
    if not isclose(*scales, rel_tol=1e-9):
        raise FormulaError(f"{what}: adds units of different size; give its operands in one unit")
    # Pint multiplies in its own order: 999.9999999999999 kg/t means 1000.
    return float(f"{scales[0]:.12g}")


#: Magnitudes so unrelated that no difference of terms is zero by accident, once ascending and once
#: descending, since a formula may take the larger of two. What it gives is zero where it counts
#: from a limit on, or not during a state; then its dimensions are all there is to see.
_PROBES = (
    (1.3247179572447460, [place**1.5 for place in range(1, 33)]),
    (1.7548776662466927, [-(place**1.5) for place in range(1, 33)]),
)


def _quantity(unit: str) -> pint.Quantity[float]:
    try:
        return registry().Quantity(1.0, registry().parse_units(unit))
    except (pint.PintError, ValueError, TypeError) as error:
        raise FormulaError(f"{unit!r} is no unit ({error}); write it as pint does") from error
