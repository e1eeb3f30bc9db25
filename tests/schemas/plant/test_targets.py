"""Targets of a plant file: of which KPI, where, from when, and on which side one should be."""

from datetime import date

import pytest

from schemas.errors import PlantError
from schemas.plant.file import parse_plant
from schemas.plant.targets import Better, Target, target_on

PLANT = """
[site]
name = "site"
title = "Site"
time_zone = "Asia/Almaty"
[[asset]]
path = "line-{1..2}"
level = "line"
type = "potline"
"""


def table(asset: str = "line-1", **given: str) -> str:
    """A ``[[target]]`` of 13,600 kWh/t."""
    said = {"value": "13600.0", "better": '"lower"', "valid_from": "2026-01-01"} | given
    lines = "\n".join(f"{key} = {value}" for key, value in said.items())
    return f'[[target]]\nkpi = "dc_specific_energy"\nasset = "{asset}"\n{lines}\n'


def test_a_range_stands_for_each_asset() -> None:
    """With its dates and its side."""
    plant = parse_plant(PLANT + table("line-{1..2}", valid_to="2027-01-01"))
    assert plant.targets == tuple(
        Target(
            "dc_specific_energy",
            f"line-{number}",
            13600.0,
            Better.LOWER,
            date(2026, 1, 1),
            date(2027, 1, 1),
        )
        for number in (1, 2)
    )


def test_one_follows_the_other() -> None:
    """On its last day the older is over; before the first there is none, in any order."""
    newer = table(value="13500.0", valid_from="2027-01-01")
    plant = parse_plant(PLANT + newer + table(valid_to="2027-01-01"))
    of_day = [
        target_on(plant.targets, "dc_specific_energy", "line-1", day)
        for day in (date(2025, 12, 31), date(2026, 12, 31), date(2027, 1, 1))
    ]
    assert [one and one.value for one in of_day] == [None, 13600.0, 13500.0]


def test_the_target_itself_is_met() -> None:
    """On either side."""
    for better, beside in ((Better.LOWER, 1.1), (Better.HIGHER, 0.9)):
        target = Target("kpi", "line-1", 1.0, better, date(2026, 1, 1))
        assert (target.is_met(1.0), target.is_met(beside)) == (True, False)


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        (table("line-3"), "line-2"),
        (table(valid_to="2026-01-01"), "first day without it"),
        (table() + table(valid_from="2026-06-01"), "2026-06-01"),
        (table(better='"less"'), "better"),
        (table(value="inf"), "value"),
    ],
)
def test_what_contradicts_itself_is_refused(tables: str, told: str) -> None:
    """The message names what was found or what would be right."""
    with pytest.raises(PlantError, match=told):
        parse_plant(PLANT + tables)
