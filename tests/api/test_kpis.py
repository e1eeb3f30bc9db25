"""KPIs: catalogue, series, lineage, and that they move."""

from datetime import timedelta

import httpx
import pytest

from api.app import create_app
from kpi.catalogue.park import KPIS
from schemas.db.catalogue import Catalogue
from tests.api.conftest import SETTINGS, Serve
from tests.api.demo import INVERTERS, LINE, NOW, insert, instants

SOLAR = {"asset": "power/solar-1"}


def series(client: httpx.Client, kpi: str, **query: str) -> dict[str, object]:
    """The JSON of a good answer."""
    answer = client.get(f"/api/v1/kpis/{kpi}", params=query)
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def rows(body: dict[str, object]) -> list[dict[str, object]]:
    """Its rows."""
    found = body["rows"]
    assert isinstance(found, list)
    return found


def test_the_catalogue_tells_how_each_is_computed(demo: httpx.Client) -> None:
    """Formula, unit, source and inputs of every KPI there is."""
    found = {kpi["id"]: kpi for kpi in demo.get("/api/v1/kpis").json()["kpis"]}

    assert set(found) == set(KPIS)
    assert found["capacity_factor"]["formula"] == "energy / capacity"
    assert [given["name"] for given in found["capacity_factor"]["inputs"]] == [
        "energy",
        "capacity",
    ]
    assert all(kpi["source"] and kpi["unit"] and kpi["formula"] for kpi in found.values())


def test_half_of_rated_power_is_half_a_capacity_factor(demo: httpx.Client) -> None:
    """Four inverters at 1250 of 2500 kW, hour by hour."""
    found = rows(series(demo, "capacity_factor", **SOLAR, every="1h", **{"from": "-2h"}))

    assert [row["value"] for row in found] == [pytest.approx(0.5), pytest.approx(0.5)]
    assert [row["coverage"] for row in found] == [1.0, 1.0]


def test_specific_energy_is_that_of_the_current_and_the_metal(demo: httpx.Client) -> None:
    """Over the hour after the first taps: power of the pots by the metal that was tapped."""
    span = {"from": "2026-11-21T08:30:00Z", "to": "2026-11-21T09:30:00Z"}
    (row,) = rows(series(demo, "dc_specific_energy", asset=LINE, **span))

    assert row["value"] == pytest.approx(4.2 * 500 * 24 / 2.4)


def test_a_value_without_enough_coverage_is_null_with_the_reason(demo: httpx.Client) -> None:
    """A wrong number is worse than none."""
    first, _ = rows(series(demo, "capacity_factor", **SOLAR, every="4h", **{"from": "-8h"}))[-2:]
    (wind,) = rows(series(demo, "capacity_factor", asset="power/wind-1"))

    assert (first["value"], first["coverage"]) == (None, 0.0)
    assert first["reason"] == "no readings"
    assert wind["value"] is None
    assert "coverage" in str(wind["reason"])


def test_lineage_names_inputs_and_tags(demo: httpx.Client) -> None:
    """What the value was computed from, as numbers and as tags."""
    body = series(demo, "capacity_factor", **SOLAR, lineage="true", **{"from": "-1h"})
    (row,) = rows(body)
    inputs = row["inputs"]

    assert isinstance(inputs, list)
    assert body["tags"] == {
        "energy": [f"{path}/power" for path in INVERTERS],
        "capacity": [f"{path}/power" for path in INVERTERS],
    }
    assert [(one["input"], one["unit"], one["tags"]) for one in inputs] == [
        ("energy", "kWh", 4),
        ("capacity", "kWh", 4),
    ]
    assert inputs[0]["value"] / inputs[1]["value"] == pytest.approx(row["value"])
    assert inputs[0]["readings"] == 4 * 360


