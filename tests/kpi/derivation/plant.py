"""A unit with one derived tag of each kind of rule, and what its readings give."""

from datetime import datetime, timedelta
from typing import Final

import polars as pl

from kpi.derive import Derived, derive, derived_tags, reach
from kpi.frames import READINGS
from kpi.summary import summarise
from schemas.plant.file import parse_plant
from schemas.plant.model import Plant
from tests.kpi.frames import MINUTE, tags_of

PLANT: Final[Plant] = parse_plant("""
site = { name = "s", title = "S", time_zone = "UTC" }

[[asset]]
path = "unit"
level = "unit"
type = "pot"
template = "pot"

[template.pot]
voltage = { title = "U", unit = "V", kind = "gauge", stale_after_s = 60 }
current = { title = "I", unit = "kA", kind = "gauge", stale_after_s = 45 }
target = { title = "U", unit = "V", kind = "gauge", stale_after_s = 300 }
tapped = { title = "m", unit = "kg", kind = "event", stale_after_s = 120 }
assay = { title = "x", unit = "percent", kind = "gauge", stale_after_s = 90 }
stock = { title = "m", unit = "kg", kind = "gauge", stale_after_s = 75 }

[template.pot.power]
title = "P"
unit = "kW"
kind = "gauge"
stale_after_s = 60
product = ["voltage", "current"]

[template.pot.normal]
title = "U"
unit = "V"
kind = "gauge"
stale_after_s = 60
[template.pot.normal.derived]
rule = "normal_voltage"
operands = ["voltage", "current"]
constants = { external_voltage = 1.65, nominal_current = 500.0 }

[template.pot.slope]
title = "U"
unit = "V/min"
kind = "gauge"
stale_after_s = 60
derived = { rule = "slope", operands = ["normal"], constants = { slot_s = 5, slots = 6 } }

[template.pot.swing]
title = "U"
unit = "V"
kind = "gauge"
stale_after_s = 60
derived = { rule = "swing", operands = ["normal"], constants = { slot_s = 10, slots = 6 } }

[template.pot.alarm]
title = "A"
unit = "1"
kind = "state"
stale_after_s = 60
derived = { rule = "above", operands = ["swing"], constants = { limit = 0.5 } }

[template.pot.effect]
title = "AE"
unit = "1"
kind = "state"
stale_after_s = 60
[template.pot.effect.derived]
rule = "anode_effect"
operands = ["voltage"]
constants = { threshold = 8.0, start_s = 3.0, end_s = 60.0 }

[template.pot.over]
title = "U"
unit = "V"
kind = "gauge"
stale_after_s = 300
derived = { rule = "overvoltage", operands = ["voltage", "target", "effect"] }

[template.pot.pure]
title = "m"
unit = "kg*percent"
kind = "event"
stale_after_s = 120
derived = { rule = "weighted", operands = ["tapped", "assay"] }

[template.pot.gained]
title = "m"
unit = "kg"
kind = "event"
stale_after_s = 75
derived = { rule = "change", operands = ["stock"] }
""")

IDS: Final = {tag.measure: number for number, tag in enumerate(PLANT.tags.values(), start=1)}
DERIVED: Final[dict[int, Derived]] = derived_tags(
    PLANT, {path: IDS[tag.measure] for path, tag in PLANT.tags.items()}
)
FRAME: Final = tags_of({IDS[tag.measure]: tag for tag in PLANT.tags.values()})


def computed(readings: pl.DataFrame, measure: str) -> pl.DataFrame:
    """The readings of the derived tag."""
    return derive(readings, [IDS[measure]], DERIVED, FRAME)


def rolled_up(readings: pl.DataFrame, measure: str, start: datetime, end: datetime) -> pl.DataFrame:
    """Its summaries by minute."""
    tags = FRAME.filter(pl.col("tag_id") == IDS[measure])
    return summarise(computed(readings, measure), tags, start, end, MINUTE)


def around(readings: pl.DataFrame, measure: str, start: datetime, end: datetime) -> pl.DataFrame:
    """Of all *readings* those that the rule may look at for [start, end)."""
    kept = [pl.DataFrame(schema=dict(READINGS))]
    for row in reach([IDS[measure]], DERIVED).iter_rows(named=True):
        of_tag = readings.filter(pl.col("tag_id") == row["operand_id"]).sort("ts")
        low = start - timedelta(seconds=row["behind_s"])
        high = end + timedelta(seconds=row["ahead_s"])
        kept.append(of_tag.filter(pl.col("ts") < low).tail(1))
        kept.append(of_tag.filter(pl.col("ts") >= low, pl.col("ts") < high))
    return pl.concat(kept)
