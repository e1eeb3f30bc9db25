"""What the stream's process does without."""

import subprocess
import sys


def test_ingest_runs_without_polars_and_alembic() -> None:
    """They are the rollup process's and the migrations', and 80 MB resident."""
    names = "{'polars', 'pyarrow', 'adbc_driver_postgresql', 'alembic', 'pint'}"
    program = f"import sys, ingest.__main__; print(sorted({names} & set(sys.modules)))"

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "[]"
