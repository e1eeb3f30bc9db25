"""OPC quality codes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.quality import Quality, main_quality


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        (0, Quality.BAD),
        (4, Quality.BAD),  # configuration error
        (24, Quality.BAD),  # communication failure
        (64, Quality.UNCERTAIN),
        (68, Quality.UNCERTAIN),  # last usable value
        (84, Quality.UNCERTAIN),  # engineering units exceeded
        (128, Quality.BAD),  # reserved
        (192, Quality.GOOD),
        (216, Quality.GOOD),  # local override
        (219, Quality.GOOD),  # local override, constant
        (500, Quality.STALE),
    ],
)
def test_main_codes(code: int, expected: Quality) -> None:
    """The codes of the OPC DA table, and Sparkplug's 500."""
    assert main_quality(code) is expected


@given(st.integers(0, 255))
def test_status_and_limit_bits_do_not_matter(code: int) -> None:
    """Only the top two of the eight bits decide."""
    assert main_quality(code) == main_quality(code & 0b1100_0000)


@pytest.mark.parametrize("quality", Quality)
def test_a_main_code_stands_for_itself(quality: Quality) -> None:
    """Applying it twice changes nothing."""
    assert main_quality(quality) is quality
