"""Health and counters."""

import httpx


def test_a_ready_api_names_its_parts(demo: httpx.Client) -> None:
    """All parts are there."""
    answer = demo.get("/health/ready")

    assert answer.status_code == 200
    assert [(part["name"], part["ok"]) for part in answer.json()["parts"]] == [
        ("database", True),
        ("plant", True),
        ("rollups", True),
    ]


def test_requests_are_counted_by_route(demo: httpx.Client) -> None:
    """The label is the route, not the path: a million assets are one series."""
    demo.get("/api/v1/kpis/capacity_factor", params={"asset": "power/solar-1"})
    demo.get("/api/v1/kpis/nothing", params={"asset": "power/solar-1"})
    demo.get("/no/such/path")
    text = demo.get("/metrics").text

    assert 'method="GET",route="/api/v1/kpis/{id}",status="200"' in text
    assert 'method="GET",route="/api/v1/kpis/{id}",status="404"' in text
    assert "no/such/path" not in text
