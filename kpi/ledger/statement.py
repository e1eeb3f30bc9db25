"""The statement of a ledger: its totals, its shares, its tonnes of CO2e per tonne of aluminium."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from kpi.frames import Schema

STATEMENT: Final[Schema] = {
    "line": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "hours": pl.Int64,
    "missing": pl.Int64,
    "parameter_set": pl.String,
    "code_version": pl.String,
}


@dataclass(frozen=True, slots=True)
class _Ratio:
    """The sum of some accounts by the sum of another, over the hours in which all are known."""

    line: str
    unit: str
    of: tuple[str, ...]
    by: str
    scale: float = 1.0


_DIRECT: Final = ("pfc", "anode", "fuel")
_RATIOS: Final = (
    _Ratio("hourly matched renewable share", "%", ("matched",), "consumption", 100.0),
    _Ratio("volumetric renewable share", "%", ("generation",), "consumption", 100.0),
    _Ratio("carbon-free energy score", "%", ("carbon-free",), "consumption", 100.0),
    *(_Ratio(f"{account} per tonne", "t/t", (account,), "metal") for account in _DIRECT),
    _Ratio("power by location per tonne", "t/t", ("power by location",), "metal"),
    _Ratio("power by market per tonne", "t/t", ("power by market",), "metal"),
    _Ratio("scope 1 per tonne", "t/t", _DIRECT, "metal"),
    _Ratio("scope 1 and 2 by location per tonne", "t/t", (*_DIRECT, "power by location"), "metal"),
    _Ratio("scope 1 and 2 by market per tonne", "t/t", (*_DIRECT, "power by market"), "metal"),
)


def statement(entries: pl.DataFrame) -> pl.DataFrame:
    """What a ledger comes to.

    Parameters
    ----------
    entries
        From `kpi.ledger.entries.ledger`.

    Returns
    -------
    polars.DataFrame
        `STATEMENT`: the total of each account, then the ratios. ``hours`` are those that the value
        is of, ``missing`` those that are not known and left out. A ratio leaves out an hour of
        which any of its accounts is not known, so that both its sums are of the same hours. What
        the plant has no account for counts as nothing; a ratio of nothing has no line.
    """
    accounts = entries["account"].unique(maintain_order=True).to_list()
    hourly = (
        entries.group_by("start", "account", "unit", maintain_order=True)
        .agg("value")
        .with_columns(
            # Of an hour one asset of which is not known, the whole is not known.
            value=pl.when(~pl.col("value").list.eval(pl.element().is_null()).list.any()).then(
                pl.col("value").list.sum()
            )
        )
    )
    lines = [_total(hourly, account) for account in accounts]
    lines += [
        _ratio(hourly, ratio, [account for account in ratio.of if account in accounts])
        for ratio in _RATIOS
        if ratio.by in accounts and any(account in accounts for account in ratio.of)
    ]
    marks = entries.select("parameter_set", "code_version").head(1).row(0)
    return pl.DataFrame([(*line, *marks) for line in lines], schema=dict(STATEMENT), orient="row")


def _total(hourly: pl.DataFrame, account: str) -> tuple[str, str, float | None, int, int]:
    rows = hourly.filter(pl.col("account") == account)
    known = rows["value"].drop_nulls()
    value = _sum(known) if len(known) else None
    return account, rows["unit"][0], value, len(known), rows.height - len(known)


def _ratio(
    hourly: pl.DataFrame, ratio: _Ratio, of: Sequence[str]
) -> tuple[str, str, float | None, int, int]:
    wide = hourly.filter(pl.col("account").is_in([*of, ratio.by])).pivot(
        "account", index="start", values="value", maintain_order=True
    )
    known = wide.drop_nulls()
    by = _sum(known[ratio.by])
    value = sum(_sum(known[account]) for account in of) / by * ratio.scale if by else None
    return ratio.line, ratio.unit, value, known.height, wide.height - known.height


def _sum(values: pl.Series) -> float:
    """As a list, for the reason given in kpi.summary."""
    return float(values.implode().list.sum().item() or 0.0)
