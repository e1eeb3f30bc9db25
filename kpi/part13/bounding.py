"""Aggregates that are bounding values (OPC 10000-13, 5.4.3.4 and 28 to 30)."""

import polars as pl

from kpi.part13 import regions
from kpi.part13.history import UNCERTAIN, History
from kpi.part13.status import of_severity


def interpolative(history: History) -> pl.LazyFrame:
    """Interpolative: the value at the start, extrapolated behind the last reading."""
    pieces = regions.interpolated(history, stepped=history.configuration.stepped)
    return _answer(regions.bounds(pieces))


def start_bound(history: History) -> pl.LazyFrame:
    """StartBound: the simple bounding value at the start."""
    return _answer(starts(history))


def end_bound(history: History) -> pl.LazyFrame:
    """EndBound: the simple bounding value at the end; none where no reading follows."""
    return _answer(ends(history))


def delta_bounds(history: History) -> pl.LazyFrame:
    """DeltaBounds: EndBound - StartBound; none where one is missing, uncertain where one is."""
    both = starts(history).join(ends(history), on="slot", suffix="_end")
    return _answer(
        both.select(
            "slot",
            value=pl.col("value_end") - pl.col("value"),
            status=pl.min_horizontal("status", "status_end"),
        )
    )


def starts(history: History) -> pl.LazyFrame:
    """The usable simple bounds at the starts: ``slot, value, status``."""
    return _usable(regions.bounds(regions.simple(history)))


def ends(history: History) -> pl.LazyFrame:
    """The usable simple bounds at the ends of intervals that a reading closes."""
    of_next = starts(history).with_columns(pl.col("slot") - 1)
    return of_next.join(history.grid.filter("closed"), on="slot", how="semi")


def _usable(found: pl.LazyFrame) -> pl.LazyFrame:
    return found.filter(pl.col("status") >= UNCERTAIN)


def _answer(found: pl.LazyFrame) -> pl.LazyFrame:
    return _usable(found).select("slot", of_severity(pl.col("status")), "value")
