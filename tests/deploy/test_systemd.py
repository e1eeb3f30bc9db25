"""deploy/ertis-edge@.service against the code, and against systemd where it is installed."""

import re
import shutil
import subprocess
from configparser import RawConfigParser
from pathlib import Path

import pytest

from schemas.process import ExitCode
from tests.fixtures.commands import parse

UNIT = Path(__file__).parents[2] / "deploy" / "ertis-edge@.service"
ANALYZE = shutil.which("systemd-analyze")


@pytest.fixture(scope="module")
def service() -> dict[str, str]:
    """The section ``[Service]``; of a key that is given twice the last."""
    parser = RawConfigParser(strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]  # keys of systemd have case
    parser.read(UNIT)
    return dict(parser["Service"])


def test_command_is_understood(service: dict[str, str]) -> None:
    """The program parses what the unit starts."""
    command = service["ExecStart"].replace("/opt/ertis/bin/python", "python").replace("%i", "node")

    parse(command)


def test_a_wrong_file_is_not_tried_again(service: dict[str, str]) -> None:
    """Exit code 2 says that starting again will not help; anything else is started again."""
    assert service["Restart"] == "always"
    assert service["RestartPreventExitStatus"] == str(ExitCode.CONFIG.value)


def test_reload_is_the_signal_that_the_agent_heeds(service: dict[str, str]) -> None:
    """``systemctl reload`` sends SIGHUP, and nothing that would end it."""
    assert service["ExecReload"] == "/bin/kill -HUP $MAINPID"


def test_the_spool_is_where_the_unit_may_write(service: dict[str, str]) -> None:
    """Everything else is read-only."""
    (folder,) = re.findall(r"--data-dir /var/lib/(\S+)", service["ExecStart"])

    assert folder == service["StateDirectory"]
    assert service["ProtectSystem"] == "strict"


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """The unit with a program that is on this machine."""
    if ANALYZE is None:
        pytest.skip("systemd is not installed (apt install systemd)")
    path = tmp_path / "ertis-edge@node.service"
    path.write_text(UNIT.read_text().replace("/opt/ertis/bin/python", "/bin/true"))
    return path


def test_systemd_understands_every_line(installed: Path) -> None:
    """An unknown key or value would be a warning, and do nothing."""
    assert ANALYZE is not None
    done = subprocess.run(
        [ANALYZE, "verify", str(installed)], capture_output=True, text=True, check=False
    )

    ours = [line for line in done.stderr.splitlines() if installed.name in line]
    assert (done.returncode, ours) == (0, [])


def test_systemd_finds_it_hardened(installed: Path) -> None:
    """Exposure of 10 is a service without any bound; below 2 is what systemd calls OK."""
    assert ANALYZE is not None
    done = subprocess.run(
        [ANALYZE, "security", "--offline=true", "--threshold=20", str(installed)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout[-400:]
