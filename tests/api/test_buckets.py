"""Summaries by chosen columns, and the aggregates of OPC UA Part 13."""

from datetime import datetime, timedelta

import httpx
import polars as pl
import pytest

from kpi.part13.aggregate import aggregate
from kpi.part13.configuration import AggregateConfiguration
from kpi.part13.names import Aggregate
from schemas.db.catalogue import Catalogue
from tests.api.answers import get, rows
from tests.api.demo import LINE, NOW, POTS, insert, instants

TAG = f"{LINE}/line_current"
LINEAR = "refinery/digestion-1/temperature"
HOUR = {"from": "2026-11-21T09:00:00Z", "to": "2026-11-21T10:00:00Z"}
_EVERY = timedelta(minutes=7)


@pytest.fixture
def noisy(api: httpx.Client, database: str, pavlodar: Catalogue) -> httpx.Client:
    """An hour of a stepped and of a sloped tag, with bad readings and a silence."""
    start = NOW - timedelta(minutes=62)
    insert(
        database,
        pavlodar,
        (
            (tag, ts, float(i * 13 % 29), 0 if i % 17 == 0 else 192)
            for tag in (TAG, LINEAR)
            for i, ts in enumerate(instants(start, NOW, 20))
            if not 60 < i < 75
        ),
    )
    return api


@pytest.mark.parametrize("name", list(Aggregate))
def test_every_aggregate_is_the_kpi_core_s(noisy: httpx.Client, name: Aggregate) -> None:
    """Bucket by bucket, with the signal stepped or sloped as the tag is."""
    start = NOW - timedelta(hours=1)
    readings = {tag: raw(noisy, tag) for tag in (TAG, LINEAR)}
    body = get(
        noisy, tag=f"{LINE}/line_current", mode="summary", aggregate=name, every="7m", **HOUR
    )
    found = rows(body) + rows(
        get(noisy, tag=LINEAR, mode="summary", aggregate=name, every="7m", **HOUR)
    )

    wanted: list[tuple[object, object]] = []
    first = datetime.fromisoformat(str(found[0]["end"]))
    for tag, stepped in ((TAG, True), (LINEAR, False)):
        config = AggregateConfiguration(stepped=stepped)
        for span in ((start, first, first - start), (first, NOW, _EVERY)):
            answer = aggregate(readings[tag], name, *span, config)
            wanted += answer.select("value", "quality").rows()
    assert [(row[name], row[f"{name}_quality"]) for row in found] == [
        (value if value is None else pytest.approx(value), quality) for value, quality in wanted
    ]


def raw(client: httpx.Client, tag: str) -> pl.DataFrame:
    """The readings of the tag with those around the hour, as the KPI core has them."""
    found = rows(get(client, tag=tag, **{"from": "-2h", "to": "now"}))
    return pl.DataFrame(
        [
            (1, datetime.fromisoformat(str(row["ts"])), row["value"], row["quality"])
            for row in found
        ],
        schema={
            "tag_id": pl.Int32,
            "ts": pl.Datetime("us", "UTC"),
            "value": pl.Float64,
            "quality": pl.Int16,
        },
        orient="row",
    )


def test_columns_can_be_chosen(demo: httpx.Client) -> None:
    """Keys, coverage and what was asked for, in the order of the table."""
    answer = demo.get(
        "/api/v1/history",
        params={"tag": TAG, "mode": "summary", "aggregate": ["max", "Range", "mean"], **HOUR},
    )

    (row,) = answer.json()["rows"]
    assert list(row) == ["tag", "start", "end", "coverage", "mean", "max", "Range", "Range_quality"]
    assert (row["mean"], row["max"], row["Range"]) == (500.0, 500.0, 0.0)


def test_days_of_different_length_are_aggregated(demo: httpx.Client) -> None:
    """A calendar bucket is a bucket like any other; what nothing is known of is bad."""
    span = {"from": "2026-11-20T10:00:00Z", "to": "2026-11-21T10:00:00Z"}
    found = rows(get(demo, tag=TAG, mode="summary", every="day", aggregate="Count", **span))

    assert [row["Count"] for row in found] == [None, 720.0]
    assert found[0]["Count_quality"] == 0


def test_a_bucket_that_holds_too_much_is_refused(demo: httpx.Client) -> None:
    """The standard's aggregates need all readings of a bucket at once."""
    span = {"from": "-400d", "to": "now", "aggregate": "Average"}
    answer = demo.get("/api/v1/history", params={"tag": TAG, "mode": "summary", **span})

    problem = answer.json()
    assert (problem["status"], problem["parameter"]) == (422, "every")
    assert problem["type"] == "urn:ertis:problem:too-large"


def test_an_unknown_aggregate_is_named(demo: httpx.Client) -> None:
    """With what it might have meant."""
    query = {"tag": f"{POTS[0]}/voltage", "mode": "summary", "aggregate": "Averag"}
    problem = demo.get("/api/v1/history", params=query).json()

    assert (problem["parameter"], problem["right"]) == ("aggregate", "did you mean 'Average'?")
