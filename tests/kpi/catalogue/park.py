"""The park of ``park.toml``, and what its KPIs are over given sums or given readings."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from kpi.binding import bind
from kpi.catalogue.park import KPIS
from kpi.derive import Derived, derive, derived_tags
from kpi.evaluate import evaluate
from kpi.frames import READINGS, SUMMARY
from kpi.summary import summarise
from schemas.plant.file import load_plant
from schemas.plant.model import Plant
from tests.kpi.frames import HOUR, START, Row, readings, tags_of

PLANT: Final[Plant] = load_plant(Path(__file__).with_name("park.toml"))
IDS: Final = {path: number for number, path in enumerate(PLANT.tags, start=1)}
DERIVED: Final[dict[int, Derived]] = derived_tags(PLANT, IDS)
FRAME: Final = tags_of({IDS[path]: tag for path, tag in PLANT.tags.items()})

Points = Sequence[Row | tuple[float, float | None]]


def sums(
    given: Mapping[str, Mapping[str, float]], bucket: datetime = START, span: timedelta = HOUR
) -> pl.DataFrame:
    """One summary of each tag, covered and good all the time.

    ``mean`` stands for the integral of that mean over the span.
    """
    seconds = span.total_seconds()
    rows = []
    for path, columns in given.items():
        row: dict[str, Any] = {name: value for name, value in columns.items() if name != "mean"}
        if "mean" in columns:
            row["integral"] = columns["mean"] * seconds
        row |= {"tag_id": IDS[path], "bucket": bucket, "count": 1}
        rows.append({"covered_s": seconds, "good_s": seconds} | row)
    return pl.DataFrame(rows, schema=dict(SUMMARY))


def of_sums(
    kpi: str,
    asset: str,
    given: Mapping[str, Mapping[str, float]],
    span: timedelta = HOUR,
    parameter_set: str | None = None,
) -> dict[str, Any]:
    """The answer from one summary of each tag over *span*."""
    binding = bind(KPIS[kpi], asset, PLANT, IDS)
    answers = evaluate(binding, sums(given, span=span), [START, START + span], parameter_set)
    return answers.row(0, named=True)


def summaries(
    given: Mapping[str, Points], end: datetime, every: timedelta = timedelta(minutes=1)
) -> pl.DataFrame:
    """The summaries of all tags, derived ones too, from readings by path."""
    measured = pl.concat(
        [pl.DataFrame(schema=dict(READINGS))]
        + [readings(points, IDS[path]) for path, points in given.items()]
    )
    computed = derive(measured, DERIVED, DERIVED, FRAME)
    return summarise(pl.concat([measured, computed]), FRAME, START, end, every)


def of_readings(
    kpi: str,
    asset: str,
    given: Mapping[str, Points],
    span: timedelta = HOUR,
    parameter_set: str | None = None,
) -> dict[str, Any]:
    """The answer from readings: derived, summarised by minute, summed, computed."""
    binding = bind(KPIS[kpi], asset, PLANT, IDS)
    edges = [START, START + span]
    return evaluate(binding, summaries(given, edges[1]), edges, parameter_set).row(0, named=True)


def held(value: float, seconds: float, step: float = 60.0) -> Points:
    """*value* once every *step* from START to *seconds*."""
    return [(n * step, value) for n in range(int(seconds // step) + 1)]


def hourly(values: Iterable[float]) -> Points:
    """One value after another, each for an hour, reported every minute."""
    return [
        (hour * 3600.0 + minute * 60.0, value)
        for hour, value in enumerate(values)
        for minute in range(60)
    ]
