"""What a KPI is: additive inputs first, ratio last.

The inputs are sums over tags and over time (integrals, totals, increases, times, counts), so the
same KPI can be asked for at any level of the plant and over any span, and no mean of ratios exists
anywhere. One formula has three uses: Polars computes it, pint checks its dimensions when the KPI is
declared, people read it.
"""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from kpi.formula import Formula, written
from kpi.units import formula_factor
from schemas.errors import FormulaError, NotFoundError, nearest


class Amount(StrEnum):
    """How the readings of a tag add up over time. The value is the column of the summary."""

    INTEGRAL = "integral"
    TOTAL = "total"
    INCREASE = "increase"
    ACTIVE = "active_s"
    ACTIVATIONS = "activations"
    COVERED = "covered_s"

    def unit(self, tag_unit: str) -> str:
        """The unit of the amount of a tag in *tag_unit*."""
        return _UNITS[self].format(tag_unit)


_UNITS = {
    Amount.INTEGRAL: "({}) * s",
    Amount.TOTAL: "{}",
    Amount.INCREASE: "{}",
    Amount.ACTIVE: "s",
    Amount.ACTIVATIONS: "1",
    Amount.COVERED: "s",
}


@dataclass(frozen=True, slots=True)
class Source:
    """Where an input may come from: a measure of assets of some types, and how it adds up.

    The types ``of`` matter: the power of a pot is no power of a wind farm. With ``per``, an asset
    type, the amount counts once for each such asset that it serves and that has no source of its
    own: the current of a potline flows through every pot of the line, one after the other. With
    ``rated`` it is multiplied by that rating of the assets that it serves: the sun that falls on a
    farm, by the power of its inverters. Such measures are also looked for above the asset that is
    asked about.
    """

    measure: str
    of: frozenset[str]
    amount: Amount
    per: str | None = None
    rated: str | None = None


@dataclass(frozen=True, slots=True)
class Input:
    """An additive input, summed over the asset's subtree in ``unit``.

    ``sources`` are alternatives in order: the first one that an asset measures itself stands for
    all below that asset, so that a grid meter wins over the turbines behind it. An ``optional``
    input is zero where no tag gives it: the plant has no battery.
    """

    name: str
    title: str
    unit: str
    sources: tuple[Source, ...]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rated:
    """An additive input from the plant model: a rating times the time that another input covers.

    It takes the time that is covered instead of the time that passed because an hour of which half
    is known must not count half as much capacity factor. The rating is that of the assets at or
    below the tag, or else of the nearest one above.
    """

    name: str
    title: str
    unit: str
    rating: str
    over: str


@dataclass(frozen=True, slots=True)
class Settled:
    """An additive input that is settled hour by hour: a formula over the sums of each UTC hour.

    What an hour has too much is no help to another hour, so min(load, generation) is taken of each
    hour and then summed. The parameters of ``formula`` name other inputs; it gives ``unit`` without
    conversion. An hour that a span cuts is settled as far as it lies in the span.
    """

    name: str
    title: str
    unit: str
    formula: Formula

    @property
    def operands(self) -> tuple[str, ...]:
        """The names of the inputs that it is settled from."""
        return tuple(inspect.signature(self.formula).parameters)


Given: TypeAlias = Input | Rated | Settled


