"""The spool: what is committed stays, in order, whatever happens to the process."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.spool import Spool
from schemas.errors import ConfigError, StorageFull
from schemas.reading import Reading
from schemas.sparkplug.node import SPOOL_POSITION
from schemas.sparkplug.payload import decode

NAMES = ["a", "b"]


def put(spool: Spool, count: int = 1, start_ms: int = 0, device: str = "plc") -> list[int]:
    """Commit *count* readings; the positions that they got."""
    aliases = {device: spool.declare(device, NAMES)}
    readings = [Reading("a", start_ms + place, float(place)) for place in range(count)]
    committed = spool.commit({device: readings}, aliases, {})
    return [frame.position for frame in committed.frames]


def test_frames_come_back_as_they_were_committed(tmp_path: Path) -> None:
    """Readings, times and position are in the body; a reopened spool has them all."""
    spool = Spool(tmp_path / "spool.sqlite")
    put(spool, 3, 1_000)
    aliases = spool.declare("plc", NAMES)
    spool.close()

    (frame,) = Spool(tmp_path / "spool.sqlite").fetch(1, 100, 10)

    metrics = decode(frame.body).metrics
    assert [(m.alias, m.timestamp, m.double_value) for m in metrics[:-1]] == [
        (aliases["a"], 1_000, 0.0),
        (aliases["a"], 1_001, 1.0),
        (aliases["a"], 1_002, 2.0),
    ]
    assert (metrics[-1].alias, metrics[-1].long_value) == (aliases[SPOOL_POSITION], 1)
    assert metrics[-1].is_transient
    assert (frame.position, frame.device, frame.readings) == (1, "plc", 3)


def test_readings_of_a_frame_are_in_the_order_of_time(tmp_path: Path) -> None:
    """Later of equal times stays later (tck-id-operational-behavior-data-publish-dbirth-order)."""
    spool = Spool(tmp_path / "spool.sqlite")
    aliases = {"plc": spool.declare("plc", NAMES)}
    lot = [Reading("a", 5, 1.0), Reading("b", 3, 2.0), Reading("a", 5, 3.0)]

    (frame,) = spool.commit({"plc": lot}, aliases, {}).frames

    values = [(m.timestamp, m.double_value) for m in decode(frame.body).metrics[:-1]]
    assert values == [(3, 2.0), (5, 1.0), (5, 3.0)]


def test_a_frame_holds_no_more_than_500_readings(tmp_path: Path) -> None:
    """1,201 readings are three frames."""
    spool = Spool(tmp_path / "spool.sqlite")

    assert put(spool, 1_201) == [1, 2, 3]
    assert [frame.readings for frame in spool.fetch(1, 9, 9)] == [500, 500, 201]


def test_positions_are_never_used_again(tmp_path: Path) -> None:
    """Not after all was deleted, and not after a restart either."""
    spool = Spool(tmp_path / "spool.sqlite")
    put(spool)
    put(spool)
    spool.truncate(2)
    spool.close()
    spool = Spool(tmp_path / "spool.sqlite")

    assert (spool.contents().first, spool.contents().next) == (3, 3)
    assert put(spool) == [3]


def test_aliases_and_id_last_as_long_as_the_spool(tmp_path: Path) -> None:
    """A restart and more metrics leave known aliases alone; each alias is unique in the node."""
    spool = Spool(tmp_path / "spool.sqlite")
    before, name = spool.declare("plc", NAMES), spool.id
    other = spool.declare("other", NAMES)
    spool.close()
    spool = Spool(tmp_path / "spool.sqlite")

    after = spool.declare("plc", [*NAMES, "c"])

    assert spool.id == name
    assert {key: after[key] for key in before} == before
    assert not set(after.values()) & set(other.values())


def test_bd_seq_counts_connections_and_wraps(tmp_path: Path) -> None:
    """0, 1, 2 ... 255, 0, over restarts (tck-id-topics-nbirth-bdseq-increment)."""
    spool = Spool(tmp_path / "spool.sqlite")
    first = [spool.next_bd_seq() for _ in range(200)]
    spool.close()
    spool = Spool(tmp_path / "spool.sqlite")

    assert first + [spool.next_bd_seq() for _ in range(57)] == [*range(256), 0]


def test_beyond_its_size_the_oldest_frames_are_dropped_and_counted(tmp_path: Path) -> None:
    """The bound holds, what is left is the newest, and the sum adds up."""
    spool = Spool(tmp_path / "spool.sqlite", max_bytes=200_000)
    dropped = 0
    aliases = {"plc": spool.declare("plc", NAMES)}
    for place in range(100):
        lot = [Reading("a", place * 1000 + number, 1.0) for number in range(500)]
        committed = spool.commit({"plc": lot}, aliases, {})
        dropped += committed.dropped.readings
        assert committed.used_bytes <= 200_000

    held = spool.contents()
    assert dropped > 0
    assert dropped + held.readings == 50_000
    assert held.next == 101
    assert [frame.position for frame in spool.fetch(1, 101, 999)] == list(range(held.first, 101))


def test_beyond_its_age_frames_are_dropped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An hour later only the new frame is there."""
    clock = [time.monotonic_ns()]
    monkeypatch.setattr("edge.spool.monotonic_ns", lambda: clock[0])
    spool = Spool(tmp_path / "spool.sqlite", max_age_s=3600)
    put(spool, 5)
    clock[0] += 3601 * 1_000_000_000
    aliases = {"plc": spool.declare("plc", NAMES)}

    committed = spool.commit({"plc": [Reading("a", 1, 1.0)]}, aliases, {})

    assert committed.dropped.readings == 5
    assert committed.first == 2


