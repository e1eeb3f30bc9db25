"""Every row of annex A that we have: values, qualities and times."""

import polars as pl
import pytest

import kpi
from kpi.part13.names import Aggregate
from tests.kpi.part13.annex import (
    CLAUSES,
    END,
    EXAMPLES,
    HISTORIANS,
    NODE,
    NOON,
    SERVER,
    Table,
    readings,
)


def _answers(table: Table, samples: pl.DataFrame | None = None) -> pl.DataFrame:
    historian = HISTORIANS[table.historian]
    return kpi.aggregate(
        readings(historian.samples) if samples is None else samples,
        table.aggregate,
        NOON,
        END,
        table.every,
        historian.configuration,
    )


def _assert_published(table: Table, answers: pl.DataFrame) -> None:
    pairs = zip(
        table.rounded(), answers.select("value", "quality").rows(), answers["start"], strict=True
    )
    for published, (value, quality), start in pairs:
        if published is not None:
            assert (value, quality) == (pytest.approx(published[0], abs=5.5e-4), published[1]), (
                start
            )


@pytest.mark.parametrize(
    "table",
    [
        pytest.param(table, id=f"{source}-{table.aggregate}-{table.historian}")
        for source, tables in (
            ("1.05", EXAMPLES),
            ("1.04", CLAUSES),
            ("server", SERVER),
            ("node", NODE),
        )
        for table in tables
    ],
)
def test_a_published_table_is_reproduced(table: Table) -> None:
    """Values, qualities and times are those that the standard's own examples give."""
    answers = _answers(table)

    _assert_published(table, answers)
    if table.seconds:
        times = [None if t is None else (t - NOON).total_seconds() for t in answers["actual_time"]]
        assert times == [None if word == "-" else float(word) for word in table.seconds.split()]


@pytest.mark.parametrize(
    "table", EXAMPLES, ids=lambda table: f"{table.aggregate}-{table.historian}"
)
def test_an_archive_without_its_first_entry_answers_alike(table: Table) -> None:
    """The entry Bad_NoData at 12:00:00 says only that the archive begins: it is no reading."""
    historian = HISTORIANS[table.historian]
    assert _answers(table, readings(historian.samples[1:])).equals(_answers(table))


def test_every_aggregate_is_named_by_the_annex_or_by_a_limit_case() -> None:
    """No aggregate goes without a published row but for those that test_clauses derives."""
    published = {table.aggregate for table in (*EXAMPLES, *CLAUSES, *SERVER)}

    assert set(Aggregate) - published == {
        "Delta",
        "NumberOfTransitions",
        "WorstQuality2",
        "VarianceSample",
        "StandardDeviationPopulation",
        "VariancePopulation",
    }
