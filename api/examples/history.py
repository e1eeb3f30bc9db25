"""Examples of history."""

from typing import Final

from api.examples.example import VOLTAGE, Example

HISTORY: Final = (
    Example(
        "raw readings",
        "/api/v1/history",
        f"/api/v1/history?tag={VOLTAGE}&from=2026-11-21T09:00:00Z&to=2026-11-21T09:00:20Z",
        {
            "mode": "raw",
            "start": "2026-11-21T09:00:00Z",
            "end": "2026-11-21T09:00:20Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {"tag": VOLTAGE, "ts": "2026-11-21T09:00:00Z", "value": 4.2, "quality": 192},
                {"tag": VOLTAGE, "ts": "2026-11-21T09:00:10Z", "value": 4.2, "quality": 192},
            ],
        },
    ),
    Example(
        "summaries",
        "/api/v1/history",
        f"/api/v1/history?tag={VOLTAGE}&mode=summary&from=-1h&every=1m",
        {
            "mode": "summary",
            "start": "2026-11-21T09:00:00Z",
            "end": "2026-11-21T10:00:00Z",
            "truncated": False,
            "cursor": None,
            "rows": [
                {
                    "tag": VOLTAGE,
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
                    "refused": None,
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
        f"/api/v1/history?tag={VOLTAGE}&mode=interpolated&at=2026-11-21T09:00:05Z&unit=mV",
        {
            "mode": "interpolated",
            "unit": "mV",
            "truncated": False,
            "rows": [
                {"tag": VOLTAGE, "ts": "2026-11-21T09:00:05Z", "value": 4200.0, "quality": 192}
            ],
        },
    ),
    Example(
        "a chart",
        "/api/v1/history",
        f"/api/v1/history?tag={VOLTAGE}&mode=plot&from=-1h&pixels=60",
        {
            "mode": "plot",
            "truncated": False,
            "rows": [
                {
                    "tag": VOLTAGE,
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
        f"/api/v1/history?tag={VOLTAGE}&mode=summary&from=-1h&aggregate=mean&aggregate=Count",
        {
            "mode": "summary",
            "rows": [
                {
                    "tag": VOLTAGE,
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
        f"/api/v1/history/estimate?tag={VOLTAGE}&from=-2h&format=parquet",
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
)
