"""Shift patterns in plant files."""

from datetime import date, time

import pytest

from schemas.errors import PlantError
from schemas.plant.file import parse_plant
from schemas.plant.shifts import Shift
from tests.schemas.plants import SMALL

PATTERNS = """
[[shift_pattern]]
name = "3 x 8 h"
valid_from = 2020-01-01
valid_to = 2026-01-01
shift = [
    { name = "night", start = 00:00:00 },
    { name = "morning", start = 08:00:00 },
    { name = "evening", start = 16:00:00 },
]

[[shift_pattern]]
name = "2 x 12 h"
valid_from = 2026-01-01
shift = [
    { name = "day", start = "08:00", crews = ["A", "B"] },
    { name = "dark", start = "20:00", crews = ["B", "A"] },
]
"""


def test_patterns_have_days_and_shifts_local_times() -> None:
    """As they stand in the file, with who works on which day of the rota."""
    eight, twelve = parse_plant(SMALL + PATTERNS).shift_patterns

    assert (eight.valid_from, eight.valid_to) == (date(2020, 1, 1), date(2026, 1, 1))
    assert [shift.start for shift in eight.shifts] == [time(0), time(8), time(16)]
    assert twelve.valid_to is None
    assert twelve.shifts[0] == Shift("day", time(8), ("A", "B"))
    assert [twelve.shifts[0].crew(day) for day in range(3)] == ["A", "B", "A"]
    assert eight.shifts[0].crew(0) is None


def test_a_pattern_is_valid_up_to_the_day_before_its_end() -> None:
    """``valid_to`` belongs to the next pattern."""
    eight, twelve = parse_plant(SMALL + PATTERNS).shift_patterns
    last, first = date(2025, 12, 31), date(2026, 1, 1)

    assert [eight.is_valid(day) for day in (last, first)] == [True, False]
    assert [twelve.is_valid(day) for day in (last, first)] == [False, True]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("valid_to = 2026-01-01", "", "end 3 x 8 h there by valid_to"),
        ("valid_to = 2026-01-01", "valid_to = 2026-01-02", "one pattern is valid at a time"),
        ("valid_to = 2026-01-01", "valid_to = 2019-12-31", "it comes after valid_from"),
        ("start = 16:00:00", "start = 07:00:00", "list shifts by their start"),
        ('"evening"', '"night"', "a name of its own"),
        ("start = 16:00:00", 'start = "16:00Z"', "without an offset"),
        ('["B", "A"]', '["B"]', "same number of days"),
        ('["B", "A"]', '["A", "B"]', "on two shifts"),
    ],
)
def test_a_wrong_pattern_says_what_would_be_right(old: str, new: str, said: str) -> None:
    """Of two patterns at a time nobody could say which shift it is."""
    assert PATTERNS.count(old) == 1
    with pytest.raises(PlantError) as caught:
        parse_plant(SMALL + PATTERNS.replace(old, new), "park.toml")

    assert str(caught.value).startswith("park.toml: ")
    assert said in str(caught.value)
