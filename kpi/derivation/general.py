"""Rules for any measures: products, weighted events, limits and codes."""

from kpi.derivation.level import level
from kpi.formula import Operand, active, at_least


@level(
    unit="({}) * ({})".format,
    operands={"left": None, "right": None},
)
def product(left: Operand, right: Operand) -> Operand:
    """Product of two levels, such as V I of a pot."""
    return left * right


@level(
    unit="({}) * ({})".format,
    operands={"amount": None, "share": None},
    at_first=True,
)
def weighted(amount: Operand, share: Operand) -> Operand:
    """Each amount times what the other level is then: mass of a tap times its assay."""
    return amount * share


@level(unit=lambda _: "1", operands={"value": None}, constants={"limit": "value"})
def above(value: Operand, limit: Operand) -> Operand:
    """1 where the value is above the limit."""
    return 1.0 - at_least(limit, value)


@level(unit=lambda _: "1", operands={"state": None}, constants={"code": "state"})
def equal(state: Operand, code: Operand) -> Operand:
    """1 where a state has this code."""
    return 1.0 - active(state - code)
