"""KPIs side by side: those of their series, the time before, and the targets of the day."""

from datetime import date
from typing import Any

import httpx
import pytest

from api.before import before
from api.span import Span, parse_instant
from kpi.calendar import Calendar
from schemas.db.catalogue import Catalogue
from schemas.plant.file import load_plant
from schemas.plant.targets import Better, Target
from tests.api.demo import INVERTERS, NOW, PLANT, insert, instants, store

LINE = "smelter/potline-1"


def compared(client: httpx.Client, **asked: object) -> dict[str, Any]:
    """The comparison that is asked for."""
    answer = client.get("/api/v1/comparison", params={**asked})  # type: ignore[dict-item]
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_values_are_those_of_the_series(demo: httpx.Client) -> None:
    """Each KPI of each asset; what stands beside a bucket is the value of the one before it."""
    span = {"from": "2026-11-21T08:30:00Z", "to": "2026-11-21T10:00:00Z", "every": "30m"}
    found = compared(demo, kpi="dc_specific_energy", asset=[LINE, f"{LINE}/pot-001"], **span)
    assert found["compared_from"] == "2026-11-21T08:00:00Z"
    for asset in (LINE, f"{LINE}/pot-001"):
        longer = {**span, "from": "2026-11-21T08:00:00Z", "asset": asset}
        series = demo.get("/api/v1/kpis/dc_specific_energy", params=longer).json()["rows"]
        own = [row for row in found["rows"] if row["asset"] == asset]
        assert [row["value"] for row in own] == [row["value"] for row in series[1:]]
        assert [row["previous"] for row in own] == [row["value"] for row in series[:-1]]
        assert [row["reason"] for row in own] == [row["reason"] for row in series[1:]]


def test_a_pattern_passes_over_assets_without_the_kpi(demo: httpx.Client) -> None:
    """Every inverter has a capacity factor, the farm above them too, and nothing else of power."""
    span = {"from": "2026-11-21T08:00:00Z", "to": "2026-11-21T10:00:00Z"}
    found = compared(demo, kpi="capacity_factor", asset="power/solar-1/**", **span)
    assert [row["asset"] for row in found["rows"]] == INVERTERS
    assert [row["value"] for row in found["rows"]] == [pytest.approx(0.5)] * 4
    nothing = {"kpi": "capacity_factor", "asset": LINE}
    assert demo.get("/api/v1/comparison", params=nothing).status_code == 404


def test_pages_are_the_whole(demo: httpx.Client) -> None:
    """Following the cursor gives every series once, each whole."""
    asked = {"asset": "power/solar-1/**", "from": "-2h", "every": "30m"}
    whole = compared(demo, **asked)["rows"]
    found: list[dict[str, Any]] = []
    page = compared(demo, **asked, limit=5)
    while page["truncated"]:
        found += page["rows"]
        page = compared(demo, **asked, limit=5, cursor=page["cursor"])
    assert found + page["rows"] == whole
    assert len(whole) > 5


@pytest.mark.parametrize(
    ("start", "end", "every", "begun"),
    [
        ("2026-10-31T19:00:00Z", "2026-11-30T19:00:00Z", None, "2026-09-30T19:00:00Z"),  # month
        ("2026-11-20T19:00:00Z", "2026-11-21T19:00:00Z", None, "2026-11-19T19:00:00Z"),  # day
        ("2026-11-21T08:00:00Z", "2026-11-21T10:00:00Z", None, "2026-11-21T06:00:00Z"),
        ("2026-10-31T19:00:00Z", "2026-12-31T19:00:00Z", "month", "2026-09-30T19:00:00Z"),
        ("2026-11-21T08:05:00Z", "2026-11-21T10:00:00Z", "15m", "2026-11-21T08:00:00Z"),
        ("2026-11-21T08:00:00Z", "2026-11-21T10:00:00Z", "15m", "2026-11-21T07:45:00Z"),
        # Almaty moved from UTC+6 to UTC+5: February 2024 is an hour longer than 29 days.
        ("2024-02-29T19:00:00Z", "2024-03-31T19:00:00Z", None, "2024-01-31T18:00:00Z"),
    ],
)
def test_what_is_compared_with(start: str, end: str, every: str | None, begun: str) -> None:
    """A month with the month before, be it longer or shorter; any other span with as long a one."""
    calendar = Calendar.of(load_plant(PLANT))
    first, last, before_it = (
        parse_instant("from", text, NOW, calendar) for text in (start, end, begun)
    )
    assert before(Span(first, last), every, calendar) == before_it


def test_the_target_is_that_of_the_day(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """0.55 until the 20th, 0.45 from the 21st on, by the plant's midnight, which is 19:00 UTC."""
    asset, new_day = INVERTERS[0], date(2026, 11, 21)
    older = Target("capacity_factor", asset, 0.55, Better.HIGHER, date(2026, 1, 1), new_day)
    newer = Target("capacity_factor", asset, 0.45, Better.HIGHER, new_day)
    plant = load_plant(PLANT)
    store(database, plant.__class__(**{**vars(plant), "targets": (older, newer)}))
    start = NOW.replace(day=20, hour=17)
    end = start.replace(hour=21)
    readings = ((f"{asset}/power", ts, 1250.0, 192) for ts in instants(start, end, 60))
    insert(database, pavlodar, readings)

    span = {"from": "2026-11-20T18:00:00Z", "to": "2026-11-20T20:00:00Z", "every": "1h"}
    found = compared(api, kpi="capacity_factor", asset=asset, **span)["rows"]

    assert [(row["target"], row["met"]) for row in found] == [(0.55, False), (0.45, True)]
    assert [row["difference"] for row in found] == pytest.approx([-0.05, 0.05])
    assert [row["change"] for row in found] == pytest.approx([0.0, 0.0])
