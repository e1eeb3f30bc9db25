"""From sums over tags to the inputs of KPIs: totals over spans, settled by hour where asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

import polars as pl

from kpi.binding import Binding
from kpi.formula import Formula
from kpi.frames import INSTANT
from kpi.kpi import Settled


def spans_between(edges: Sequence[datetime] | pl.Series) -> pl.DataFrame:
    """``span, start, end`` between ascending *edges*, numbered from 0."""
    given = edges if isinstance(edges, pl.Series) else list(edges)
    instants = pl.Series("start", given, dtype=INSTANT)
    if len(instants) < 2 or not (instants.diff().drop_nulls().dt.total_microseconds() > 0).all():
        raise ValueError("edges must be at least two ascending instants")
    return pl.DataFrame({"start": instants[:-1], "end": instants[1:]}).with_row_index("span")


def totals(
    bindings: Sequence[Binding], sums: pl.DataFrame, spans: pl.DataFrame
) -> list[dict[str, pl.DataFrame]]:
    """The inputs of each binding, by name.

    Parameters
    ----------
    sums
        `kpi.sums.SUMS`, in any order; those of other inputs or outside *spans* do not matter.
    spans
        From `spans_between`.

    Returns
    -------
    list[dict[str, polars.DataFrame]]
        ``value, coverage, good, tags, readings``, a row for each span, in their order. ``coverage``
        and ``good`` are shares of the span; an input that is settled is known as far as all that it
        is settled from.
    """
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
    hours = spans_between(_hours(spans))
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
