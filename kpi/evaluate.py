"""From summaries to KPI values: sum the additive inputs over tags and time, then the formula.

The sums over tags (`kpi.sums`) may have been taken before; then the cost of an answer does not
depend on how many tags there are.
"""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from kpi.binding import Binding
from kpi.frames import INSTANT
from kpi.kpi import Settled
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
    kpi = binding.kpi
    spans = _spans(edges)
    wide = _wide(_inputs(binding, sums, spans), kpi.operands, spans)
    # As full columns: for Polars' division by a plain number see kpi.summary.
    constants = {
        name: pl.col("span") * 0.0 + constant.value
        for name, constant in kpi.parameters(parameter_set).constants.items()
    }
    operands = {name: pl.col(name) for name in kpi.operands}
    value = kpi.formula(**operands, **constants) * kpi.scale
    coverage = pl.min_horizontal(pl.col(f"{name} coverage") for name in kpi.operands)
    return (
        wide.with_columns(value=value, coverage=coverage)
        .with_columns(reason=_reason(binding))
        .with_columns(
            value=pl.when(_uncovered(binding) | ~pl.col("value").is_finite())
            .then(None)
            .otherwise("value")
        )
        .select("start", "end", "value", "coverage", "reason")
    )


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
    units = pl.DataFrame(
        [(given.name, given.unit) for given in binding.kpi.inputs],
        schema={"input": pl.String, "unit": pl.String},
        orient="row",
    )
    spans = _spans(edges)
    return (
        _inputs(binding, sums, spans)
        .join(spans, on="span")
        .join(units, on="input", maintain_order="left")
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


def _inputs(binding: Binding, sums: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """``span, input, value, coverage, good, tags, readings``, every span and input once."""
    low, high = spans["start"][0], spans["end"][-1]
    # Floats are added in one fixed order, whatever order the rows came in.
    sums = sums.filter(
        pl.col("bucket").is_between(low, high, closed="left"),
        pl.col("input_id").is_in(list(binding.input_ids.values())),
    ).sort("input_id", "bucket")
    inputs = binding.kpi.inputs
    measured = _measured(binding, sums, spans)
    settled = [given for given in inputs if isinstance(given, Settled)]
    if not settled:
        return measured
    hours = _spans(_hours(spans))
    by_hour = _measured(binding, sums, hours)
    found = [_settled(given, by_hour, hours, measured, spans) for given in settled]
    order = pl.Enum([given.name for given in inputs])
    return pl.concat([measured, *found]).sort("span", pl.col("input").cast(order))


def _measured(binding: Binding, sums: pl.DataFrame, spans: pl.DataFrame) -> pl.DataFrame:
    """The inputs that are sums over tags; an optional one that the plant lacks is zero."""
    inputs = pl.DataFrame(
        [
            (
                given.name,
                binding.input_ids.get(given.name),
                len(binding.of_input.get(given.name, ())),
            )
            for given in binding.kpi.inputs
            if not isinstance(given, Settled)
        ],
        schema={"input": pl.String, "input_id": pl.Int64, "tags": pl.Int64},
        orient="row",
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
    return (
        spans.join(inputs, how="cross", maintain_order="left_right")
        .join(found, on=["span", "input_id"], how="left", maintain_order="left")
        .with_columns(amounts.fill_null(0.0), pl.col("readings").fill_null(0))
        .select("span", "value", "readings", "input", *share, "tags")
    )


def _settled(
    given: Settled,
    by_hour: pl.DataFrame,
    hours: pl.DataFrame,
    measured: pl.DataFrame,
    spans: pl.DataFrame,
) -> pl.DataFrame:
    """The sum over hours of a formula of each; known as far as what it is settled from."""
    value = given.formula(**{name: pl.col(name) for name in given.operands})
    values = (
        _wide(by_hour, given.operands, hours)
        .select(pl.col("start").alias("bucket"), value=value)
        .with_columns(span=_span_of(spans))
        .group_by("span", maintain_order=True)
        .agg("value")
        # As lists, for the reason given in kpi.summary.
        .with_columns(pl.col("value").list.sum())
    )
    return (
        measured.filter(pl.col("input").is_in(given.operands))
        .group_by("span", maintain_order=True)
        .agg(pl.col("coverage", "good").min(), pl.col("tags", "readings").sum())
        .join(values, on="span", maintain_order="left")
        .with_columns(input=pl.lit(given.name))
        .select(measured.columns)
    )


def _wide(inputs: pl.DataFrame, names: Sequence[str], spans: pl.DataFrame) -> pl.DataFrame:
    """*spans* with the value and the coverage of each named input; all are in order of spans."""
    of_input = inputs.select("input", "value", "coverage").partition_by("input", as_dict=True)
    return spans.with_columns(
        of_input[name,][column].alias(alias)
        for name in names
        for column, alias in (("value", name), ("coverage", f"{name} coverage"))
    )


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


def _uncovered(binding: Binding) -> pl.Expr:
    return pl.col("coverage") < binding.kpi.minimum_coverage - _ROUNDING


def _reason(binding: Binding) -> pl.Expr:
    kpi = binding.kpi
    low, high = kpi.valid
    zeros = pl.concat_str(
        [pl.when(pl.col(name) == 0).then(pl.lit(f" {name} is zero")) for name in kpi.operands],
        separator=",",
        ignore_nulls=True,
    )
    return (
        pl.when(pl.col("coverage") == 0)
        .then(pl.lit("no readings"))
        .when(_uncovered(binding))
        .then(
            pl.format("coverage {}", pl.col("coverage").round(4))
            + pl.lit(f" is below {kpi.minimum_coverage:g}")
        )
        .when(~pl.col("value").is_finite())
        .then(pl.lit("undefined:") + zeros)
        .when(~pl.col("value").is_between(low, high))
        .then(pl.lit(f"outside {low:g} to {high:g} {kpi.unit}"))
    )
