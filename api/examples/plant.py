"""Examples of the plant, its tags, live states and alarms."""

from typing import Final

from api.examples.example import VOLTAGE, Example

PLANT: Final = (
    Example(
        "one asset",
        "/api/v1/assets",
        "/api/v1/assets?root=power/solar-1/inv-01",
        {
            "path": "power/solar-1/inv-01",
            "level": "unit",
            "type": "inverter",
            "title": "inv-01",
            "ratings": {"power": {"value": 2500.0, "unit": "kW"}},
            "measures": ["power", "available"],
            "kpis": ["capacity_factor"],
            "children": [],
        },
    ),
    Example(
        "by pattern",
        "/api/v1/tags",
        "/api/v1/tags?pattern=smelter/*/line_current",
        {
            "tags": [
                {
                    "path": "smelter/potline-1/line_current",
                    "asset": "smelter/potline-1",
                    "measure": "line_current",
                    "title": "Line current",
                    "unit": "kA",
                    "kind": "gauge",
                    "interpolation": "step",
                    "stale_after_s": 60.0,
                    "deadband": 0.2,
                    "low": 0.0,
                    "high": 600.0,
                    "modulus": None,
                    "max_rate": None,
                }
            ],
            "truncated": False,
            "cursor": None,
        },
    ),
    Example(
        "one fresh, one stale",
        "/api/v1/latest",
        "/api/v1/latest?tag=smelter/potline-1/pot-00%3F/voltage",
        {
            "at": "2026-11-21T10:00:00Z",
            "values": [
                {
                    "tag": VOLTAGE,
                    "ts": "2026-11-21T09:59:50Z",
                    "value": 4.2,
                    "quality": 192,
                    "unit": "V",
                    "reason": None,
                },
                {
                    "tag": "smelter/potline-1/pot-002/voltage",
                    "ts": "2026-11-21T09:57:30Z",
                    "value": 4.25,
                    "quality": 500,
                    "unit": "V",
                    "reason": "silent for 150 s; its value holds for 60 s",
                },
            ],
        },
    ),
    Example(
        "a tag and a KPI",
        "/api/v1/live",
        f"/api/v1/live?tag={VOLTAGE}&kpi=capacity_factor@power/solar-1",
        {
            "at": "2026-11-21T10:00:00Z",
            "tags": [
                {
                    "tag": VOLTAGE,
                    "ts": "2026-11-21T09:59:50Z",
                    "value": 4.2,
                    "quality": 192,
                    "unit": "V",
                    "reason": None,
                }
            ],
            "kpis": [
                {
                    "kpi": "capacity_factor",
                    "asset": "power/solar-1",
                    "unit": "1",
                    "start": "2026-11-21T09:00:00Z",
                    "value": 0.5,
                    "coverage": 1.0,
                    "reason": None,
                }
            ],
        },
        "text/event-stream",
    ),
    Example(
        "all parts are there",
        "/health/ready",
        "/health/ready",
        {
            "ready": True,
            "parts": [
                {"name": "database", "ok": True, "detail": "answers"},
            ],
        },
    ),
    Example(
        "without a key, on the machine itself",
        "/api/v1/me",
        "/api/v1/me",
        {"name": "local", "role": "viewer", "areas": ["**"]},
    ),
    Example(
        "nothing rings",
        "/api/v1/alarms",
        "/api/v1/alarms?area=power",
        {"at": "2026-11-21T10:00:00Z", "alarms": [], "truncated": False, "cursor": None},
    ),
)
