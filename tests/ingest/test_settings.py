"""The settings and the file that shows them."""

from pathlib import Path

import pytest

import ingest
from ingest.settings import IngestSettings
from schemas.errors import ConfigError
from schemas.settings import read_environment

EXAMPLE = Path(ingest.__path__[0]) / "settings.example.env"


def shown() -> dict[str, str]:
    """The variables of the example file."""
    lines = EXAMPLE.read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return {pair[0]: pair[1] for pair in pairs}


def test_example_shows_every_setting_with_its_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """The file is complete, has nothing else, and reads as the defaults."""
    names = {f"INGEST_{name}".upper() for name in IngestSettings.model_fields}
    assert shown().keys() == names

    for name, value in shown().items():
        monkeypatch.setenv(name, value)
    assert read_environment(IngestSettings) == IngestSettings.model_construct()


def test_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable, what was found and what would be right."""
    monkeypatch.setenv("INGEST_BATCH_ROWS", "many")

    with pytest.raises(ConfigError, match=r"INGEST_BATCH_ROWS: found 'many'"):
        read_environment(IngestSettings)


def test_groups_by_comma() -> None:
    """Blanks do not matter; none means the plant's own."""
    assert IngestSettings(groups="north, south").group_ids == ("north", "south")
    assert IngestSettings().group_ids == ()