@dataclass(frozen=True, slots=True)
class Constant:
    """A number of a methodology, with its unit."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class ParameterSet:
    """The constants of one methodology under one name; the name is stored with every answer."""

    name: str
    source: str
    constants: Mapping[str, Constant]


@dataclass(frozen=True, slots=True)
class Kpi:
    """A declared KPI.

    ``formula`` takes inputs by name, and every constant of a parameter set, as keyword and gives
    the KPI; ``operands`` are those inputs, ``scale`` converts what it gives into ``unit``.
    ``assets`` are the types of asset that have the KPI, ``valid`` is the range [unit] beyond which
    a value is doubted, ``minimum_coverage`` the share of the span below which no value is given.
    The first of ``parameter_sets`` is the default.

    Raises
    ------
    FormulaError
        The dimensions of the formula do not give the unit.
    """

    id: str
    title: str
    unit: str
    assets: frozenset[str]
    inputs: tuple[Given, ...]
    formula: Formula
    description: str
    source: str
    valid: tuple[float, float]
    minimum_coverage: float
    parameter_sets: tuple[ParameterSet, ...] = ()
    operands: tuple[str, ...] = field(init=False)
    scale: float = field(init=False)

    def __post_init__(self) -> None:
        taken = inspect.signature(self.formula).parameters
        operands_taken = tuple(given.name for given in self.inputs if given.name in taken)
        object.__setattr__(self, "operands", operands_taken)
        units = {given.name: given.unit for given in self.inputs}
        for given in self.inputs:
            if isinstance(given, Settled):
                _check_settled(given, units, self.id)
        self._check_names(units)
        operands = {name: units[name] for name in self.operands}
        scales = {
            formula_factor(self.formula, operands | dict(constants), self.unit, f"KPI {self.id}")
            for constants in {_units(parameters) for parameters in self.parameter_sets or (_NONE,)}
        }
        if len(scales) != 1:
            raise FormulaError(f"KPI {self.id}: its parameter sets differ in units: {scales}")
        object.__setattr__(self, "scale", scales.pop())

    def _check_names(self, known: Collection[str]) -> None:
        used = set(self.operands)
        for given in self.inputs:
            if isinstance(given, Settled):
                used.update(given.operands)
            elif isinstance(given, Rated):
                used.add(given.over)
                if given.over not in known:
                    what = f"KPI {self.id}: {given.name} is over {given.over!r}"
                    raise FormulaError(f"{what}; name one of its inputs")
        for name in known:
            if name not in used:
                raise FormulaError(f"KPI {self.id}: its formula has no {name}; take the input out")

    @property
    def formula_text(self) -> str:
        """The formula as people read it, over the names of the inputs and constants."""
        return written(self.formula, (*self.operands, *self.parameters().constants))

    def parameters(self, name: str | None = None) -> ParameterSet:
        """The parameter set *name*, or the default one; an empty one if the KPI has none.

        Raises
        ------
        NotFoundError
            The KPI has no parameter set of that name.
        """
        if name is None:
            return self.parameter_sets[0] if self.parameter_sets else _NONE
        known = {given.name: given for given in self.parameter_sets}
        if name not in known:
            raise NotFoundError("parameter_set", name, nearest(name, known))
        return known[name]


_NONE = ParameterSet("none", "no methodology constants", {})


def _check_settled(given: Settled, units: Mapping[str, str], kpi: str) -> None:
    what = f"KPI {kpi}: {given.name}"
    if unknown := [name for name in given.operands if name not in units]:
        raise FormulaError(f"{what} is settled from {unknown[0]!r}; name one of its inputs")
    operands = {name: units[name] for name in given.operands}
    scale = formula_factor(given.formula, operands, given.unit, what)
    if scale != 1.0:
        raise FormulaError(f"{what} is {scale:g} {given.unit}; give its operands in {given.unit}")


def _units(parameters: ParameterSet) -> tuple[tuple[str, str], ...]:
    return tuple((name, constant.unit) for name, constant in parameters.constants.items())


def declare(
    *,
    unit: str,
    assets: Collection[str],
    inputs: tuple[Given, ...],
    source: str,
    valid: tuple[float, float],
    minimum_coverage: float,
    parameter_sets: tuple[ParameterSet, ...] = (),
) -> Callable[[Formula], Kpi]:
    """Make the decorated formula a `Kpi`: its name is the id, its docstring title and description.

    Raises
    ------
    FormulaError
        The dimensions of the formula do not give the unit.
    """

    def declared(formula: Formula) -> Kpi:
        description = inspect.getdoc(formula) or formula.__name__
        return Kpi(
            id=formula.__name__,
            title=description.partition("\n")[0].rstrip("."),
            unit=unit,
            assets=frozenset(assets),
            inputs=inputs,
            formula=formula,
            description=description,
            source=source,
            valid=valid,
            minimum_coverage=minimum_coverage,
            parameter_sets=parameter_sets,
        )

    return declared
