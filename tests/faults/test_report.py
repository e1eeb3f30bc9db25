"""docs/reliability.md and the suite know of each other."""

import subprocess
import sys

from tests.faults.report import DOCUMENT, rows


def test_every_scenario_has_its_row() -> None:
    """And every row its scenario. Collected by a pytest of its own, whatever this run selects."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.faults.report", "--check"],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert len(rows(DOCUMENT.read_text())) > 20
