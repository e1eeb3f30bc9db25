"""A formula as people read it: the same function that computes, called with symbols.

Beside ``+ - * / **`` a formula may use the functions of this module; they too take columns,
quantities, plain numbers and symbols.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any, TypeAlias

import polars as pl

Operand: TypeAlias = Any
"""What a formula is called with: a Polars expression, a pint quantity or a `Symbol`."""

Formula: TypeAlias = Callable[..., Operand]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A term of a written formula.

    ``rank`` orders the operators: 1 sum, 2 product, 3 power, 4 name.
    """

    text: str
    rank: int = 4

    def __add__(self, other: "Symbol | float") -> "Symbol":
        return _join(self, "+", other, 1)

    def __radd__(self, other: float) -> "Symbol":
        return _join(other, "+", self, 1)

    def __sub__(self, other: "Symbol | float") -> "Symbol":
        return _join(self, "-", other, 1)

    def __rsub__(self, other: float) -> "Symbol":
        return _join(other, "-", self, 1)

    def __mul__(self, other: "Symbol | float") -> "Symbol":
        return _join(self, "*", other, 2)

    def __rmul__(self, other: float) -> "Symbol":
        return _join(other, "*", self, 2)

    def __truediv__(self, other: "Symbol | float") -> "Symbol":
        return _join(self, "/", other, 2)

    def __rtruediv__(self, other: float) -> "Symbol":
        return _join(other, "/", self, 2)

    def __pow__(self, other: float) -> "Symbol":
        base = f"({self.text})" if self.rank <= 3 else self.text
        return Symbol(f"{base} ** {other:g}", 3)


def _join(left: "Symbol | float", sign: str, right: "Symbol | float", rank: int) -> Symbol:
    first, second = _term(left), _term(right)
    before = f"({first.text})" if first.rank < rank else first.text
    # a - (b - c) and a / (b * c) need their brackets, a + b + c does not.
    tight = second.rank < rank or (second.rank == rank and sign in "-/")
    after = f"({second.text})" if tight else second.text
    return Symbol(f"{before} {sign} {after}", rank)


def _term(value: "Symbol | float") -> Symbol:
    return value if isinstance(value, Symbol) else Symbol(f"{value:g}")


def written(formula: Formula, operands: Iterable[str]) -> str:
    """The text of *formula*, for instance ``energy / (capacity + reserve)``."""
    return str(formula(**{name: Symbol(name) for name in operands}).text)


def minimum(first: Operand, second: Operand) -> Operand:
    """The smaller of two."""
    return _call("min", pl.min_horizontal, min, first, second)


def maximum(first: Operand, second: Operand) -> Operand:
    """The larger of two."""
    return _call("max", pl.max_horizontal, max, first, second)


def positive(value: Operand) -> Operand:
    """The value where it is above 0, else 0."""
    return _call(
        "positive",
        lambda given: pl.max_horizontal(given, 0.0 * given),
        lambda given: given if given > 0 else 0.0 * given,
        value,
    )


def active(state: Operand) -> Operand:
    """1 where *state* is not 0, else 0."""
    return _call("active", lambda given: (given != 0).cast(pl.Float64), _is_not_zero, state)


def at_least(value: Operand, limit: Operand) -> Operand:
    """1 where *value* is *limit* or more, else 0."""
    return _call(
        "at_least",
        lambda given, bound: (given >= bound).cast(pl.Float64),
        lambda given, bound: float(given >= bound),
        value,
        limit,
    )


def crossing(first: Operand, second: Operand, level: Operand) -> Operand:
    """Where on the way from *first* down to *second* a level is crossed, from 0 to 1.

    0 if *first* is not above it, 1 if *second* is not below.
    """
    return _call("crossing", _crossing_of_columns, _crossing, first, second, level)


def _crossing_of_columns(first: pl.Expr, second: pl.Expr, level: pl.Expr) -> pl.Expr:
    return (
        pl.when(first <= level)
        .then(0.0)
        .when(second >= level)
        .then(1.0)
        .otherwise((first - level) / (first - second))
    )


def _crossing(first: Operand, second: Operand, level: Operand) -> Operand:
    if first <= level:
        return 0.0
    return 1.0 if second >= level else (first - level) / (first - second)


def exp(power: Operand) -> Operand:
    """The exponential function."""
    return _call("exp", lambda given: given.exp(), math.exp, power)


def sine(degrees: Operand) -> Operand:
    """The sine of an angle [deg]."""
    return _call(
        "sin", lambda given: given.radians().sin(), lambda x: math.sin(math.radians(x)), degrees
    )


def cosine(degrees: Operand) -> Operand:
    """The cosine of an angle [deg]."""
    return _call(
        "cos", lambda given: given.radians().cos(), lambda x: math.cos(math.radians(x)), degrees
    )


def bearing(east: Operand, north: Operand) -> Operand:
    """The direction [deg] of a vector, from north clockwise; undefined for none."""
    return _call("bearing", _bearing_of_columns, _bearing, east, north)


def _bearing_of_columns(east: pl.Expr, north: pl.Expr) -> pl.Expr:
    # A hair west of north, angle + 360 is 360 itself.
    angle = (pl.arctan2(east, north).degrees() + 360.0) % 360.0
    return pl.when((east != 0) | (north != 0)).then(angle).otherwise(math.nan)


def _bearing(east: Operand, north: Operand) -> Operand:
    if isinstance(east, Real) and isinstance(north, Real):
        return (math.degrees(math.atan2(east, north)) + 360.0) % 360.0
    angle = _bearing(east.magnitude, north.to(east.units).magnitude)
    return type(east)(angle, "degree")


def _is_not_zero(state: Operand) -> float:
    return float(state != 0)


def _call(
    name: str, of_columns: Callable[..., pl.Expr], of_numbers: Formula, *operands: Operand
) -> Operand:
    if any(isinstance(operand, Symbol) for operand in operands):
        return Symbol(f"{name}({', '.join(_term(operand).text for operand in operands)})")
    if any(isinstance(operand, pl.Expr) for operand in operands):
        return of_columns(*operands)
    return of_numbers(*operands)
