"""A plant for the benchmarks of rollups and KPIs: potlines, and what a site has beside them."""

from typing import Final

from schemas.plant.file import parse_plant
from schemas.plant.model import Plant

SITE: Final = "bench"
LINE: Final = "smelter/line-1"

#: Measure, unit, kind, seconds that a value holds.
_Measure = tuple[str, str, str, float]
_TEMPLATES: Final[dict[str, tuple[_Measure, ...]]] = {
    "potline": (("line_current", "kA", "gauge", 60), ("current_target", "kA", "gauge", 60)),
    "pot": (
        ("voltage", "V", "gauge", 60),
        ("metal_tapped", "kg", "event", 129_600),
        ("operating", "1", "state", 60),
        ("anode_effect", "1", "state", 60),
        ("anode_set", "kg", "event", 129_600),
        ("butt_removed", "kg", "event", 129_600),
        ("alumina_fed", "kg", "counter", 60),
    ),
    "rectifier": (("dc_power", "kW", "gauge", 60), ("load", "kW", "gauge", 60)),
    "calcination": (("alumina_produced", "t", "counter", 60), ("load", "kW", "gauge", 60)),
    "turbine": (("power", "kW", "gauge", 60), ("available", "1", "state", 60)),
    "inverter": (("power", "kW", "gauge", 60), ("available", "1", "state", 60)),
    "grid": (
        ("import_power", "kW", "gauge", 60),
        ("export_power", "kW", "gauge", 60),
        ("carbon_free_import", "kW", "gauge", 60),
        ("renewable_import", "kW", "gauge", 60),
    ),
}
_POWER: Final = """
[template.pot.power]
title = "Power"
unit = "kW"
kind = "gauge"
stale_after_s = 60
product = ["voltage", "../line_current"]
"""


def park(pots: int, units: int = 100) -> Plant:
    """Three potlines of so many *pots*, a refinery, *units* of wind and of sun each, a grid."""
    rated = 'ratings.power = { value = 5, unit = "MW" }\n'
    text = f'[site]\nname = "{SITE}"\ntitle = "Benchmark"\ntime_zone = "Asia/Almaty"\n'
    text += _asset("smelter", "area", "smelter")
    for line in ("smelter/line-1", "smelter/line-2", "smelter/line-3"):
        text += _asset(line, "line", "potline") + 'template = "potline"\n'
        text += _asset(f"{line}/rectifier", "unit", "rectifier") + 'template = "rectifier"\n'
        text += _asset(f"{line}/pot-{{001..{pots:03d}}}", "unit", "pot") + 'template = "pot"\n'
    text += _asset("refinery", "area", "refinery")
    text += _asset("refinery/calciner", "unit", "calcination") + 'template = "calcination"\n'
    text += _asset("power", "area", "renewables")
    for farm, kind, unit in (("wind", "wind_farm", "turbine"), ("sun", "solar_farm", "inverter")):
        text += _asset(f"power/{farm}", "line", kind)
        text += _asset(f"power/{farm}/{unit}-{{{1:0{len(str(units))}d}..{units}}}", "unit", unit)
        text += f'template = "{unit}"\n{rated}'
    text += _asset("grid", "area", "grid") + 'template = "grid"\n'
    for name, measures in _TEMPLATES.items():
        for measure, unit, kind, holds_s in measures:
            text += f'[template.{name}.{measure}]\ntitle = "{measure}"\nunit = "{unit}"\n'
            text += f'kind = "{kind}"\nstale_after_s = {holds_s}\n'
    return parse_plant(text + _POWER)


def _asset(path: str, level: str, kind: str) -> str:
    return f'[[asset]]\npath = "{path}"\nlevel = "{level}"\ntype = "{kind}"\n'
