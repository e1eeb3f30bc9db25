"""The ``ertis`` command: tables for people, JSON for programs, exit codes for scripts."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from client.command import ExitCode, app
from tests.api.demo import LINE, POTS

ONE = f"{POTS[0]}/voltage"
SCRIPTS = Path(__file__).parents[2] / "docs" / "scripts"


def run(*arguments: str) -> str:
    """What the command says."""
    done = CliRunner().invoke(app, list(arguments), env={"COLUMNS": "200"}, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def told(*arguments: str) -> list[dict[str, object]]:
    """What it says as JSON, line by line."""
    return [json.loads(line) for line in run(*arguments, "--json").splitlines()]


@pytest.mark.parametrize(
    ("arguments", "first"),
    [
        (["history", ONE, "--from", "-1m"], {"tag": ONE, "value": 4.2}),
        (["history", ONE, "--from", "-1h", "--every", "1m", "--unit", "mV"], {"mean": 4200.0}),
        (["history", ONE, "--mode", "plot", "--pixels", "3"], {"tag": ONE}),
        (["history", ONE, "--at", "2026-11-21T09:00:05Z"], {"value": 4.2}),
        (["history", ONE, "--aggregate", "Count", "--from", "-1h"], {"Count": 360.0}),
        (["kpi"], {}),
        (["kpi", "capacity_factor", "power/solar-1", "--from", "-2h"], {"value": 0.5}),
        (["tags", "**", "--measure", "line_current"], {"path": f"{LINE}/line_current"}),
        (["latest", ONE], {"value": 4.2, "quality": 192}),
        (["watch", ONE, "--count", "1"], {"event": "state"}),
        (["report", "day", "power/solar-1"], {"gaps": []}),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_every_command_shows_and_tells(
    url: str, arguments: list[str], first: dict[str, object]
) -> None:
    """A table on a terminal, an object a line with ``--json``."""
    found = told(*arguments)

    assert first.items() <= found[0].items()
    assert run(*arguments).strip()


def test_a_report_in_every_form(url: str, tmp_path: Path) -> None:
    """To a file by its ending, to the next program as it is; what is not signed says so."""
    page, body = tmp_path / "day.html", tmp_path / "day.json"
    asked = ["report", "day", "power/solar-1", "--at", "2026-11-20"]
    run(*asked, "-o", str(page))
    run(*asked, "-o", str(body))

    assert page.read_text().startswith("<!doctype html>")
    assert json.loads(body.read_bytes())["report"]["period"]["name"] == "2026-11-20"
    assert run(*asked, "--format", "csv").splitlines()[0].startswith("kpi,title,unit,value")
    assert "Solar farm 1: 2026-11-20, preliminary" in run(*asked)


def test_a_table_says_that_it_is_not_all(url: str) -> None:
    """On a terminal the first rows are enough; --json has every one."""
    assert "360 rows" in run("history", ONE, "--from", "-1h")
    assert len(told("history", ONE, "--from", "-1h")) == 360


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["history", f"{POTS[0]}/voltag"], ExitCode.FAILED),
        (["history", ONE, "--from", "lately"], ExitCode.FAILED),
        (["history", ONE, "-o", "out.xlsx"], ExitCode.USAGE),
        (["report", "day", "-o", "day.pdf"], ExitCode.USAGE),
        (["sign", "2026-10", "--reason", "closed"], ExitCode.NOT_ALLOWED),
        (["history"], ExitCode.USAGE),
        (["kpi", "capacity_factor"], ExitCode.USAGE),
        (["--url", "nowhere", "tags"], ExitCode.USAGE),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else "",
)
def test_exit_codes(url: str, arguments: list[str], code: ExitCode) -> None:
    """And one line on stderr that says what would be right, no traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "client", *arguments], check=False, capture_output=True, text=True
    )

    assert done.returncode == code
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("script", sorted(SCRIPTS.glob("*.*[yh]")), ids=lambda path: path.name)
def test_scripts_of_the_documents_run(url: str, tmp_path: Path, script: Path) -> None:
    """As they stand, with the address from the environment."""
    command = [sys.executable, str(script)] if script.suffix == ".py" else [str(script)]
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PYTHONPATH": str(SCRIPTS.parents[1])}
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, cwd=tmp_path, env=environment
    )

    match script.stem:
        case "pot_voltages":
            assert "shape: (24, 3)" in done.stdout
            assert done.stdout.index("pot-002") < done.stdout.index("pot-001")  # 4.25 V, then 4.2
        case "export":
            assert (tmp_path / "potline-1.parquet").stat().st_size > 0
        case "shift_report":
            assert "2026-11-20-night" in (tmp_path / "shift.html").read_text()
            assert done.stdout.startswith("kpi,title,unit,value")
        case "stale":
            assert f"{POTS[1]}/voltage" in done.stdout.splitlines()
            assert ONE not in done.stdout.splitlines()
