"""A child: started, started again, left alone, ended, and never left behind."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from standalone import service
from standalone.service import Child, Service
from tests.fixtures.until import until

Script = Callable[[str], Child]


@pytest.fixture
def child_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Script]:
    """Makes a child that runs the given Python text as its module."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    children: list[Child] = []

    def make(text: str) -> Child:
        (tmp_path / "script.py").write_text(text)
        made = Child(Service("script", "script", (), "", bool), tmp_path / "script.log")
        children.append(made)
        made.start()
        return made

    yield make
    for child in children:
        child.end()


PARENT = """
import sys, time
from pathlib import Path
from standalone.service import Child, Service
child = Child(Service("script", "script", (), "", bool), Path(sys.argv[1]))
child.start()
print(child.pid, flush=True)
time.sleep(3600)
"""
WAIT_FOR_EVER = "import time\nprint('here', flush=True)\ntime.sleep(3600)\n"


def test_what_it_says_goes_to_its_log(child_of: Script) -> None:
    """Both streams end in the log, and the last line is at hand for a message."""
    child = child_of("import sys\nprint('one')\nprint('two', file=sys.stderr)\n")

    until(lambda: child.pid is None, "its end")

    assert {"one", "two"} == set(child.log_file.read_text().split())
    assert child.last_words() in {"one", "two"}


def test_words_of_an_earlier_run_are_not_its_own(child_of: Script, tmp_path: Path) -> None:
    """A process that died without a word is not blamed for what its forerunner said."""
    (tmp_path / "script.log").write_text("before\n")
    child = child_of("")
    until(lambda: child.pid is None, "its end")

    assert child.last_words() == ""


def test_long_log_is_set_aside(child_of: Script, tmp_path: Path) -> None:
    """A log that has grown long makes room at the next start, and is kept once."""
    (tmp_path / "script.log").write_bytes(b"x" * (service.LONGEST_LOG_BYTES + 1))
    child = child_of("print('new')")
    until(lambda: child.last_words() == "new", "the new log")

    assert child.log_file.read_text() == "new\n"
    assert (tmp_path / "script.log.1").stat().st_size > service.LONGEST_LOG_BYTES


def test_dead_process_is_started_again(child_of: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A killed process comes back under another pid without being asked."""
    monkeypatch.setattr(service, "FIRST_PAUSE_S", 0.0)
    child = child_of(WAIT_FOR_EVER)
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    until(lambda: child.pid is None, "its death")

    def again() -> bool:
        child.tend()
        return child.pid not in (None, first)

    until(again, "another process")


def test_pause_grows_with_each_death(child_of: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that dies again and again is started less and less often."""
    now = 0.0
    monkeypatch.setattr(service, "monotonic", lambda: now)
    child = child_of("raise SystemExit(1)")
    pauses = []
    for _ in range(9):
        assert child.process is not None
        child.process.wait(20)
        child.tend()
        assert child._again_at is not None
        pauses.append(child._again_at - now)
        now = child._again_at
        child.tend()

    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_steady_process_is_forgiven(child_of: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """After a minute of health the next death is a first one again."""
    now = 0.0
    monkeypatch.setattr(service, "monotonic", lambda: now)
    child = child_of(WAIT_FOR_EVER)
    child._deaths = 5
    now = service.STEADY_S + 1
    child.tend()

    assert child._deaths == 0


def test_wrong_configuration_is_not_tried_again(child_of: Script) -> None:
    """Exit code 2 says that starting again would not help."""
    child = child_of("print('key: found 1; use 2')\nraise SystemExit(2)")
    until(lambda: child.refused, "the refusal")
    child.tend()
    child.tend()

    assert child.refused
    assert child.last_words() == "key: found 1; use 2"


def test_end_lets_the_process_finish(child_of: Script) -> None:
    """SIGTERM comes first: what is in hand is finished."""
    child = child_of(
        "import signal, sys, time\n"
        "def end(*_):\n    print('drained', flush=True)\n    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, end)\n" + WAIT_FOR_EVER
    )
    until(lambda: child.last_words() == "here", "its start")
    child.end()

    assert child.last_words() == "drained"


def test_deaf_process_is_killed(child_of: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ignores SIGTERM does not keep the park from ending."""
    monkeypatch.setattr(service, "END_WITHIN_S", 0.1)
    child = child_of(
        "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + WAIT_FOR_EVER
    )
    until(lambda: child.last_words() == "here", "its start")
    child.end()

    assert child.process is not None
    assert child.process.returncode == -signal.SIGKILL


def test_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    """A parent that is killed leaves nothing behind, although it can end nothing itself."""
    (tmp_path / "script.py").write_text(WAIT_FOR_EVER)
    log = tmp_path / "log"
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(log)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert parent.stdout is not None
    with parent.stdout:
        pid = int(parent.stdout.readline())
    until(lambda: log.read_text() == "here\n", "the child")
    parent.kill()
    parent.wait()

    until(lambda: not psutil.pid_exists(pid), "the child's end")


def test_another_broker_in_the_environment_is_not_passed_on(
    child_of: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A password of another broker or database does not reach the embedded ones."""
    monkeypatch.setenv("MQTT_PASSWORD", "secret")
    monkeypatch.setenv("PGOPTIONS", "-c wrong=1")
    child = child_of("import os\nprint([n for n in os.environ if n[:2] in ('MQ', 'PG')])")

    until(lambda: child.last_words() == "[]", "an empty list")
