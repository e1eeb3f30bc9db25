"""The JSON lane's quick way against its exact one."""

import json
from collections import deque
from dataclasses import fields

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from ingest import lane
from ingest.frame import Columns
from ingest.inbox import Message
from ingest.ordinary import Ordinary

ASSET = "smelter/cell-1"
IDS = {f"{ASSET}/{measure}": number for number, measure in enumerate("abcde", 1)}
TOPIC = f"telemetry/{ASSET}"

TIMES = st.one_of(
    st.integers(-(2**64), 2**64),
    st.integers(0, 2_000_000_000_000),
    st.floats(),
    st.datetimes().map(lambda moment: f"{moment:%Y-%m-%dT%H:%M:%S}Z"),
    st.datetimes().map(lambda moment: f"{moment.isoformat(timespec='milliseconds')}Z"),
    st.sampled_from(["2026-02-30T00:00:00Z", "2026-11-21T24:00:00Z", "2026-11-21", "", True, None]),
)
NUMBERS = st.one_of(
    st.floats(), st.integers(-(2**70), 2**70), st.booleans(), st.none(), st.text(max_size=3)
)
VALUES = st.dictionaries(st.sampled_from(["a", "b", "c", "d", "e", "x", ""]), NUMBERS, max_size=5)
PLAIN = st.dictionaries(
    st.sampled_from("abcde"), st.floats(allow_nan=False, allow_infinity=False), min_size=1
)


def same(quick: Columns, exact: Columns) -> bool:
    """Whether both have the same bits."""
    return all(
        np.array_equal(getattr(quick, column.name), getattr(exact, column.name))
        and getattr(quick, column.name).dtype == getattr(exact, column.name).dtype
        for column in fields(Columns)
    )


def check(payload: bytes, topic: str = TOPIC) -> bool:
    """Whether the quick way took *payload*; then it made what the exact way makes."""
    waiting = deque([Message(topic, payload, 0)])
    taken, columns = Ordinary(IDS).take(waiting)
    if columns is None:
        assert not taken
        assert len(waiting) == 1
        return False
    frame = lane.decode(topic, payload, 0, IDS)
    assert not frame.letters or not np.isfinite(columns.value).all()
    if np.isfinite(columns.value).all():
        assert same(columns, frame.columns)
    return True


@given(TIMES, st.one_of(VALUES, PLAIN), st.booleans())
def test_quick_and_exact_agree_on_any_message(ts: object, values: object, more: object) -> None:
    """Times, values and keys of every kind: either it is left alone or both read the same."""
    body = {"ts": ts, "values": values} | ({"unit": "V"} if more is True and not values else {})
    check(json.dumps(body).encode())


@given(PLAIN, st.integers(0, 60), st.binary(max_size=3), st.integers(0, 3))
def test_quick_and_exact_agree_on_mutated_bytes(
    values: dict[str, float], place: int, change: bytes, dropped: int
) -> None:
    """Bytes changed anywhere never make the quick way read what the exact way refuses."""
    payload = json.dumps({"ts": 1_795_000_000_000, "values": values}).encode()
    check(payload[:place] + change + payload[place + dropped :])


@given(PLAIN)
def test_plain_numbers_go_the_quick_way(values: dict[str, float]) -> None:
    """What devices send day after day is ordinary, with either kind of time."""
    for ts in (1_795_000_000_000, "2026-11-21T10:00:00.000Z", "2026-11-21T10:00:00Z"):
        assert check(json.dumps({"ts": ts, "values": values}).encode())


def test_many_messages_become_one_set_of_columns() -> None:
    """Ordinary ones are taken up to the first that is not, each with its own time and tags."""
    bodies = [
        {"ts": 1000, "values": {"a": 1.0, "b": 2}},
        {"ts": 2000, "values": {"b": 3.5}},
        {"ts": 3000, "values": {"a": None}},
        {"ts": 4000, "values": {"a": 9.0}},
    ]
    waiting = deque(Message(TOPIC, json.dumps(body).encode(), 0) for body in bodies)
    taken, columns = Ordinary(IDS).take(waiting)
    assert columns is not None
    assert (len(taken), len(waiting)) == (2, 2)
    assert columns.tag_id.tolist() == [1, 2, 2]
    assert columns.ts_ms.tolist() == [1000, 1000, 2000]
    assert columns.value.tolist() == [1.0, 2.0, 3.5]
    assert Ordinary(IDS).take(waiting) == (deque(), None)


def test_duplicate_names_and_unknown_tags_are_left_alone_or_read_alike() -> None:
    """The last of two equal names counts in both ways; an unknown tag is for the exact way."""
    check(b'{"ts": 1, "ts": 2, "values": {"a": 1.0, "b": 2.0, "a": 3.0}}')
    check(b'{"ts": 1, "values": {"a": 1.0}, "values": {"b": 3.0}}')
    assert not check(b'{"ts": 1, "values": {"a": 1.0, "x": 2.0}}')
    assert not check(b'{"ts": 1, "values": {}}')
    assert not check(b'{"ts": 1, "values": {"a": 1.0}}', topic="telemetry/")
