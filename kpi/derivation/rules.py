"""Every rule by its name, as plant files name it."""

from collections.abc import Mapping
from typing import Final

from kpi.derivation import (
    change,
    detection,
    electrolysis,
    general,
    liquor,
    power,
    weather,
    window,
)
from kpi.derivation.rule import Rule

RULES: Final[Mapping[str, Rule]] = {
    rule.name: rule
    for module in (general, electrolysis, liquor, weather, power, window, detection, change)
    for rule in vars(module).values()
    if isinstance(rule, Rule)
}
