"""`make setup` where Python is not as needed: it says what to do and leaves nothing half made."""

import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def setup(tmp_path: Path, python: str) -> subprocess.CompletedProcess[str]:
    """``make setup`` with another environment and the shell script *python* as Python."""
    fake = tmp_path / "python"
    fake.write_text(f"#!/bin/sh\n{python}\n")
    fake.chmod(0o755)
    return subprocess.run(
        ["make", "setup", f"PYTHON={fake}", f"VENV={tmp_path / 'venv'}"],  # noqa: S607 - the system's
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("python", "word"),
    [
        ("exit 1", "older than 3.11"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "install the package python3-venv"),
    ],
    ids=["too old", "without venv"],
)
def test_unfit_python_is_told(tmp_path: Path, python: str, word: str) -> None:
    """The message names the way out, and no environment is begun."""
    done = setup(tmp_path, python)

    assert done.returncode == 2
    assert word in done.stderr
    assert not (tmp_path / "venv").exists()
