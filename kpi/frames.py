"""The frames that the KPI core takes and gives: column -> Polars type."""

from collections.abc import Mapping
from typing import Final, TypeAlias

import polars as pl
from polars.datatypes import DataType, DataTypeClass

Schema: TypeAlias = Mapping[str, DataType | DataTypeClass]

INSTANT: Final = pl.Datetime("us", "UTC")

READINGS: Final[Schema] = {
    "tag_id": pl.Int32,
    "ts": INSTANT,
    "value": pl.Float64,
    "quality": pl.Int16,
}
"""Raw readings, one row each; (tag_id, ts) is unique."""

TAGS: Final[Schema] = {
    "tag_id": pl.Int32,
    "kind": pl.String,
    "interpolation": pl.String,
    "stale_after_s": pl.Float64,
    "modulus": pl.Float64,
    "max_rate": pl.Float64,
}
"""How to read the tags: columns of the table ``tag`` with its id as tag_id."""

PRODUCTS: Final[Schema] = {"tag_id": pl.Int32, "left_id": pl.Int32, "right_id": pl.Int32}
"""Computed tags and the two tags that they multiply."""

SUMMARY: Final[Schema] = {
    "tag_id": pl.Int32,
    "bucket": INSTANT,
    "count": pl.Int32,
    "good_s": pl.Float64,
    "covered_s": pl.Float64,
    "integral": pl.Float64,
    "first": pl.Float64,
    "first_ts": INSTANT,
    "last": pl.Float64,
    "last_ts": INSTANT,
    "min": pl.Float64,
    "max": pl.Float64,
    "increase": pl.Float64,
    "refused": pl.Int32,
    "active_s": pl.Float64,
    "activations": pl.Int32,
    "total": pl.Float64,
}
"""Summaries: the columns of ``rollup_1m`` and ``rollup_1h``."""