def test_a_day_of_the_plant_is_a_calendar_day(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """2024-02-29 of Almaty counts the energy of 25 hours."""
    start = NOW.replace(year=2024, month=2, day=28, hour=18)
    insert(
        database,
        pavlodar,
        (
            (f"{path}/power", ts, 1250.0, 192)
            for path in INVERTERS
            for ts in instants(start, start + timedelta(hours=49), 60)
        ),
    )
    span = {"from": "2024-02-29T00:00:00+06:00", "to": "2024-03-02T00:00:00+05:00"}

    days = rows(series(api, "capacity_factor", **SOLAR, every="day", lineage="true", **span))
    month = rows(series(api, "capacity_factor", **SOLAR, every="month", **span))

    energies = [row["inputs"][0]["value"] for row in days]  # type: ignore[index]
    assert energies == [pytest.approx(5000.0 * 25), pytest.approx(5000.0 * 24)]
    assert [row["start"] for row in days] == ["2024-02-28T18:00:00Z", "2024-02-29T19:00:00Z"]
    assert [row["value"] for row in month] == [pytest.approx(0.5), pytest.approx(0.5)]


def test_pages_of_a_series_are_the_whole(demo: httpx.Client) -> None:
    """Following the cursor gives every bucket once."""
    asked = {**SOLAR, "every": "7m", "from": "-2h"}
    whole = rows(series(demo, "capacity_factor", **asked))
    found, cursor = [], ""
    while True:
        page = series(
            demo, "capacity_factor", **asked, limit="5", **({"cursor": cursor} if cursor else {})
        )
        found += rows(page)
        if page["cursor"] is None:
            break
        cursor = str(page["cursor"])

    assert found == whole
    assert len(whole) > 15


def test_a_kpi_moves_with_the_newest_reading(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """A second later another value: the open minute is in it."""
    hands = [NOW]
    path = f"{INVERTERS[0]}/power"
    asset = {"asset": INVERTERS[0], "from": "2026-11-21T09:59:30Z"}
    insert(database, pavlodar, [(path, NOW - timedelta(seconds=30), 1000.0, 192)])
    client = serve(create_app(SETTINGS, database, lambda: hands[0]))
    (before,) = rows(series(client, "capacity_factor", **asset))

    insert(database, pavlodar, [(path, NOW, 2500.0, 192)])
    hands[0] = NOW + timedelta(seconds=10)
    (after,) = rows(series(client, "capacity_factor", **asset))

    assert before["value"] == pytest.approx(0.4)
    assert after["value"] == pytest.approx((0.4 * 30 + 1.0 * 10) / 40)


def test_other_formats_say_the_same(demo: httpx.Client) -> None:
    """CSV has the rows of the JSON; lineage does not fit into it."""
    asked = {**SOLAR, "every": "1h", "from": "-2h"}
    comma = demo.get("/api/v1/kpis/capacity_factor", params={**asked, "format": "csv"})
    refused = demo.get(
        "/api/v1/kpis/capacity_factor", params={**asked, "format": "csv", "lineage": "true"}
    )

    assert comma.text.splitlines() == [
        "start,end,value,coverage,reason",
        "2026-11-21T08:00:00Z,2026-11-21T09:00:00Z,0.5,1.0,",
        "2026-11-21T09:00:00Z,2026-11-21T10:00:00Z,0.5,1.0,",
    ]
    assert (refused.status_code, refused.json()["parameter"]) == (422, "lineage")


@pytest.mark.parametrize(
    ("kpi", "query", "parameter", "advice"),
    [
        ("capacity_facto", SOLAR, "id", "'capacity_factor'"),
        ("capacity_factor", {"asset": "power/solar-2"}, "asset", "'power/solar-1'"),
        ("capacity_factor", {"asset": LINE}, "kpi", "potline"),
        ("capacity_factor", {}, "asset", "required"),
        ("capacity_factor", {**SOLAR, "parameters": "x"}, "parameters", "none is known"),
        ("current_efficiency", {"asset": LINE, "parameters": "x"}, "parameters", "faraday"),
        ("capacity_factor", {**SOLAR, "from": "+1h", "to": "+2h"}, "from", "before now"),
        ("capacity_factor", {**SOLAR, "every": "1"}, "every", "15m"),
        ("capacity_factor", {**SOLAR, "zone": "Mars"}, "zone", "IANA"),
        ("capacity_factor", {**SOLAR, "limit": "99999999"}, "limit", "10,000,000"),
        ("capacity_factor", {**SOLAR, "evry": "1h"}, "evry", "'every'"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    demo: httpx.Client, kpi: str, query: dict[str, str], parameter: str, advice: str
) -> None:
    """It names the parameter and what would be right."""
    answer = demo.get(f"/api/v1/kpis/{kpi}", params=query)

    assert answer.status_code in {404, 422}
    assert answer.json()["parameter"] == parameter
    assert advice in answer.json()["right"]
