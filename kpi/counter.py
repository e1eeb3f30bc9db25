"""How far a counter climbed from one usable reading to the next: climb, wrap, reset or swap.

A decrease alone does not tell what happened: a register that passed its end, a meter that lost its
memory, another meter in its place, or a gateway that answered 0 once. Where a tag says how fast it
can possibly climb (``max_rate``), a step is the first of these that is possible:

========  ===================  ===================================================
climb     value - last         the rule
wrap      the same + modulus   it passed its end; only where the tag has a modulus
reset     value                it began again at zero, and climbed from there
========  ===================  ===================================================

Possible is what is not negative and no more than ``max_rate`` over the time between the readings,
with some room (`LATE_S`, `COUNT`). The time is that between the readings, so what was counted over
an outage is still counted. Where none is possible the step is *refused*: the register begins anew
at the later reading, and nothing is counted. So a register that reads 53 700, 0, 53 700 counts
nothing, and a meter in the place of another counts from its first reading on; what either counted
between those two readings is not known, and is not made up.

Where a tag has no ``max_rate``, every climb is believed, and a decrease is a wrap if there is a
modulus, else a reset.
"""

from typing import Final

import polars as pl

from schemas.reading import Kind

#: A register is read some seconds after it was brought up to date, by a source whose clock may
#: just have been put right: two readings may lie this much closer together than what they say [s].
LATE_S: Final = 60.0
#: A register of whole units shows up to one unit more than was counted between two readings, if
#: it was about to step when the first was taken [unit].
COUNT: Final = 1.0

_MICROSECOND_H: Final = 1 / 3_600_000_000


def step(value: pl.Expr, last_value: pl.Expr, elapsed: pl.Expr) -> pl.Expr:
    """How far each counter climbed since its last usable reading [unit]; null where refused.

    Also null where there is no reading before. *elapsed* is the time since then [us]; the columns
    ``modulus`` [unit] and ``max_rate`` [unit/h] are those of `kpi.frames.TAGS`.
    """
    climb = value - last_value
    wrap = climb + pl.col("modulus")
    # Times a constant: a column divided by a number is not the same in any frame (kpi.summary).
    most = pl.col("max_rate") * ((elapsed + LATE_S * 1e6) * _MICROSECOND_H) + COUNT
    reset = pl.when(climb.is_not_null()).then(value)
    possible = pl.coalesce(
        pl.when(candidate.is_between(0.0, most)).then(candidate)
        for candidate in (climb, wrap, reset)
    )
    believed = pl.when(climb >= 0).then(climb).otherwise(wrap.fill_null(reset))
    return pl.when(pl.col("max_rate").is_null()).then(believed).otherwise(possible)


def is_bounded() -> pl.Expr:
    """Whether the tag is a counter whose steps are checked."""
    return (pl.col("kind") == Kind.COUNTER) & pl.col("max_rate").is_not_null()
