"""Rules: how the readings of a derived tag follow from the readings of other tags.

A rule is a pure function of readings and looks a bounded time back and ahead of an instant. So a
derived tag is the same whatever order its operands' readings come in, it is summarised like a
measured one, and a late reading changes a bounded span of it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

Constants: TypeAlias = Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Operands:
    """What the derived tags of one rule and one set of constants are made of.

    Parameters
    ----------
    states
        ``operand, ts, value, quality, read``: what is known of each operand from ``ts`` on, as
        `kpi.derivation.state.states` gives it.
    made
        ``tag_id, place, operand, reach_us``: the operands of each tag by place; ``reach_us`` is how
        long a reading of the operand holds.
    count
        How many operands each tag has.
    constants
        The constants of the rule.
    """

    states: pl.LazyFrame
    made: pl.LazyFrame
    count: int
    constants: Constants

    def side(self, place: int) -> pl.LazyFrame:
        """The states of the operand at *place*, with the tag that they are for."""
        return self.made.filter(pl.col("place") == place).join(self.states, on="operand")


@dataclass(frozen=True, slots=True)
class Reach:
    """How far [s] a rule looks ``behind`` and ``ahead`` of an instant."""

    behind_s: float = 0.0
    ahead_s: float = 0.0

    def __add__(self, other: "Reach") -> "Reach":
        return Reach(self.behind_s + other.behind_s, self.ahead_s + other.ahead_s)

    def __or__(self, other: "Reach") -> "Reach":
        """The farther one, each way."""
        return Reach(max(self.behind_s, other.behind_s), max(self.ahead_s, other.ahead_s))


@dataclass(frozen=True, slots=True)
class Rule:
    """A way to compute a tag.

    Parameters
    ----------
    operands
        The units of the operands by name, in order; None for any unit. The last one may repeat if
        ``many``.
    constants
        The units of the constants by name; for a constant in the unit of an operand, its name.
    unit
        The unit of the result, from those of the operands.
    compute
        From operands to ``tag_id, ts, value, quality``: the readings of the tags, in any order.
    reach
        From the constants and ``stale_after_s`` of the first operand and of the tag itself.
    text
        The formula as people read it; what is not a formula is told by ``description``.
    """

    name: str
    description: str
    operands: Mapping[str, str | None]
    constants: Mapping[str, str]
    unit: Callable[..., str]
    compute: Callable[[Operands], pl.LazyFrame]
    reach: Callable[[Constants, float, float], Reach]
    many: bool = False
    text: str = ""

    def fits(self, count: int) -> bool:
        """Whether the rule takes so many operands."""
        return count >= len(self.operands) if self.many else count == len(self.operands)
