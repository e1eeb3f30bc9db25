"""A formula as people read it: the same function that computes, called with symbols."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

Operand: TypeAlias = Any
"""What a formula is called with: a Polars expression, a pint quantity or a `Symbol`."""

Formula: TypeAlias = Callable[..., Operand]


@dataclass(frozen=True, slots=True)
class Symbol:
    """A term of a written formula. ``rank`` orders the operators: 1 sum, 2 product, 3 name."""

    text: str
    rank: int = 3

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
