"""Settings, their example file, and the command."""

import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from api.settings import ApiSettings
from schemas.db.catalogue import Catalogue
from tests.fixtures.ports import free_port
from tests.fixtures.until import until

EXAMPLE = Path(__file__).parents[2] / "api" / "settings.example.env"


def test_the_example_file_shows_every_setting_with_its_default() -> None:
    """Each line is a field, and loading it changes nothing."""
    lines = [line for line in EXAMPLE.read_text().splitlines() if line and line[0] != "#"]
    shown = dict(line.split("=", 1) for line in lines)
    fields = {f"API_{name.upper()}" for name in ApiSettings.model_fields}

    assert set(shown) == fields
    assert ApiSettings(_env_file=EXAMPLE) == ApiSettings()


@pytest.mark.parametrize(("name", "value"), [("API_PORT", "65536"), ("API_THREADS", "none")])
def test_a_wrong_setting_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    """Out of range, or not a number."""
    monkeypatch.setenv(name, value)
    with pytest.raises(ValidationError):
        ApiSettings()


def run(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """The command as a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "api", *arguments],
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_a_wrong_setting_ends_the_command_with_code_2() -> None:
    """One line that names the setting and what it held, no traceback."""
    process = run("serve", API_PORT="eight")
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "API_" in errors
    assert "'eight'" in errors
    assert "Traceback" not in errors


def test_a_wrong_dsn_ends_the_command_with_code_2() -> None:
    """A connection string that libpq cannot read is a wrong setting, not an outage."""
    process = run("serve", "--port", "0", ERTIS_DSN="no dsn = at all")
    _, errors = process.communicate(timeout=60)

    assert process.returncode == 2
    assert "ERTIS_DSN" in errors


def test_the_command_serves_until_it_is_told_to_stop(database: str, pavlodar: Catalogue) -> None:
    """It answers on its port, ends a live stream and itself at SIGTERM."""
    port = free_port()
    process = run("serve", "--port", str(port), ERTIS_DSN=database)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:

            def ready() -> bool:
                assert process.poll() is None, process.communicate()[1]
                try:
                    return client.get("/health/ready").status_code == 200
                except httpx.TransportError:
                    return False

            until(ready, "the API to be ready", 60)
            with client.stream("GET", "/api/v1/live", params={"tag": "**"}) as stream:
                next(stream.iter_lines())
                process.terminate()
                process.wait(timeout=20)
    finally:
        process.kill()
        process.communicate()

    assert process.returncode == 0
