"""Examples of KPIs, comparison, reports and signed periods."""

from typing import Final

from api.examples.example import Example

KPIS: Final = (
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
        "beside the hour before",
        "/api/v1/comparison",
        "/api/v1/comparison?kpi=capacity_factor&asset=power/solar-*&from=-1h",
        {
            "compared_from": "2026-11-21T08:00:00Z",
            "start": "2026-11-21T09:00:00Z",
            "end": "2026-11-21T10:00:00Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {
                    "kpi": "capacity_factor",
                    "asset": "power/solar-1",
                    "unit": "1",
                    "start": "2026-11-21T09:00:00Z",
                    "end": "2026-11-21T10:00:00Z",
                    "value": 0.5,
                    "coverage": 1.0,
                    "reason": None,
                    "previous": 0.5,
                    "change": 0.0,
                    "target": None,
                    "difference": None,
                    "met": None,
                }
            ],
        },
    ),
    Example(
        "a shift that still runs",
        "/api/v1/reports/{kind}",
        "/api/v1/reports/shift?asset=power/solar-1&at=current",
        {
            "report": {
                "asset": "power/solar-1",
                "title": "Solar farm 1",
                "period": {
                    "kind": "shift",
                    "name": "2026-11-21-day",
                    "time_zone": "Asia/Almaty",
                    "start": "2026-11-21T03:00:00Z",
                    "end": "2026-11-21T15:00:00Z",
                    "shift": "day",
                    "crew": "C",
                },
                "until": "2026-11-21T09:59:00Z",
                "compared_from": None,
                "status": "preliminary",
                "signed": [],
                "kpis": [
                    {
                        "kpi": "capacity_factor",
                        "title": "Capacity factor",
                        "unit": "1",
                        "value": None,
                        "reason": "coverage 0.284 is below 0.5",
                        "previous": None,
                        "change": None,
                        "target": None,
                        "better": None,
                        "difference": None,
                        "met": None,
                        "formula": "energy / capacity",
                        "parameter_set": "none",
                    }
                ],
                "alarms": {
                    "raised": 0,
                    "by_priority": {"low": 0, "medium": 0, "high": 0},
                    "longest": [],
                    "most_frequent": [],
                    "floods": [],
                },
            },
            "late": {"hours": 0, "tags": [], "effects": []},
            "gaps": [],
        },
    ),
    Example("nothing is signed", "/api/v1/periods", "/api/v1/periods", {"periods": []}),
)
