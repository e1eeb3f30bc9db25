"""All KPIs of an asset in one answer: those that a series of each would give."""

import httpx
import pytest

from kpi.catalogue.park import KPIS

LINE = "smelter/potline-1"


def test_each_kpi_is_that_of_its_series(demo: httpx.Client) -> None:
    """Over the same span; the open minute, here 09:59 to 10:00, is left out."""
    card = demo.get("/api/v1/scorecard", params={"asset": LINE, "from": "-2h"}).json()
    assert (card["start"], card["end"]) == ("2026-11-21T08:00:00Z", "2026-11-21T09:59:00Z")
    assert {one["kpi"] for one in card["kpis"]} > {"dc_specific_energy", "current_efficiency"}
    for one in card["kpis"]:
        span = {"asset": LINE, "from": card["start"], "to": card["end"]}
        series = demo.get(f"/api/v1/kpis/{one['kpi']}", params=span).json()
        (row,) = series["rows"]
        both = [[each["value"] or 0.0, each["coverage"]] for each in (one, row)]
        assert both[0] == pytest.approx(both[1], rel=1e-12)
        assert (one["unit"], one["reason"]) == (KPIS[one["kpi"]].unit, row["reason"])


def test_what_cannot_be_answered_is_named(demo: httpx.Client) -> None:
    """An asset that is none; a span that has not a closed minute."""
    missing = demo.get("/api/v1/scorecard", params={"asset": "smelter/potline-9"})
    assert missing.status_code == 404
    assert LINE in missing.json()["detail"]
    late = demo.get("/api/v1/scorecard", params={"asset": LINE, "from": "-30s"})
    assert late.status_code == 422
