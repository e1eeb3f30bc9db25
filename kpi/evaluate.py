"""From summaries to KPI values: sum the additive inputs over tags and time, then the formula.

The sums over tags (`kpi.sums`) may have been taken before; then the cost of an answer does not
depend on how many tags there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from kpi.binding import Binding
from kpi.kpi import Kpi, ParameterSet
from kpi.sums import add_up
from kpi.totals import spans_between, totals

#: Coverage is a sum of seconds; a rounding in its last digits must not lose an answer.
_ROUNDING = 1e-9
_COLUMNS = ("value", "coverage", "reason", "good")


def evaluate(
    binding: Binding,
    summaries: pl.DataFrame,
    edges: Sequence[datetime],
    parameter_set: str | None = None,
) -> pl.DataFrame:
    """The series of a KPI at an asset.

    Parameters
    ----------
    binding
        From `kpi.binding.bind`.
    summaries
        Rows of ``rollup_1m`` or ``rollup_1h`` for ``binding.tag_ids``; rows of other tags and
        outside the edges do not matter. No summary may straddle an edge.
    edges
        Ascending instants, one more than there are spans. The last may be now: an open span counts
        up to there.
    parameter_set
        Name of the methodology constants; the KPI's first set if None.

    Returns
    -------
    polars.DataFrame
        One row a span: ``start, end, value, coverage, reason``. ``value`` [kpi.unit] is null where
        coverage [0..1], the smallest among the inputs, is below the KPI's minimum or the formula
        is undefined; ``reason`` then says why, and warns of a value outside the valid range.
    """
    return evaluate_sums(binding, _sums(binding, summaries, edges), edges, parameter_set)


def evaluate_sums(
    binding: Binding,
    sums: pl.DataFrame,
    edges: Sequence[datetime],
    parameter_set: str | None = None,
) -> pl.DataFrame:
    """As `evaluate`, from `kpi.sums.SUMS` of ``binding.input_ids``; others do not matter."""
    (found,) = _evaluated([binding], [binding.kpi.parameters(parameter_set)], sums, edges)
    return found.drop("good")


def evaluate_together(
    bindings: Sequence[Binding], sums: pl.DataFrame, edges: Sequence[datetime]
) -> list[pl.DataFrame]:
    """`evaluate_sums` of each of *bindings*: the same bits, every step one query for all.

    Each with one more column, ``good``: the least share of the span that an input is of good
    quality.
    """
    return _evaluated(bindings, [binding.kpi.parameters() for binding in bindings], sums, edges)


def _evaluated(
    bindings: Sequence[Binding],
    parameters: Sequence[ParameterSet],
    sums: pl.DataFrame,
    edges: Sequence[datetime],
) -> list[pl.DataFrame]:
    spans = spans_between(edges)
    inputs = totals(bindings, sums, spans)
    answers = [
        _Answer(f"{place} ", binding.kpi, given)
        for place, (binding, given) in enumerate(zip(bindings, parameters, strict=True))
    ]
    wide = spans.with_columns(
        column
        for answer, of_binding in zip(answers, inputs, strict=True)
        for column in answer.operands(of_binding)
    )
    for step in (_Answer.computed, _Answer.explained, _Answer.known):
        wide = wide.with_columns(column for answer in answers for column in step(answer))
    return [
        wide.select("start", "end", **{name: answer.at(name) for name in _COLUMNS})
        for answer in answers
    ]


def lineage(binding: Binding, summaries: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    """Where each value of `evaluate` comes from.

    Returns
    -------
    polars.DataFrame
        One row for each span and input, in the order of the formula: ``start, end, input, unit,
        value, coverage, good, tags, readings``. ``good`` is the share of the span that is of good
        quality, ``tags`` how many tags the input is the sum of (``binding.terms`` names them),
        ``readings`` how many usable readings they had.
    """
    return lineage_of_sums(binding, _sums(binding, summaries, edges), edges)


def lineage_of_sums(
    binding: Binding, sums: pl.DataFrame, edges: Sequence[datetime]
) -> pl.DataFrame:
    """As `lineage`, from `kpi.sums.SUMS` of ``binding.input_ids``."""
    spans = spans_between(edges)
    (inputs,) = totals([binding], sums, spans)
    return (
        pl.concat(
            pl.concat(
                [
                    spans,
                    inputs[given.name].with_columns(
                        input=pl.lit(given.name), unit=pl.lit(given.unit)
                    ),
                ],
                how="horizontal",
            )
            for given in binding.kpi.inputs
        )
        .sort("span", maintain_order=True)
        .select("start", "end", "input", "unit", "value", "coverage", "good", "tags", "readings")
    )


def _sums(binding: Binding, summaries: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    within = pl.col("bucket").is_between(edges[0], edges[-1], closed="left")
    return add_up(binding.frame, summaries.filter(within))


@dataclass(frozen=True, slots=True)
class _Answer:
    """A KPI among others in one frame, in which its columns begin with ``prefix``."""

    prefix: str
    kpi: Kpi
    parameters: ParameterSet

    def at(self, name: str) -> pl.Expr:
        return pl.col(self.prefix + name)

    def operands(self, inputs: Mapping[str, pl.DataFrame]) -> Iterator[pl.Series]:
        """What the formula takes, with coverage and quality."""
        for name in self.kpi.operands:
            yield inputs[name]["value"].alias(f"{self.prefix}of {name}")
            yield inputs[name]["coverage"].alias(f"{self.prefix}coverage of {name}")
            yield inputs[name]["good"].alias(f"{self.prefix}good of {name}")

    def computed(self) -> Iterator[pl.Expr]:
        # As full columns: for Polars' division by a plain number see kpi.summary.
        constants = {
            name: pl.col("span") * 0.0 + constant.value
            for name, constant in self.parameters.constants.items()
        }
        names = self.kpi.operands
        operands = {name: self.at(f"of {name}") for name in names}
        value = self.kpi.formula(**operands, **constants) * self.kpi.scale
        yield value.alias(f"{self.prefix}value")
        for share in ("coverage", "good"):
            least = pl.min_horizontal(self.at(f"{share} of {name}") for name in names)
            yield least.alias(f"{self.prefix}{share}")

    def explained(self) -> Iterator[pl.Expr]:
        low, high = self.kpi.valid
        zeros = pl.concat_str(
            [
                pl.when(self.at(f"of {name}") == 0).then(pl.lit(f" {name} is zero"))
                for name in self.kpi.operands
            ],
            separator=",",
            ignore_nulls=True,
        )
        reason = (
            pl.when(self.at("coverage") == 0)
            .then(pl.lit("no readings"))
            .when(self._uncovered())
            .then(
                pl.format("coverage {}", self.at("coverage").round(4))
                + pl.lit(f" is below {self.kpi.minimum_coverage:g}")
            )
            .when(~self.at("value").is_finite())
            .then(pl.lit("undefined:") + zeros)
            .when(~self.at("value").is_between(low, high))
            .then(pl.lit(f"outside {low:g} to {high:g} {self.kpi.unit}"))
        )
        yield reason.alias(f"{self.prefix}reason")

    def known(self) -> Iterator[pl.Expr]:
        unknown = self._uncovered() | ~self.at("value").is_finite()
        yield pl.when(unknown).then(None).otherwise(self.at("value")).alias(f"{self.prefix}value")

    def _uncovered(self) -> pl.Expr:
        return self.at("coverage") < self.kpi.minimum_coverage - _ROUNDING
