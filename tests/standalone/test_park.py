"""A park of small scripts: the order of start and end, and what happens when one fails."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.errors import BrokerDown, ConfigError, UnavailableError
from standalone import park as park_module
from standalone.data_dir import DataDir
from standalone.park import Ground, Park
from standalone.service import Service
from standalone.signals import Signals

#: Writes its name when it starts and when it is asked to end.
SCRIPT = """
import signal, sys, time
from pathlib import Path
name, diary = sys.argv[1], Path(sys.argv[2])
def note(word):
    with diary.open("a") as page:
        page.write(f"{word} {name}\\n")
def end(*_):
    note("end")
    sys.exit(0)
signal.signal(signal.SIGTERM, end)
note("start")
time.sleep(3600)
"""


class Diary:
    """What the scripts wrote, and the services that write it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @property
    def lines(self) -> list[str]:
        """In the order of writing."""
        return self.path.read_text().splitlines() if self.path.exists() else []

    def service(self, name: str) -> Service:
        """A service that is ready when it has written its start."""
        return Service(
            name,
            "diarist",
            (name, str(self.path)),
            "",
            lambda: f"start {name}" in self.lines,
        )


@pytest.fixture
def diary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Diary:
    """An empty diary."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "diarist.py").write_text(SCRIPT)
    (tmp_path / "refusing.py").write_text("print('port: found 1; use 2')\nraise SystemExit(2)")
    return Diary(tmp_path / "diary")


@pytest.fixture
def park(tmp_path: Path, diary: Diary) -> Iterator[Park]:
    """A park without grounds, ended with the test."""
    with Signals() as signals:
        made = Park([], DataDir.make(tmp_path / "data"), signals)
        yield made
        made.end()


def test_stages_start_one_after_the_other_and_end_in_reverse(park: Park, diary: Diary) -> None:
    """What was started last ends first, so that nobody loses whom it sends to."""
    park.start([[diary.service("one")], [diary.service("two")], [diary.service("three")]])
    park.end()

    starts, ends = diary.lines[:3], diary.lines[3:]
    assert starts == ["start one", "start two", "start three"]
    assert ends == ["end three", "end two", "end one"]


def test_refusal_ends_the_start_with_the_reason(park: Park, diary: Diary) -> None:
    """A service that finds its configuration wrong stops the start, and its words are passed on."""
    refusing = Service("picky", "refusing", (), "", bool)

    with pytest.raises(ConfigError, match="port: found 1; use 2"):
        park.start([[diary.service("one"), refusing]])


def test_late_service_ends_the_start(
    park: Park, diary: Diary, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that never becomes ready is named, with its log."""
    monkeypatch.setattr(park_module, "READY_WITHIN_S", 0.0)
    late = Service("late", "diarist", ("late", str(diary.path)), "", bool)

    with pytest.raises(UnavailableError, match=r"late is not ready.*late\.log"):
        park.start([[late]])


def test_request_to_end_stops_the_start(park: Park, diary: Diary) -> None:
    """Ctrl-C during the start: what has not been started stays so."""
    os.kill(os.getpid(), signal.SIGINT)
    park.start([[diary.service("one")]])
    park.end()

    assert diary.lines == []


def test_time_ends_the_watch(park: Park) -> None:
    """A watch of no time returns."""
    park.watch(0.0)


class Fragile:
    """A server that fails to start as often as it is told."""

    pid = 1

    def __init__(self, failures: int) -> None:
        self.lives = False
        self.failures = failures

    def start(self) -> None:
        """Fail, or live."""
        self.failures -= 1
        if self.failures >= 0:
            raise BrokerDown("not yet")
        self.lives = True

    def stop(self) -> None:
        """Nothing is left to stop."""


def test_dead_ground_is_tried_until_it_stands() -> None:
    """A database whose disk is full does not end the park: it is started again and again."""
    server = Fragile(failures=2)
    ground = Ground("broker", server, "", "", lambda: server.lives)
    for expected in (False, False, True):
        ground.tend()
        assert server.lives is expected


def test_living_ground_is_left_alone() -> None:
    """What lives is not started a second time."""
    server = Fragile(failures=0)
    ground = Ground("broker", server, "", "", lambda: True)
    ground.tend()

    assert not server.lives
