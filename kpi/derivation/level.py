"""Rules that are a formula over the values that the operands have at one instant."""

import inspect
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from types import MappingProxyType

import polars as pl

from kpi.derivation.rule import Constants, Operands, Reach, Rule
from kpi.derivation.state import judged
from kpi.formula import Formula, Symbol
from kpi.units import formula_factor

NONE: Mapping[str, str] = MappingProxyType({})


def level(
    *,
    unit: str | Callable[..., str],
    operands: Mapping[str, str | None],
    constants: Mapping[str, str] = NONE,
    empirical: bool = False,
    many: bool = False,
    at_first: bool = False,
) -> Callable[[Formula], Rule]:
    """Make the decorated formula a rule.

    The derived tag has a reading at every instant at which an operand has one, and a bad one where
    an operand goes stale, so that it is covered exactly where all its operands are. With
    ``at_first`` it has a reading at each reading of the first operand alone: for events, weighted
    by what the others are then.

    Units are checked as those of a KPI, unless the formula is ``empirical``, a fit over plain
    numbers, or the unit of the result follows from those of the operands.

    Raises
    ------
    FormulaError
        The dimensions of the formula do not give the unit.
    """

    def declared(formula: Formula) -> Rule:
        name = formula.__name__
        scale = 1.0
        if isinstance(unit, str) and not empirical and None not in operands.values():
            units = {given: f"{of}" for given, of in operands.items()} | dict(constants)
            scale = formula_factor(formula, units, unit, f"rule {name}")
        return Rule(
            name=name,
            description=inspect.getdoc(formula) or name,
            operands=operands,
            constants=constants,
            unit=unit if callable(unit) else lambda *_: unit,
            compute=partial(_compute, _of_list(formula, operands, many), scale, at_first),
            reach=_reach_of_event if at_first else _no_reach,
            many=many,
            text=_written(_of_list(formula, operands, many), operands, constants, many),
        )

    return declared


def _of_list(formula: Formula, names: Iterable[str], many: bool) -> Formula:
    """*formula* with its operands as one list."""
    if many:
        return lambda values, **constants: formula(*values, **constants)
    return lambda values, **constants: formula(**dict(zip(names, values, strict=True)), **constants)


def _written(
    formula: Formula, operands: Iterable[str], constants: Iterable[str], many: bool
) -> str:
    symbols = [Symbol(name) for name in (*operands, *["..."] * many)]
    return str(formula(symbols, **{name: Symbol(name) for name in constants}).text)


def _no_reach(_constants: Constants, _operand_s: float, _own_s: float) -> Reach:
    return Reach()


def _reach_of_event(_constants: Constants, _operand_s: float, own_s: float) -> Reach:
    """An event covers the time after it, well or badly, for as long as it is not stale."""
    return Reach(behind_s=own_s)


def _compute(formula: Formula, scale: float, at_first: bool, given: Operands) -> pl.LazyFrame:
    places = range(given.count)
    sides = [
        given.side(place).select(
            "tag_id",
            "ts",
            pl.col("value", "quality").name.suffix(f"_{place}"),
            read=pl.col("read") if place == 0 else pl.lit(value=False),
        )
        for place in places
    ]
    known = [f"{name}_{place}" for place in places for name in ("value", "quality")]
    # As full columns: for Polars' division by a plain number see kpi.summary.
    constants = {name: pl.col("one") * number for name, number in given.constants.items()}
    result = formula([pl.col(f"value_{place}") for place in places], **constants)
    quality = pl.min_horizontal(pl.col(f"quality_{place}").fill_null(0) for place in places)
    return (
        _instants(pl.concat(sides, how="diagonal").sort("tag_id", "ts"), known, at_first)
        .with_columns(one=1.0)
        .select("tag_id", "ts", *judged(result if scale == 1.0 else result * scale, quality))
    )


def _instants(rows: pl.LazyFrame, known: list[str], at_first: bool) -> pl.LazyFrame:
    """One row for each tag and instant, with what is known of all operands from then on."""
    instant = pl.struct("tag_id", "ts")
    filled = rows.with_columns(pl.col(known).forward_fill().over("tag_id"))
    if at_first:
        filled = filled.with_columns(pl.col("read").any().over("tag_id", "ts")).filter("read")
    return filled.filter((instant != instant.shift(-1)).fill_null(value=True))
