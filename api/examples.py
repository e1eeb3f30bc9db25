"""Requests with their answers, as the OpenAPI document shows them; a test asks each of them.

They are answers of the plant of ``plants/pavlodar.toml`` at 10:00 UTC with steady readings. Long
lists are cut.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final


@dataclass(frozen=True, slots=True)
class Example:
    """What a route answers to a request."""

    title: str
    route: str
    url: str
    body: Mapping[str, Any]
    media_type: str = "application/json"


_VOLTAGE: Final = "smelter/potline-1/pot-001/voltage"

EXAMPLES: Final = (
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
                    "tag": _VOLTAGE,
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
        "raw readings",
        "/api/v1/history",
        f"/api/v1/history?tag={_VOLTAGE}&from=2026-11-21T09:00:00Z&to=2026-11-21T09:00:20Z",
        {
            "mode": "raw",
            "start": "2026-11-21T09:00:00Z",
            "end": "2026-11-21T09:00:20Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {"tag": _VOLTAGE, "ts": "2026-11-21T09:00:00Z", "value": 4.2, "quality": 192},
                {"tag": _VOLTAGE, "ts": "2026-11-21T09:00:10Z", "value": 4.2, "quality": 192},
            ],
        },
    ),
    Example(
        "summaries",
        "/api/v1/history",
        f"/api/v1/history?tag={_VOLTAGE}&mode=summary&from=-1h&every=1m",
        {
            "mode": "summary",
            "start": "2026-11-21T09:00:00Z",
            "end": "2026-11-21T10:00:00Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {
                    "tag": _VOLTAGE,
                    "start": "2026-11-21T09:00:00Z",
                    "end": "2026-11-21T09:01:00Z",
                    "coverage": 1.0,
                    "good": 1.0,
                    "count": 6,
                    "mean": 4.2,
                    "min": 4.2,
                    "max": 4.2,
                    "first": 4.2,
                    "first_ts": "2026-11-21T09:00:00Z",
                    "last": 4.2,
                    "last_ts": "2026-11-21T09:00:50Z",
                    "integral": 252.0,
                    "increase": None,
                    "active_s": None,
                    "activations": None,
                    "total": None,
                }
            ],
        },
    ),
    Example(
        "values at instants, in another unit",
        "/api/v1/history",
        f"/api/v1/history?tag={_VOLTAGE}&mode=interpolated&at=2026-11-21T09:00:05Z&unit=mV",
        {
            "mode": "interpolated",
            "unit": "mV",
            "truncated": False,
            "rows": [
                {"tag": _VOLTAGE, "ts": "2026-11-21T09:00:05Z", "value": 4200.0, "quality": 192}
            ],
        },
    ),
    Example(
        "a chart",
        "/api/v1/history",
        f"/api/v1/history?tag={_VOLTAGE}&mode=plot&from=-1h&pixels=60",
        {
            "mode": "plot",
            "truncated": False,
            "rows": [
                {
                    "tag": _VOLTAGE,
                    "start": "2026-11-21T09:00:00Z",
                    "end": "2026-11-21T09:01:00Z",
                    "coverage": 1.0,
                    "count": 6,
                    "first": 4.2,
                    "first_ts": "2026-11-21T09:00:00Z",
                    "min": 4.2,
                    "max": 4.2,
                    "last": 4.2,
                    "last_ts": "2026-11-21T09:00:50Z",
                }
            ],
        },
    ),
    Example(
        "an aggregate of OPC UA Part 13",
        "/api/v1/history",
        f"/api/v1/history?tag={_VOLTAGE}&mode=summary&from=-1h&aggregate=mean&aggregate=Count",
        {
            "mode": "summary",
            "rows": [
                {
                    "tag": _VOLTAGE,
                    "start": "2026-11-21T09:00:00Z",
                    "end": "2026-11-21T10:00:00Z",
                    "coverage": 1.0,
                    "mean": 4.2,
                    "Count": 360.0,
                    "Count_quality": 192,
                }
            ],
        },
    ),
    Example(
        "of two hours",
        "/api/v1/history/estimate",
        f"/api/v1/history/estimate?tag={_VOLTAGE}&from=-2h&format=parquet",
        {
            "mode": "raw",
            "start": "2026-11-21T08:00:00Z",
            "end": "2026-11-21T10:00:00Z",
            "tags": 1,
            "rows": 720,
            "exact": True,
            "pages": 1,
            "bytes": 14400,
        },
    ),
    Example(
        "the catalogue",
        "/api/v1/kpis",
        "/api/v1/kpis",
        {
            "kpis": [
                {
                    "id": "steam_per_tonne",
                    "title": "Digestion steam per tonne",
                    "unit": "t/t",
                    "formula": "steam / (alumina_out - alumina_in)",
                    "inputs": [
                        {
                            "name": "steam",
                            "title": "Live steam",
                            "unit": "t",
                            "made_of": ["integral of steam_flow (digestion)"],
                        }
                    ],
                    "asset_types": ["digestion", "refinery", "site"],
                    "valid": [0.0, 10.0],
                    "minimum_coverage": 0.9,
                    "parameter_sets": {},
                }
            ]
        },
    ),
    Example(
        "by the hour",
        "/api/v1/kpis/{id}",
        "/api/v1/kpis/capacity_factor?asset=power/solar-1&from=-2h&every=1h",
        {
            "kpi": "capacity_factor",
            "title": "Capacity factor",
            "unit": "1",
            "asset": "power/solar-1",
            "formula": "energy / capacity",
            "parameter_set": "none",
            "start": "2026-11-21T08:00:00Z",
            "end": "2026-11-21T10:00:00Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {
                    "start": "2026-11-21T08:00:00Z",
                    "end": "2026-11-21T09:00:00Z",
                    "value": 0.5,
                    "coverage": 1.0,
                    "reason": None,
                }
            ],
        },
    ),
    Example(
        "a tag and a KPI",
        "/api/v1/live",
        f"/api/v1/live?tag={_VOLTAGE}&kpi=capacity_factor@power/solar-1",
        {
            "at": "2026-11-21T10:00:00Z",
            "tags": [
                {
                    "tag": _VOLTAGE,
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
