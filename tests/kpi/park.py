"""A park in a few lines, and summaries of what its tags are to have measured."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from kpi.binding import Binding, bind
from kpi.catalogue.park import KPIS
from kpi.evaluate import evaluate
from kpi.frames import SUMMARY
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from tests.kpi.frames import START

PLANT: Final[Plant] = parse_plant("""
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "smelter"
level = "area"
type = "smelter"

[[asset]]
path = "smelter/line-{1..2}"
level = "line"
type = "potline"
template = "potline"

[[asset]]
path = "smelter/line-1/pot-{1..3}"
level = "unit"
type = "pot"
template = "pot"

[[asset]]
path = "smelter/line-2/pot-1"
level = "unit"
type = "pot"
template = "pot"

[[asset]]
path = "digestion"
level = "unit"
type = "digestion"
template = "digestion"

[[asset]]
path = "power"
level = "area"
type = "renewables"

[[asset]]
path = "power/metered"
level = "line"
type = "wind_farm"
template = "meter"

[[asset]]
path = "power/metered/wtg-{1..4}"
level = "unit"
type = "turbine"
template = "turbine"
ratings.power = { value = 2.05, unit = "MW" }

[[asset]]
path = "power/bare"
level = "line"
type = "wind_farm"

[[asset]]
path = "power/bare/wtg-{1..2}"
level = "unit"
type = "turbine"
template = "turbine"
ratings.power = { value = 4800, unit = "kW" }

[template.potline]
line_current = { title = "I", unit = "kA", kind = "gauge", stale_after_s = 60 }

[template.pot]
power = { title = "P", unit = "kW", kind = "gauge", stale_after_s = 60 }
metal_tapped = { title = "m", unit = "kg", kind = "event", stale_after_s = 129600 }

[template.digestion]
pregnant_flow = { title = "Q", unit = "m^3/h", kind = "gauge", stale_after_s = 60 }
pregnant_alumina_flow = { title = "A", unit = "kg/h", kind = "gauge", stale_after_s = 60 }
spent_alumina_flow = { title = "A", unit = "kg/h", kind = "gauge", stale_after_s = 60 }
steam_flow = { title = "D", unit = "t/h", kind = "gauge", stale_after_s = 60 }

[template.meter]
energy_net = { title = "E", unit = "kWh", kind = "event", stale_after_s = 1800 }
energy_unavailable = { title = "E", unit = "kWh", kind = "event", stale_after_s = 1800 }
energy_curtailed = { title = "E", unit = "kWh", kind = "event", stale_after_s = 1800 }

[template.turbine]
power = { title = "P", unit = "kW", kind = "gauge", stale_after_s = 60 }
""")

IDS: Final = {path: number for number, path in enumerate(PLANT.tags, start=1)}


def bound(kpi: str, asset: str) -> Binding:
    """The KPI at the asset of the park."""
    return bind(KPIS[kpi], asset, PLANT, IDS)


def summaries(
    of: Mapping[str, Mapping[str, Any]],
    span: timedelta,
    bucket: datetime = START,
    covered: float = 1.0,
) -> pl.DataFrame:
    """One summary of each tag; ``mean`` stands for the integral of that mean over the span."""
    seconds = span.total_seconds()
    rows = []
    for path, given in of.items():
        columns = {name: value for name, value in given.items() if name != "mean"}
        if "mean" in given:
            columns["integral"] = given["mean"] * seconds * covered
        times = {"covered_s": covered * seconds, "good_s": covered * seconds, "count": 1}
        rows.append({"tag_id": IDS[path], "bucket": bucket, **times, **columns})
    return pl.DataFrame(rows, schema=dict(SUMMARY))


def value(
    kpi: str, asset: str, of: Mapping[str, Mapping[str, Any]], span: timedelta
) -> dict[str, Any]:
    """The one answer over *span*."""
    edges = [START, START + span]
    return evaluate(bound(kpi, asset), summaries(of, span), edges).row(0, named=True)
