"""Readings of products alone, from their ids: what `kpi.derive` does for every rule."""

import polars as pl

from kpi.derivation.general import product
from kpi.derive import Derived, derive


def multiply(readings: pl.DataFrame, products: pl.DataFrame, tags: pl.DataFrame) -> pl.DataFrame:
    """The readings of products.

    Parameters
    ----------
    readings
        `kpi.frames.READINGS` of the operands in any order, with the last reading of each before the
        span that matters.
    products
        `kpi.frames.PRODUCTS`.
    tags
        `kpi.frames.TAGS` with at least the operands.

    Returns
    -------
    polars.DataFrame
        As `kpi.derive.derive` gives them.
    """
    derived = {
        tag_id: Derived(tag_id, product, (left, right), {}, 1, {})
        for tag_id, left, right in products.iter_rows()
    }
    return derive(readings, derived, derived, tags)
