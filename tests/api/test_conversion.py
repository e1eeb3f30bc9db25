"""Values in another unit: points, differences, variances and integrals each in their own way."""

from datetime import timedelta

import httpx
import pytest

from schemas.db.catalogue import Catalogue
from tests.api.answers import get, rows
from tests.api.demo import LINE, NOW, POTS, insert, instants

VOLTAGE = f"{POTS[0]}/voltage"
TEMPERATURE = "refinery/digestion-1/temperature"
MINUTES = {"from": "2026-11-21T09:50:00Z", "to": "2026-11-21T10:00:00Z"}


def test_readings_are_converted(demo: httpx.Client) -> None:
    """4.2 V are 4200 mV; the answer says its unit."""
    body = get(demo, tag=VOLTAGE, unit="mV", **MINUTES)

    assert body["unit"] == "mV"
    assert {row["value"] for row in rows(body)} == {4200.0}


@pytest.fixture
def warm(api: httpx.Client, database: str, pavlodar: Catalogue) -> httpx.Client:
    """Ten minutes of a temperature that climbs from 100 to 109 degC."""
    start = NOW - timedelta(minutes=10)
    insert(
        database,
        pavlodar,
        ((TEMPERATURE, ts, 100.0 + i, 192) for i, ts in enumerate(instants(start, NOW, 60))),
    )
    return api


def test_scales_with_different_zeros(warm: httpx.Client) -> None:
    """A point moves with the zero, a range does not; a mean is the mean in either unit."""
    query = {"tag": TEMPERATURE, "mode": "summary", **MINUTES}
    names = ["mean", "min", "integral", "Range", "VarianceSample", "Count"]
    celsius, fahrenheit = (
        warm.get("/api/v1/history", params={**query, "aggregate": names, **unit}).json()["rows"][0]
        for unit in ({}, {"unit": "degF"})
    )
    seconds = 600.0 * celsius["coverage"]

    assert fahrenheit["min"] == pytest.approx(212.0)
    assert fahrenheit["mean"] == pytest.approx(celsius["mean"] * 1.8 + 32)
    assert fahrenheit["integral"] == pytest.approx(fahrenheit["mean"] * seconds)
    assert fahrenheit["Range"] == pytest.approx(celsius["Range"] * 1.8)
    assert fahrenheit["VarianceSample"] == pytest.approx(celsius["VarianceSample"] * 3.24)
    assert fahrenheit["Count"] == celsius["Count"] == 10


@pytest.mark.parametrize(
    ("tag", "unit", "advice"),
    [
        (VOLTAGE, "kg", "which is no kg"),
        (f"{LINE}/**", "mV", "which is no mV"),
        (VOLTAGE, "volz", "no unit"),
        (VOLTAGE, "V**9**9**9", "as Pint does"),
        (VOLTAGE, "(", "as Pint does"),
        (VOLTAGE, "1/0", "as Pint does"),
        (VOLTAGE, "", "as Pint does"),
    ],
)
def test_dimensions_are_checked(demo: httpx.Client, tag: str, unit: str, advice: str) -> None:
    """The first tag that cannot be in that unit is named."""
    answer = demo.get("/api/v1/history", params={"tag": tag, "unit": unit})

    assert (answer.status_code, answer.json()["parameter"]) == (422, "unit")
    assert advice in answer.json()["right"]


def test_a_total_has_no_other_zero(demo: httpx.Client) -> None:
    """The standard's totals do not say how long they are of."""
    query = {"tag": TEMPERATURE, "mode": "summary", "aggregate": "Total2", "unit": "degF"}
    problem = demo.get("/api/v1/history", params=query).json()

    assert (problem["status"], problem["parameter"]) == (422, "aggregate")
