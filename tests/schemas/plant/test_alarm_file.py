"""``[[alarm]]`` of plant files."""

import pytest

from schemas.errors import PlantError
from schemas.plant.alarms import AlarmLimit, Bound, Priority
from schemas.plant.file import parse_plant

PLANT = """
[site]
name = "park"
title = "Park"
time_zone = "Asia/Almaty"

[[asset]]
path = "line"
level = "line"
type = "potline"

[[asset]]
path = "line/pot-{01..02}"
level = "unit"
type = "pot"
template = "pot"

[template.pot.voltage]
title = "Voltage"
unit = "V"
kind = "gauge"
stale_after_s = 60
"""


def test_a_range_gives_each_tag_its_limits() -> None:
    """From the lowest bound up, with the asset of the tag as their group."""
    plant = parse_plant(
        PLANT
        + """
[[alarm]]
tag = "line/pot-{01..02}/voltage"
high_high = { limit = 8, priority = "high" }
low = { limit = 3, priority = "low" }
on_delay_s = 3
deadband = 0.1
"""
    )

    assert [one.name for one in plant.alarms] == [
        "line/pot-01/voltage#low",
        "line/pot-01/voltage#high_high",
        "line/pot-02/voltage#low",
        "line/pot-02/voltage#high_high",
    ]
    assert plant.alarms[1] == AlarmLimit(
        asset="line/pot-01",
        source="line/pot-01/voltage",
        bound=Bound.HIGH_HIGH,
        limit=8.0,
        priority=Priority.HIGH,
        on_delay_s=3.0,
        deadband=0.1,
        group="line/pot-01",
    )


def test_a_kpi_has_limits_at_an_asset() -> None:
    """Over a window, an hour if left out."""
    plant = parse_plant(
        PLANT + '[[alarm]]\nkpi = "energy"\nasset = "line"\nhigh = { limit = 1, priority = "low" }'
    )

    assert [one.name for one in plant.alarms] == ["energy@line#high"]
    assert plant.alarms[0].window_s == 3600.0


BOTH = 'tag = "line/pot-{01..02}/voltage"'
HIGH = 'high = { limit = 5, priority = "low" }'


@pytest.mark.parametrize(
    ("table", "word"),
    [
        (f'tag = "line/pot-09/voltage"\n{HIGH}', "did you mean"),
        (f'tag = "line/pot-01/voltage"\nkpi = "x"\nasset = "line"\n{HIGH}', "a tag, or a kpi"),
        (f'kpi = "x"\n{HIGH}', "a kpi with its asset"),
        ('tag = "line/pot-01/voltage"', "give a limit"),
        (f'tag = "line/pot-01/voltage"\n{HIGH}\nlow = {{ limit = 6, priority = "low" }}', "rise"),
        (f'tag = "line/pot-01/voltage"\n{HIGH}\non_delay_s = -1', "greater than or equal"),
        ('tag = "line/pot-01/voltage"\nhigh = { limit = 5, priority = "urgent" }', "medium"),
        (f"{BOTH}\n{HIGH}\n[[alarm]]\n{BOTH}\n{HIGH}", "twice"),
    ],
)
def test_what_contradicts_itself_is_refused(table: str, word: str) -> None:
    """With what would be right."""
    with pytest.raises(PlantError, match=word):
        parse_plant(f"{PLANT}\n[[alarm]]\n{table}\n")
