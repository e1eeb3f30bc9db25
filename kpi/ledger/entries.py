"""The entries of the green-aluminium ledger: what each hour of a period made, took and emitted.

A ledger is of one period, a month as a rule. Its entries add up: the sum over the hours is the
amount of the period, and that over the assets is the amount of the site. It is a pure function of
inputs, plant, parameter set and code: run again it is the same to the bit, in whatever order the
inputs come. As a frame it exports with ``write_csv`` and ``write_parquet``.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import polars as pl

from kpi.binding import Binding, bind
from kpi.evaluate import evaluate_sums, lineage_of_sums
from kpi.frames import INSTANT, Schema
from kpi.kpi import Kpi
from kpi.ledger.accounts import ACCOUNTS, METHODOLOGIES, booked
from schemas.errors import NotFoundError, nearest
from schemas.instant import EPOCH
from schemas.plant.model import Plant

ENTRIES: Final[Schema] = {
    "start": INSTANT,
    "end": INSTANT,
    "account": pl.String,
    "scope": pl.Int8,
    "asset": pl.String,
    "unit": pl.String,
    "value": pl.Float64,
    "coverage": pl.Float64,
    "reason": pl.String,
    "parameter_set": pl.String,
    "code_version": pl.String,
}
_HOUR: Final = timedelta(hours=1)


def ledger_bindings(plant: Plant, tag_ids: Mapping[str, int]) -> list[Binding]:
    """Everything that a ledger of *plant* evaluates; ``frame`` of each says what it is made of."""
    return [bind(kpi, asset, plant, tag_ids) for kpi, asset in booked(plant)]


def ledger(
    plant: Plant,
    tag_ids: Mapping[str, int],
    sums: pl.DataFrame,
    start: datetime,
    end: datetime,
    *,
    code_version: str,
    parameter_set: str = METHODOLOGIES[0],
) -> pl.DataFrame:
    """The ledger of the period [start, end).

    Parameters
    ----------
    plant, tag_ids
        The plant and the ids of its tags by path.
    sums
        `kpi.sums.SUMS` of `ledger_bindings`, none across an hour.
    start, end
        Whole hours, UTC. Metal and carbon of anodes come in lumps: of a period that is short beside
        an anode's life, their entries say little.
    code_version
        What the entries were made by, for the auditor who makes them again.
    parameter_set
        One of `kpi.ledger.accounts.METHODOLOGIES`.

    Returns
    -------
    polars.DataFrame
        `ENTRIES`, one row for each hour, account and asset; ``value`` [unit] is null where too
        little is known, with the reason. Energy in MWh, metal and emissions (CO2e) in t.

    Raises
    ------
    NotFoundError
        There is no such parameter set.
    ValueError
        The period is not made of whole hours.
    """
    if parameter_set not in METHODOLOGIES:
        raise NotFoundError("parameter_set", parameter_set, nearest(parameter_set, METHODOLOGIES))
    hours = _hours(start, end)
    # A year of a park has two million sums: looked through once, not once an account.
    by_input = {id_: part for (id_,), part in sums.partition_by("input_id", as_dict=True).items()}
    books = [pl.DataFrame(schema=ENTRIES)]
    for account in ACCOUNTS.values():
        for asset in account.assets(plant):
            bindings = [bind(kpi, asset, plant, tag_ids) for kpi in account.kpis]
            ids = sorted({id_ for one in bindings for id_ in one.input_ids.values()})
            own = pl.concat([sums.clear(), *(by_input[id_] for id_ in ids if id_ in by_input)])
            of_account = _amounts(bindings, own, hours, parameter_set)
            books.append(
                of_account.with_columns(
                    account=pl.lit(account.name),
                    scope=pl.lit(account.scope, pl.Int8),
                    asset=pl.lit(asset),
                    unit=pl.lit(account.kpi.unit),
                    parameter_set=pl.lit(parameter_set),
                    code_version=pl.lit(code_version),
                ).select(pl.col(name).cast(of) for name, of in ENTRIES.items())
            )
    return pl.concat(books).sort("start", maintain_order=True)


def _hours(start: datetime, end: datetime) -> list[datetime]:
    count, rest = divmod(end - start, _HOUR)
    if count < 1 or rest or (start - EPOCH) % _HOUR:
        raise ValueError(f"from {start} to {end} are not whole hours")
    return [start + number * _HOUR for number in range(count + 1)]


def _amounts(
    bindings: Sequence[Binding],
    sums: pl.DataFrame,
    hours: Sequence[datetime],
    parameter_set: str,
) -> pl.DataFrame:
    """``start, end, value, coverage, reason``, hour by hour."""
    amount, *spread = bindings
    if not spread:
        return evaluate_sums(amount, sums, hours, _set(amount.kpi, parameter_set))
    ends = (hours[0], hours[-1])
    period = evaluate_sums(amount, sums, ends, _set(amount.kpi, parameter_set))
    key = lineage_of_sums(spread[0], sums, hours)
    return _spread(period, key, amount.kpi.minimum_coverage)


def _spread(period: pl.DataFrame, key: pl.DataFrame, minimum_coverage: float) -> pl.DataFrame:
    """The amount of the period in proportion to *key*, an additive input hour by hour."""
    given = period.row(0, named=True)
    amount = given["value"]
    whole = key.select(pl.col("value").implode().list.sum()).item()
    if amount is None and whole == 0 and given["coverage"] >= minimum_coverage:
        # A line that stands has no PFC, although minutes by no pot-days are no number.
        amount = 0.0
    reason = given["reason"] if amount is None else None
    if amount and whole == 0:
        amount, reason = None, "the period has nothing to spread it by"
    value = pl.lit(amount, pl.Float64)
    return key.select(
        "start",
        "end",
        "coverage",
        value=value * pl.col("value") / pl.lit(whole) if whole else value,
        reason=pl.lit(reason, pl.String),
    )


def _set(kpi: Kpi, parameter_set: str) -> str | None:
    return parameter_set if kpi.parameter_sets else None
