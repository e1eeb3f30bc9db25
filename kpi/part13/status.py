"""The quality of an answer from that of what it was computed from (OPC 10000-13, 5.4.3.2)."""

import polars as pl

from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.history import CODES
from schemas.quality import Quality


def by_share(
    good: pl.Expr, bad: pl.Expr, total: pl.Expr, configuration: AggregateConfiguration
) -> pl.Expr:
    """Quality by the shares of good and bad readings, or of good and bad time, in *total*."""
    enough_good = good * 100 >= total * configuration.percent_data_good
    enough_bad = (bad * 100 >= total * configuration.percent_data_bad) & pl.lit(
        configuration.bad_share_decides
    )
    return code(
        pl.when(enough_good)
        .then(Quality.GOOD)
        .when(enough_bad)
        .then(Quality.BAD)
        .otherwise(Quality.UNCERTAIN)
    )


def flawless(condition: pl.Expr) -> pl.Expr:
    """Good where the condition holds, else uncertain."""
    return code(pl.when(condition).then(Quality.GOOD).otherwise(Quality.UNCERTAIN))


def of_severity(status: pl.Expr) -> pl.Expr:
    """The quality code of a status."""
    return code(status.replace_strict(CODES, default=Quality.BAD))


def code(quality: pl.Expr) -> pl.Expr:
    """The type that qualities have in every frame."""
    return quality.cast(pl.Int16).alias("quality")
