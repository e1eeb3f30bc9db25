"""Shifts of the plant: who works when, and KPIs by shift."""

from datetime import timedelta

import httpx
import pytest

from schemas.db.catalogue import Catalogue
from tests.api.demo import INVERTERS, NOW, insert, instants
from tests.api.test_kpis import rows, series


def test_the_present_shift_and_the_one_before(demo: httpx.Client) -> None:
    """15:00 of Almaty: the day shift since 08:00, after the night shift of another crew."""
    body = demo.get("/api/v1/shifts").json()
    night, day = body["shifts"]

    assert (night["start"], night["end"]) == ("2026-11-20T15:00:00Z", "2026-11-21T03:00:00Z")
    assert (day["start"], day["end"]) == ("2026-11-21T03:00:00Z", "2026-11-21T15:00:00Z")
    assert (night["name"], day["name"], day["pattern"]) == ("night", "day", "2 x 12 h")
    assert night["crew"] != day["crew"]
    assert (body["start"], body["time_zone"]) == (night["start"], "Asia/Almaty")


def test_a_new_pattern_takes_over_at_new_year(demo: httpx.Client) -> None:
    """The last evening of 3 x 8 h lasts until the first day shift of 2 x 12 h."""
    asked = {"from": "2025-12-31T12:00:00+05:00", "to": "2026-01-01T12:00:00+05:00"}
    found = demo.get("/api/v1/shifts", params=asked).json()["shifts"]

    assert [(one["pattern"], one["name"]) for one in found] == [
        ("3 x 8 h", "morning"),
        ("3 x 8 h", "evening"),
        ("2 x 12 h", "day"),
    ]
    assert found[1]["end"] == found[2]["start"] == "2026-01-01T03:00:00Z"


def test_energy_by_shift_on_the_day_of_the_clock_change(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """2024-02-29 of Almaty: 8, 8 and, as clocks go back at midnight, 9 hours; together the day."""
    start = NOW.replace(year=2024, month=2, day=28, hour=18)
    path = f"{INVERTERS[0]}/power"
    power = [(path, ts, 1250.0, 192) for ts in instants(start, start + timedelta(hours=26), 60)]
    insert(database, pavlodar, power)
    span = {"from": "2024-02-29T00:00:00+06:00", "to": "2024-03-01T00:00:00+05:00"}
    asked = {"asset": INVERTERS[0], "lineage": "true", **span}

    shifts = rows(series(api, "capacity_factor", every="shift", **asked))
    (day,) = rows(series(api, "capacity_factor", every="day", **asked))

    energy = [row["inputs"][0]["value"] for row in (*shifts, day)]  # type: ignore[index]
    assert energy == pytest.approx([10_000.0, 10_000.0, 11_250.0, 31_250.0])


@pytest.mark.parametrize(
    ("asked", "advice"),
    [({"from": "1971-01-01T00:00:00Z"}, "400 days"), ({"from": "lunch"}, "previous-shift")],
)
def test_what_cannot_be_asked_is_a_problem(
    demo: httpx.Client, asked: dict[str, str], advice: str
) -> None:
    """It says what would be right."""
    answer = demo.get("/api/v1/shifts", params=asked)

    assert answer.status_code in {413, 422}
    assert advice in answer.json()["right"]
