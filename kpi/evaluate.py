"""From summaries to KPI values: sum the additive inputs over tags and time, then the formula.

The sums over tags (`kpi.sums`) may have been taken before; then the cost of an answer does not
depend on how many tags there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

import polars as pl

from kpi.binding import Binding
from kpi.formula import Formula
from kpi.frames import INSTANT
from kpi.kpi import Kpi, ParameterSet, Settled
from kpi.sums import add_up

#: Coverage is a sum of seconds; a rounding in its last digits must not lose an answer.
_ROUNDING = 1e-9


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
    return found


def evaluate_together(
    bindings: Sequence[Binding], sums: pl.DataFrame, edges: Sequence[datetime]
) -> list[pl.DataFrame]:
    """`evaluate_sums` of each of *bindings*: the same bits, every step one query for all."""
    return _evaluated(bindings, [binding.kpi.parameters() for binding in bindings], sums, edges)


def _evaluated(
    bindings: Sequence[Binding],
    parameters: Sequence[ParameterSet],
    sums: pl.DataFrame,
    edges: Sequence[datetime],
) -> list[pl.DataFrame]:
    spans = _spans(edges)
    inputs = _inputs(bindings, sums, spans)
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
        wide.select(
            "start", "end", **{name: answer.at(name) for name in ("value", "coverage", "reason")}
        )
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
    spans = _spans(edges)
    (inputs,) = _inputs([binding], sums, spans)
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


def _spans(edges: Sequence[datetime] | pl.Series) -> pl.DataFrame:
    given = edges if isinstance(edges, pl.Series) else list(edges)
    instants = pl.Series("start", given, dtype=INSTANT)
    if len(instants) < 2 or not (instants.diff().drop_nulls().dt.total_microseconds() > 0).all():
        raise ValueError("edges must be at least two ascending instants")
    return pl.DataFrame({"start": instants[:-1], "end": instants[1:]}).with_row_index("span")


def _sums(binding: Binding, summaries: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    within = pl.col("bucket").is_between(edges[0], edges[-1], closed="left")
    return add_up(binding.frame, summaries.filter(within))


def _inputs(
    bindings: Sequence[Binding], sums: pl.DataFrame, spans: pl.DataFrame
) -> list[dict[str, pl.DataFrame]]:
    """The inputs of each binding by name: ``value, coverage, good, tags, readings`` of *spans*."""
    # An optional input that the plant lacks has no id, and is the sum of no tags.
    tags: dict[int | None, int] = {None: 0}
    for binding in bindings:
        tags |= {id_: len(binding.of_input[name]) for name, id_ in binding.input_ids.items()}
    low, high = spans["start"][0], spans["end"][-1]
    # Floats are added in one fixed order, whatever order the rows came in.
    sums = sums.filter(
        pl.col("bucket").is_between(low, high, closed="left"),
        pl.col("input_id").is_in([id_ for id_ in tags if id_ is not None]),
    ).sort("input_id", "bucket")
    measured = _measured(tags, sums, spans)
    settled = _settled(_settlements(bindings), tags, sums, spans, measured)
    return [
        {
            given.name: (
                settled[_settlement(binding, given)]
                if isinstance(given, Settled)
                else measured[binding.input_ids.get(given.name)]
            )
            for given in binding.kpi.inputs
        }
        for binding in bindings
    ]


def _measured(
    tags: Mapping[int | None, int], sums: pl.DataFrame, spans: pl.DataFrame
) -> dict[int | None, pl.DataFrame]:
    """The inputs that are sums over so many *tags*, by their ids."""
    inputs = pl.DataFrame(
        {"input_id": list(tags), "tags": list(tags.values())},
        schema={"input_id": pl.Int64, "tags": pl.Int64},
    )
    amounts = pl.col("value", "covered_s", "good_s")
    found = (
        sums.with_columns(span=_span_of(spans))
        .group_by("span", "input_id", maintain_order=True)
        .agg(amounts, pl.col("readings").sum())
        # As lists, for the reason given in kpi.summary.
        .with_columns(amounts.list.sum())
    )
    length_us = (pl.col("end") - pl.col("start")).dt.total_microseconds()
    share = [
        pl.when(pl.col("tags") == 0)
        .then(1.0)
        .otherwise(pl.col(seconds) / (length_us * pl.col("tags") * 1e-6))
        .alias(name)
        for name, seconds in (("coverage", "covered_s"), ("good", "good_s"))
    ]
    rows = (
        inputs.join(spans, how="cross", maintain_order="left_right")
        .join(found, on=["span", "input_id"], how="left", maintain_order="left")
        .with_columns(amounts.fill_null(0.0), pl.col("readings").fill_null(0))
        .select("value", *share, "tags", "readings")
    )
    return {id_: rows.slice(place * spans.height, spans.height) for place, id_ in enumerate(tags)}


#: A formula and the ids of what it takes: KPIs that settle the same have it settled once.
_Settlement: TypeAlias = tuple[Formula, tuple[int | None, ...]]


def _settlement(binding: Binding, given: Settled) -> _Settlement:
    return given.formula, tuple(binding.input_ids.get(name) for name in given.operands)


def _settlements(bindings: Sequence[Binding]) -> dict[_Settlement, Settled]:
    return {
        _settlement(binding, given): given
        for binding in bindings
        for given in binding.kpi.inputs
        if isinstance(given, Settled)
    }


def _settled(
    wanted: Mapping[_Settlement, Settled],
    tags: Mapping[int | None, int],
    sums: pl.DataFrame,
    spans: pl.DataFrame,
    measured: Mapping[int | None, pl.DataFrame],
) -> dict[_Settlement, pl.DataFrame]:
    """The sums over hours of a formula of each; known as far as what they are settled from."""
    if not wanted:
        return {}
    hours = _spans(_hours(spans))
    by_hour = _measured(tags, sums, hours)
    formulas = {
        f"settled {place}": given.formula(
            **{
                name: pl.col(f"{id_}")
                for name, id_ in zip(given.operands, settlement[1], strict=True)
            }
        )
        for place, (settlement, given) in enumerate(wanted.items())
    }
    values = (
        hours.with_columns(rows["value"].alias(f"{id_}") for id_, rows in by_hour.items())
        .select(bucket="start", **formulas)
        .group_by(span=_span_of(spans), maintain_order=True)
        .agg(*formulas)
        # As lists, for the reason given in kpi.summary.
        .with_columns(pl.col(list(formulas)).list.sum())
    )
    found = {}
    for name, settlement in zip(formulas, wanted, strict=True):
        made_of = [measured[id_] for id_ in dict.fromkeys(settlement[1])]
        found[settlement] = pl.select(
            value=values[name],
            coverage=pl.min_horizontal(rows["coverage"] for rows in made_of),
            good=pl.min_horizontal(rows["good"] for rows in made_of),
            tags=pl.sum_horizontal(rows["tags"] for rows in made_of),
            readings=pl.sum_horizontal(rows["readings"] for rows in made_of),
        )
    return found


def _hours(spans: pl.DataFrame) -> pl.Series:
    """The edges of *spans* and the whole hours between them."""
    given = pl.concat([spans["start"], spans["end"].tail(1)])
    first, last = given[0], given[-1]
    whole = pl.datetime_range(first, last, "1h", eager=True).dt.truncate("1h").cast(INSTANT)
    inside = whole.filter((whole > first) & (whole < last))
    return pl.concat([given, inside]).unique().sort()


def _span_of(spans: pl.DataFrame) -> pl.Expr:
    """The number of the span that a bucket starts in."""
    starts = spans["start"]
    return pl.col("bucket").map_batches(
        lambda bucket: starts.search_sorted(bucket, side="right") - 1, return_dtype=pl.UInt32
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """A KPI among others in one frame, in which its columns begin with ``prefix``."""

    prefix: str
    kpi: Kpi
    parameters: ParameterSet

    def at(self, name: str) -> pl.Expr:
        return pl.col(self.prefix + name)

    def operands(self, inputs: Mapping[str, pl.DataFrame]) -> Iterator[pl.Series]:
        """The values of what the formula takes, and the least coverage of them."""
        for name in self.kpi.operands:
            yield inputs[name]["value"].alias(f"{self.prefix}of {name}")
            yield inputs[name]["coverage"].alias(f"{self.prefix}coverage of {name}")

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
        coverage = pl.min_horizontal(self.at(f"coverage of {name}") for name in names)
        yield coverage.alias(f"{self.prefix}coverage")

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