def test_frames_do_not_age_with_a_clock_that_is_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wall clock that leaps ahead by a year drops nothing."""
    spool = Spool(tmp_path / "spool.sqlite", max_age_s=3600)
    put(spool, 5)
    ahead_ns = time.time_ns() + 365 * 86_400 * 1_000_000_000
    monkeypatch.setattr("edge.spool.time_ns", lambda: ahead_ns)
    aliases = {"plc": spool.declare("plc", NAMES)}

    committed = spool.commit({"plc": [Reading("a", 1, 1.0)]}, aliases, {})

    assert committed.dropped.readings == 0
    assert committed.first == 1


def test_space_is_given_back_after_an_acknowledgement(tmp_path: Path) -> None:
    """The file of a drained spool is a small part of what it was."""
    path = tmp_path / "spool.sqlite"
    spool = Spool(path)
    for start in range(40):
        put(spool, 500, start)
    spool.close()
    full = path.stat().st_size
    spool = Spool(path)
    spool.truncate(40)
    spool.close()

    assert path.stat().st_size < full / 4


def test_a_full_disk_is_a_named_state_and_keeps_what_was_there(tmp_path: Path) -> None:
    """Nothing of the failed commit is kept; with room again the next one works."""
    spool = Spool(tmp_path / "spool.sqlite")
    put(spool, 10)
    (pages,) = spool._db.execute("pragma page_count").fetchone()
    spool._db.execute(f"pragma max_page_count = {pages + 2}")

    with pytest.raises(StorageFull, match="free some room"):
        put(spool, 5_000)
    spool._db.execute("pragma max_page_count = 1000000")

    assert spool.contents().readings == 10
    assert put(spool, 500) == [2]


def test_a_spool_has_one_owner(tmp_path: Path) -> None:
    """A second agent on the same spool is told so."""
    _owner = Spool(tmp_path / "spool.sqlite")

    with pytest.raises(ConfigError, match="another agent has this spool open"):
        Spool(tmp_path / "spool.sqlite")


def test_a_folder_that_cannot_be_made_is_the_operators_to_mend(tmp_path: Path) -> None:
    """A file stands where the folder should be."""
    (tmp_path / "data").write_text("")

    with pytest.raises(ConfigError, match=r"--data-dir.*may write to"):
        Spool(tmp_path / "data" / "spool.sqlite")


@pytest.mark.parametrize("kind", ["text", "layout"])
def test_a_file_that_is_no_spool_is_refused(tmp_path: Path, kind: str) -> None:
    """It is left as it is, and the message says what to do."""
    path = tmp_path / "spool.sqlite"
    if kind == "text":
        path.write_text("this is no database, and long enough to be seen as none" * 20)
    else:
        other = sqlite3.connect(path)
        other.execute("pragma user_version = 7")
        other.close()

    with pytest.raises(ConfigError, match="move it away"):
        Spool(path)


KILLED = """
import os, signal, sys
from pathlib import Path
from edge.spool import Spool
from schemas.reading import Reading

