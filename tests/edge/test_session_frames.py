"""Conversations of an edge session about frames: which go out live, which again, and when."""

from edge.delivery import Limits
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import COMMIT_THROUGH
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from tests.edge.conversation import ALIASES, Conversation
from tests.edge.host import rebirth


def test_what_was_read_before_the_host_came_is_replayed_as_history() -> None:
    """Oldest first, is_historical on each metric; what comes later is live.

    tck-id-principles-persistence-clean-session-50 leaves no other place to keep it.
    """
    talk = Conversation(limits=Limits(replay_readings_per_s=1e9))
    for value in range(5):
        talk.read(float(value), plc=True)
    talk.connect()
    talk.state(online=True)
    talk.wait(0.1)
    talk.read(99.0)

    assert [reading.value for reading in talk.ledger.readings] == [0, 1, 2, 3, 4, 99]
    assert [reading.value for reading in talk.ledger.history] == [0, 1, 2, 3, 4]
    assert talk.ledger.through == 6


def test_live_frames_never_wait_for_a_replay() -> None:
    """With a backlog on its way, a new frame is the very next message."""
    talk = Conversation(limits=Limits(window_frames=4, replay_readings_per_s=1e9))
    for value in range(100):
        talk.read(float(value), plc=True)
    talk.connect()
    talk.state(online=True)
    talk.wait(0.1)
    replayed = len(talk.ledger.readings)
    talk.read(1000.0)

    assert replayed == 4
    assert talk.ledger.readings[-1].value == 1000.0
    assert not talk.sent[-1].historical


def test_the_replay_keeps_its_window_and_goes_on_with_each_acknowledgement() -> None:
    """Never more than the window on its way, and at the end nothing is missing or doubled."""
    talk = Conversation(limits=Limits(window_frames=4, replay_readings_per_s=1e9))
    for value in range(50):
        talk.read(float(value), plc=True)
    talk.connect()
    talk.state(online=True)
    talk.wait(0.1)
    while talk.store.frames:
        before = talk.ledger.through
        talk.answer()
        talk.wait(0.1)
        assert talk.ledger.through - before <= 4

    assert [reading.value for reading in talk.ledger.readings] == [float(v) for v in range(50)]


def test_the_replay_keeps_its_rate() -> None:
    """100 readings/s: one second later some 100 of 1,000 readings are out, not all."""
    talk = Conversation(limits=Limits(replay_readings_per_s=100))
    for _ in range(100):
        talk.read(*(float(value) for value in range(10)), plc=True)
    talk.connect()
    talk.state(online=True)
    for _ in range(20):
        talk.wait(0.1)

    assert 100 <= len(talk.ledger.readings) <= 250


def test_frames_that_find_the_live_window_full_become_backlog() -> None:
    """A host that acknowledges nothing gets a window of each lane, and later another one."""
    talk = Conversation(limits=Limits(window_frames=3, ack_timeout_s=10)).born()
    for value in range(10):
        talk.read(float(value))
    assert [reading.value for reading in talk.ledger.readings] == [0, 1, 2]
    talk.wait(1)
    talk.wait(1)
    assert [reading.value for reading in talk.ledger.history] == [3, 4, 5]
    talk.wait(11)
    talk.wait(1)

    assert [reading.value for reading in talk.ledger.history] == [3, 4, 5, 0, 1, 2]
    while talk.store.frames:
        talk.answer()
        talk.wait(1)
    assert {reading.value for reading in talk.ledger.readings} == {float(v) for v in range(10)}


def test_an_overdue_acknowledgement_sends_again_what_was_lost() -> None:
    """A frame that the network lost comes again as history; the rest is not sent twice."""
    talk = Conversation(limits=Limits(ack_timeout_s=10)).born()
    talk.lossy = True
    talk.read(1.0)
    talk.lossy = False
    talk.read(2.0)
    talk.answer()
    assert talk.ledger.through == 0
    talk.wait(11)
    talk.wait(1)
    talk.answer()

    assert talk.ledger.through == 2
    assert talk.store.frames == {}


def test_one_acknowledgement_leaps_over_all_that_had_arrived() -> None:
    """When the hole is filled, live frames behind it are not sent again."""
    talk = Conversation(limits=Limits(ack_timeout_s=10, replay_readings_per_s=1)).born()
    talk.lossy = True
    talk.read(0.0)
    talk.lossy = False
    for value in range(1, 6):
        talk.read(float(value))
    talk.answer()
    talk.wait(11)
    talk.wait(1)
    talk.answer()

    assert talk.store.frames == {}
    assert [reading.value for reading in talk.ledger.readings] == [1, 2, 3, 4, 5, 0]


def test_an_acknowledgement_beyond_the_last_position_is_refused() -> None:
    """It cannot be meant for this spool: nothing is deleted."""
    talk = Conversation().born()
    talk.read(1.0)
    talk.acknowledge(7)

    assert [each.reason for each in talk.refused] == ["commit_through"]
    assert list(talk.store.frames) == [1]


def test_acknowledgements_go_by_name_or_alias_and_may_repeat() -> None:
    """Commit Through is understood either way; an old one changes nothing."""
    talk = Conversation().born()
    talk.read(1.0)
    talk.read(2.0)
    by_alias = metric(2, DataType.UINT64, 1, alias=ALIASES[""][COMMIT_THROUGH])
    talk.acknowledge(1)
    talk.command(Payload(metrics=[by_alias]).SerializeToString())
    talk.acknowledge(1)

    assert talk.session.through == 2
    assert talk.store.frames == {}


def test_dropped_frames_are_told_by_a_birth() -> None:
    """The host waits for a position that is gone; after the timeout a birth says where to go on."""
    talk = Conversation(limits=Limits(ack_timeout_s=10)).born()
    talk.lossy = True
    for value in range(4):
        talk.read(float(value))
    talk.lossy = False
    talk.drop(2)
    talk.read(4.0)
    talk.answer()
    assert talk.session.through == 2
    talk.wait(11)
    talk.wait(1)
    talk.answer()

    assert talk.ledger.first == 3
    assert talk.session.through == 5
    assert talk.store.frames == {}


def test_frames_that_go_on_being_dropped_do_not_silence_the_node() -> None:
    """With the host stuck and the spool full, each timeout tells the host anew where to begin."""
    talk = Conversation(limits=Limits(window_frames=2, ack_timeout_s=10)).born()
    talk.lossy = True
    for value in range(5):
        talk.read(float(value))
    for value in range(60):
        talk.read(float(value))
        talk.drop(1)
        talk.wait(0.5)
    talk.lossy = False
    for value in range(60):
        talk.read(float(value))
        talk.drop(1)
        talk.answer()
        talk.wait(0.5)
    for _ in range(30):
        talk.answer()
        talk.wait(1)

    assert talk.store.frames == {}
    assert talk.session.through == 125


def test_a_fetch_that_answers_too_late_sends_nothing_out_of_order() -> None:
    """A rebirth between the request and the disk's answer: the answer is not used."""
    talk = Conversation(limits=Limits(replay_readings_per_s=1e9, window_frames=64))
    for value in range(20):
        talk.read(float(value), plc=True)
    talk.connect()
    talk.answers = False
    talk.state(online=True)
    talk.wait(0.1)
    talk.do_fetch()  # the first 16 frames are out, the rest is asked for
    talk.command(rebirth())
    talk.do_fetch()  # positions from 17 on, while everything from 1 on is wanted
    talk.answers = True
    talk.wait(0.1)

    values = [reading.value for reading in talk.ledger.readings]
    assert values[:16] == [float(value) for value in range(16)]
    assert values[16:] == [float(value) for value in range(20)]
