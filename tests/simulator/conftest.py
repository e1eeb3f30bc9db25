"""The plant that all tests of the simulator share."""

from pathlib import Path

import pytest

from schemas.plant.file import load_plant
from schemas.plant.model import Plant

ROOT = Path(__file__).parents[2]
NOON_MS = 1_795_240_800_000
"""2026-11-21 06:00 UTC: late morning at Pavlodar, a whole multiple of 300 s."""


@pytest.fixture(scope="session")
def plant() -> Plant:
    """The model of the Pavlodar park."""
    return load_plant(ROOT / "plants" / "pavlodar.toml")