path, statement, number = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
spool = Spool(path)
aliases = {"plc": spool.declare("plc", ["a"])}
passes = 0

def die(sql):
    global passes
    passes += sql.lower().startswith(statement)
    if passes == number:
        os.kill(os.getpid(), signal.SIGKILL)

spool._db.set_trace_callback(die)
for turn in range(1, 100):
    lot = [Reading("a", turn * 10_000 + place, float(turn)) for place in range(1_200)]
    spool.commit({"plc": lot}, aliases, {"log": turn})
    print(turn, flush=True)
"""


@pytest.mark.parametrize(
    ("statement", "number"),
    [("begin", 3), ("insert into frame", 2), ("insert or replace", 4), ("commit", 3)],
)
def test_a_kill_during_group_commit_keeps_all_of_it_or_nothing(
    tmp_path: Path, statement: str, number: int
) -> None:
    """SIGKILL inside a transaction: every commit that returned is whole, mark included."""
    path = tmp_path / "spool.sqlite"
    child = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), statement, str(number)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert child.returncode == -signal.SIGKILL, child.stderr
    returned = len(child.stdout.split())
    spool = Spool(path)
    held = spool.contents()
    kept = spool.marks().get("log", 0)

    assert kept in {returned, returned + 1}
    assert held.readings == kept * 1_200
    assert [frame.position for frame in spool.fetch(1, 999, 999)] == list(range(1, kept * 3 + 1))
    assert put(spool) == [kept * 3 + 1]


def test_a_kill_at_any_moment_loses_nothing_that_was_committed(tmp_path: Path) -> None:
    """A child that commits without pause is killed from outside; its last word is on disk."""
    path = tmp_path / "spool.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path), "never", "-1"],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    words = [child.stdout.readline() for _ in range(20)]
    os.kill(child.pid, signal.SIGKILL)
    words += child.stdout.readlines()
    child.wait()
    child.stdout.close()
    returned = len([word for word in words if word.endswith("\n")])

    kept = Spool(path).marks()["log"]

    assert kept in {returned, returned + 1}


ACTS = st.lists(
    st.one_of(
        st.tuples(st.just("commit"), st.integers(1, 1_100)),
        st.tuples(st.just("truncate"), st.integers(0, 20)),
        st.tuples(st.just("reopen"), st.just(0)),
    ),
    max_size=12,
)


@settings(max_examples=25, deadline=None)
@given(acts=ACTS)
def test_any_run_of_commits_truncations_and_restarts_keeps_the_order(
    tmp_path_factory: pytest.TempPathFactory, acts: list[tuple[str, int]]
) -> None:
    """Positions strictly increase, what is fetched is what was committed and not truncated."""
    path = tmp_path_factory.mktemp("spool") / "spool.sqlite"
    spool = Spool(path)
    held: list[int] = []
    highest = 0
    for act, number in acts:
        if act == "commit":
            positions = put(spool, number)
            assert positions == list(range(highest + 1, highest + 1 + len(positions)))
            highest = positions[-1]
            held += positions
        elif act == "truncate":
            spool.truncate(number)
            held = [position for position in held if position > number]
        else:
            spool.close()
            spool = Spool(path)
        assert [frame.position for frame in spool.fetch(1, 10_000, 10_000)] == held
    spool.close()
