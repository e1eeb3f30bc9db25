"""Path patterns."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.pattern import WILDCARDS_MAX, is_pattern, matching
from schemas.errors import RequestError

PATHS = ["smelter/potline-1/pot-001/voltage", "smelter/potline-1/line_current", "power/wind-1"]


@pytest.mark.parametrize(
    ("pattern", "places"),
    [
        ("smelter/potline-1/pot-*/voltage", [0]),
        ("smelter/potline-1/pot-00?/voltage", [0]),
        ("smelter/*", []),
        ("smelter/*/*", [1]),
        ("smelter/**", [0, 1]),
        ("**", [0, 1, 2]),
        ("**/voltage", [0]),
        ("power.wind-1", []),
    ],
)
def test_wildcards_respect_the_steps_of_a_path(pattern: str, places: list[int]) -> None:
    """One star stays within a step, two cross steps, a dot is a dot."""
    assert matching("tag", pattern, PATHS) == [PATHS[place] for place in places]


@given(st.text(max_size=40))
def test_any_text_is_a_pattern_or_a_path(text: str) -> None:
    """No text breaks the compiler; one without wildcards fits itself alone."""
    if text.count("*") + text.count("?") > WILDCARDS_MAX:
        return
    found = matching("tag", text, [text, *PATHS])
    assert text in found
    assert is_pattern(text) or set(found) == {text}


def test_wildcards_are_counted() -> None:
    """A pattern that would backtrack for ever is refused."""
    with pytest.raises(RequestError, match="at most"):
        matching("tag", "*a" * 20, ["a" * 100])
