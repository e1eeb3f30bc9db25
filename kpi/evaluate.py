"""From summaries to KPI values: sum the additive inputs over tags and time, then the formula."""

from collections.abc import Sequence
from datetime import datetime

import polars as pl

from kpi.binding import Binding, Term
from kpi.frames import INSTANT
from kpi.kpi import Amount, Settled

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
    kpi = binding.kpi
    wide = _wide(_inputs(binding, summaries, edges), kpi.operands, _spans(edges))
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
    units = pl.DataFrame(
        [(given.name, given.unit) for given in binding.kpi.inputs],
        schema={"input": pl.String, "unit": pl.String},
        orient="row",
    )
    return (
        _inputs(binding, summaries, edges)
        .join(_spans(edges), on="span")
        .join(units, on="input", maintain_order="left")
        .select("start", "end", "input", "unit", "value", "coverage", "good", "tags", "readings")
    )


def _spans(edges: Sequence[datetime]) -> pl.DataFrame:
    instants = pl.Series("start", list(edges), dtype=INSTANT)
    if len(instants) < 2 or not (instants.diff().drop_nulls().dt.total_microseconds() > 0).all():
        raise ValueError("edges must be at least two ascending instants")
    return pl.DataFrame({"start": instants[:-1], "end": instants[1:]}).with_row_index("span")


def _inputs(binding: Binding, summaries: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    """``span, input, value, coverage, good, tags, readings``, every span and input once."""
    # Floats are added in one fixed order, whatever order the rows came in.
    rows = summaries.filter(pl.col("bucket") >= edges[0], pl.col("bucket") < edges[-1]).sort(
        "tag_id", "bucket"
    )
    measured = _measured(binding, rows, edges)
    settled = [given for given in binding.kpi.inputs if isinstance(given, Settled)]
    if not settled:
        return measured
    hours = _hours(edges)
    by_hour = _measured(binding, rows, hours)
    found = [_settled(given, by_hour, hours, measured, edges) for given in settled]
    order = pl.Enum([given.name for given in binding.kpi.inputs])
    return pl.concat([measured, *found]).sort("span", pl.col("input").cast(order))


def _measured(binding: Binding, rows: pl.DataFrame, edges: Sequence[datetime]) -> pl.DataFrame:
    """The inputs that are sums over tags."""
    spans = _spans(edges)
    rows = rows.with_columns(span=_span_of(spans))
    terms: dict[str, list[Term]] = {
        given.name: [] for given in binding.kpi.inputs if not isinstance(given, Settled)
    }
    for term in binding.terms:
        terms[term.input].append(term)
    of_input = [
        _input(rows, spans, name, given) if given else _absent(spans, name)
        for name, given in terms.items()
    ]
    return pl.concat(of_input).sort("span", maintain_order=True)


def _absent(spans: pl.DataFrame, name: str) -> pl.DataFrame:
    """An optional input that the plant does not have: zero, and that is known."""
    none, all_ = pl.lit(0, pl.Int64), pl.lit(1.0)
    return spans.select(
        "span",
        value=pl.lit(0.0),
        readings=none,
        input=pl.lit(name),
        coverage=all_,
        good=all_,
        tags=none,
    )


def _settled(
    given: Settled,
    by_hour: pl.DataFrame,
    hours: Sequence[datetime],
    measured: pl.DataFrame,
    edges: Sequence[datetime],
) -> pl.DataFrame:
    """The sum over hours of a formula of each; known as far as what it is settled from."""
    value = given.formula(**{name: pl.col(name) for name in given.operands})
    values = (
        _wide(by_hour, given.operands, _spans(hours))
        .select(pl.col("start").alias("bucket"), value=value)
        .with_columns(span=_span_of(_spans(edges)))
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
    """*spans* with the value and the coverage of each named input."""
    for name in names:
        of_input = inputs.filter(pl.col("input") == name)
        spans = spans.join(
            of_input.select("span", pl.col("value").alias(name), _covered(name)), on="span"
        ).sort("span")
    return spans


def _hours(edges: Sequence[datetime]) -> list[datetime]:
    """The edges and the whole hours between them."""
    given = pl.Series(list(edges), dtype=INSTANT)
    first, last = given[0], given[-1]
    whole = pl.datetime_range(first, last, "1h", eager=True).dt.truncate("1h").cast(INSTANT)
    inside = whole.filter((whole > first) & (whole < last))
    return pl.concat([given, inside]).unique().sort().to_list()


def _span_of(spans: pl.DataFrame) -> pl.Expr:
    """The number of the span that a bucket starts in."""
    starts = spans["start"]
    return pl.col("bucket").map_batches(
        lambda bucket: starts.search_sorted(bucket, side="right") - 1, return_dtype=pl.UInt32
    )


def _input(
    rows: pl.DataFrame, spans: pl.DataFrame, name: str, terms: Sequence[Term]
) -> pl.DataFrame:
    known = pl.DataFrame(
        [(term.tag_id, term.column, term.weight) for term in terms],
        schema={"tag_id": pl.Int32, "column": pl.Enum(Amount), "weight": pl.Float64},
        orient="row",
    )
    amount = pl.coalesce(
        pl.when(pl.col("column") == column).then(pl.col(column).cast(pl.Float64))
        for column in sorted({term.column for term in terms})
    )
    sums = pl.col("value", "covered_s", "good_s")
    seconds = (pl.col("end") - pl.col("start")).dt.total_microseconds() * known.height * 1e-6
    found = (
        rows.join(known, on="tag_id", maintain_order="left")
        .with_columns(value=amount.fill_null(0.0) * pl.col("weight"))
        .group_by("span", maintain_order=True)
        .agg(sums, readings=pl.col("count").sum().cast(pl.Int64))
        # As lists, for the reason given in kpi.summary.
        .with_columns(sums.list.sum())
    )
    return (
        spans.join(found, on="span", how="left")
        .with_columns(sums.fill_null(0.0), pl.col("readings").fill_null(0))
        .select(
            "span",
            "value",
            "readings",
            input=pl.lit(name),
            coverage=pl.col("covered_s") / seconds,
            good=pl.col("good_s") / seconds,
            tags=pl.lit(known.height, pl.Int64),
        )
    )


def _covered(name: str) -> pl.Expr:
    return pl.col("coverage").alias(f"{name} coverage")


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
