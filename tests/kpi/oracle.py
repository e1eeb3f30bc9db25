"""Summaries computed the slow way: one tag, one bucket, plain Python, no shared code."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from math import fsum, isfinite
from typing import Any

import polars as pl

US = timedelta(microseconds=1)


@dataclass(frozen=True)
class Point:
    """A reading with its time in whole microseconds."""

    us: int
    value: float
    usable: bool
    good: bool


def oracle(
    readings: pl.DataFrame, tag: dict[str, Any], start: datetime, end: datetime, every: timedelta
) -> list[dict[str, Any]]:
    """The rows that `kpi.summary.summarise` must give for one tag."""
    zero = datetime(1970, 1, 1, tzinfo=start.tzinfo)
    low, high, width = (start - zero) // US, (end - zero) // US, every // US
    points = [
        Point((ts - zero) // US, value if value is not None else float("nan"), *_grade(value, q))
        for ts, value, q in readings.sort("ts").select("ts", "value", "quality").iter_rows()
    ]
    found = []
    for number in range(low // width, -(-high // width)):
        bucket = (max(number * width, low), min((number + 1) * width, high))
        row = _bucket(points, tag, *bucket)
        if row["count"] or row["covered_s"]:
            found.append({"bucket": zero + number * width * US, **row})
    return found


def _grade(value: float | None, quality: int) -> tuple[bool, bool]:
    finite = value is not None and isfinite(value)
    return finite and (64 <= quality < 128 or 192 <= quality < 256), 192 <= quality < 256


def _bucket(points: list[Point], tag: dict[str, Any], low: int, high: int) -> dict[str, Any]:
    inside = [point for point in points if point.usable and low <= point.us < high]
    covered, good, active, areas = 0, 0, 0, []
    for place, point in enumerate(points):
        if not point.usable:
            continue
        following = points[place + 1] if place + 1 < len(points) else None
        limit = point.us + round(tag["stale_after_s"] * 1e6)
        until = limit if following is None else min(limit, following.us)
        first, last = max(point.us, low), min(until, high)
        if first >= last:
            continue
        line = (
            tag["interpolation"] == "linear"
            and following is not None
            and following.usable
            and following.us <= limit
        )
        covered += last - first
        both_good = point.good and (following.good if line and following else True)
        good += (last - first) * both_good
        active += (last - first) * (point.value != 0)
        middle = point.value
        if line and following:
            share = ((first + last) / 2 - point.us) / (following.us - point.us)
            middle += (following.value - point.value) * share
        areas.append(middle * (last - first) / 1e6)
    sums = {
        "covered_s": covered / 1e6,
        "good_s": good / 1e6,
        "active_s": active / 1e6 if tag["kind"] == "state" else None,
        "integral": fsum(areas) if tag["kind"] == "gauge" else None,
    }
    return sums | _of_readings(points, inside, tag)


def _of_readings(points: list[Point], inside: list[Point], tag: dict[str, Any]) -> dict[str, Any]:
    usable = [point for point in points if point.usable]
    before = {id(point): usable[place - 1] for place, point in enumerate(usable) if place > 0}
    pairs = [(before[id(point)].value, point.value) for point in inside if id(point) in before]
    climbs = [_climb(before[id(point)], point, tag) for point in inside if id(point) in before]
    kind = tag["kind"]
    return {
        "count": len(inside),
        "first": inside[0].value if inside else None,
        "last": inside[-1].value if inside else None,
        "min": min((point.value for point in inside), default=None),
        "max": max((point.value for point in inside), default=None),
        "increase": fsum(filter(None, climbs)) if kind == "counter" else None,
        "refused": climbs.count(None)
        if kind == "counter" and tag["max_rate"] is not None
        else None,
        "activations": sum(a == 0 and b != 0 for a, b in pairs) if kind == "state" else None,
        "total": fsum(point.value for point in inside) if kind == "event" else None,
    }


def _climb(before: Point, point: Point, tag: dict[str, Any]) -> float | None:
    climb, modulus, rate = point.value - before.value, tag["modulus"], tag["max_rate"]
    if rate is None:
        if climb >= 0:
            return climb
        return point.value if modulus is None else climb + modulus
    most = rate * (point.us - before.us + 60e6) / 3600e6 + 1
    candidates = [climb, point.value] if modulus is None else [climb, climb + modulus, point.value]
    return next((each for each in candidates if 0 <= each <= most), None)
