"""The data directory: made, used again, refused."""

from pathlib import Path

import pytest

from schemas.errors import ConfigError
from standalone.data_dir import DataDir


def test_missing_directory_is_made_with_its_parents(tmp_path: Path) -> None:
    """A first start needs no preparation."""
    data = DataDir.make(tmp_path / "a" / "b")

    assert data.log("api").parent.is_dir()


def test_directory_is_used_again(tmp_path: Path) -> None:
    """A later start keeps what is there."""
    DataDir.make(tmp_path).log("api").write_text("before")

    assert DataDir.make(tmp_path).log("api").read_text() == "before"


def test_path_below_a_file_is_the_operators_error(tmp_path: Path) -> None:
    """What cannot be a directory names the option and says what to do."""
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(ConfigError, match="name a directory") as caught:
        DataDir.make(file / "data")

    assert caught.value.key == "--data-dir"


def test_read_only_file_system_is_the_operators_error() -> None:
    """Where even root cannot write, the error comes before anything is started."""
    with pytest.raises(ConfigError, match="--data-dir"):
        DataDir.make(Path("/proc/ertis"))
