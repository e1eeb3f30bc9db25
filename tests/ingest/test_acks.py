"""Commit Through."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.acks import Acknowledgements
from ingest.event import Publish, Source, Spool
from ingest.positions import Ranges
from schemas.sparkplug.node import COMMIT_THROUGH
from schemas.sparkplug.sparkplug_b_pb2 import Payload

NODE = Source("pavlodar", "potline-1")


def through(message: Publish) -> int:
    """The position that a command says."""
    [metric] = Payload.FromString(message.payload).metrics
    return metric.long_value


def commit(acks: Acknowledgements, spool: str, *positions: int) -> None:
    """Frames of *spool* are in the database."""
    ranges = Ranges()
    for position in positions:
        ranges.add(position)
    acks.committed(NODE, spool, ranges)


@given(st.permutations(range(1, 20)), st.data())
def test_never_beyond_what_is_committed(order: list[int], draw: st.DataObject) -> None:
    """Whatever the order of the commits, n covers exactly the unbroken start, and never falls."""
    acks = Acknowledgements(interval_ms=0)
    acks.born(NODE, Spool("s", 1, None))
    committed: set[int] = set()
    told = [0]
    for now_ms, position in enumerate(order):
        acks.take(NODE, position)
        commit(acks, "s", position)
        committed.add(position)
        if draw.draw(st.booleans()):
            told += [through(message) for message in acks.due(now_ms)]
            assert set(range(1, told[-1] + 1)) <= committed
    told += [through(message) for message in acks.due(1000)]

    assert told == sorted(told)
    assert told[-1] == 19


def test_command_is_a_spec_command() -> None:
    """tck-id-payloads-ncmd-seq, -qos, -retain: no seq, QoS 0, not retained, by name."""
    acks = Acknowledgements(interval_ms=100)
    acks.born(NODE, Spool("s", 1, None))
    commit(acks, "s", 1, 2)

    [command] = acks.due(5)

    payload = Payload.FromString(command.payload)
    assert (command.topic, command.qos, command.retain) == (
        "spBv1.0/pavlodar/NCMD/potline-1",
        0,
        False,
    )
    assert not payload.HasField("seq")
    assert payload.metrics[0].name == COMMIT_THROUGH
    assert payload.metrics[0].long_value == 2


def test_command_goes_by_alias_where_the_birth_gave_one() -> None:
    """tck-id-payloads-alias-data-cmd-requirement: then the alias alone."""
    acks = Acknowledgements(interval_ms=100)
    acks.born(NODE, Spool("s", 1, 7))
    commit(acks, "s", 1)

    [metric] = Payload.FromString(next(acks.due(5)).payload).metrics

    assert (metric.HasField("name"), metric.alias) == (False, 7)


def test_commands_are_spaced() -> None:
    """One an interval and node, and it says the newest position."""
    acks = Acknowledgements(interval_ms=100)
    acks.born(NODE, Spool("s", 1, None))
    commit(acks, "s", 1)
    assert [through(message) for message in acks.due(0)] == [1]

    commit(acks, "s", 2)
    commit(acks, "s", 3)
    assert list(acks.due(99)) == []
    assert [through(message) for message in acks.due(100)] == [3]
    assert list(acks.due(1000)) == []


def test_frame_that_comes_again_is_not_taken_but_told_again() -> None:
    """The node missed the command, or the frame is still on its way to the database."""
    acks = Acknowledgements(interval_ms=0)
    acks.born(NODE, Spool("s", 1, None))
    assert acks.take(NODE, 1)
    commit(acks, "s", 1)
    list(acks.due(0))

    assert not acks.take(NODE, 1)
    assert [through(message) for message in acks.due(1)] == [1]


def test_new_spool_starts_anew() -> None:
    """Positions of another spool mean other frames."""
    acks = Acknowledgements(interval_ms=0)
    acks.born(NODE, Spool("old", 1, None))
    acks.take(NODE, 1)
    acks.born(NODE, Spool("new", 1, None))

    commit(acks, "old", 1)

    assert list(acks.due(0)) == []
    assert acks.take(NODE, 1)


def test_dropped_positions_count_as_committed_and_are_reported() -> None:
    """Below Spool/First nothing will come: the hole is told, and does not stop the count."""
    acks = Acknowledgements(interval_ms=0)
    acks.restore(NODE, "s", Ranges([(1, 3)]))

    assert acks.born(NODE, Spool("s", 6, None)) == [(3, 6)]
    assert acks.born(NODE, Spool("s", 6, None)) == []
    commit(acks, "s", 6)

    assert [through(message) for message in acks.due(0)] == [6]


@pytest.mark.parametrize("first", [0, 1, 2**62, 2**63])
def test_impossible_first_positions_drop_nothing(first: int) -> None:
    """A node cannot make the host forget by saying nonsense."""
    acks = Acknowledgements(interval_ms=0)

    assert acks.born(NODE, Spool("s", first, None)) == []
