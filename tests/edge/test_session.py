"""Conversations of an edge session, without I/O. Docstrings name the ids that they show."""

from collections import Counter

import pytest

from edge.delivery import Limits
from edge.lifecycle import TRANSITIONS, Event, State
from schemas.errors import SessionError
from schemas.quality import Quality
from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import (
    BD_SEQ,
    COMMIT_THROUGH,
    REBIRTH,
    SPOOL_FIRST,
    SPOOL_ID,
    SPOOL_POSITION,
)
from schemas.sparkplug.payload import decode, metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from schemas.sparkplug.topic import MessageType
from tests.edge.conversation import ALIASES, Conversation
from tests.edge.host import rebirth


def seqs(talk: Conversation) -> list[int]:
    """The seq of every message sent, deaths of the node left out."""
    payloads = [decode(each.payload) for each in talk.sent]
    return [payload.seq for payload in payloads if payload.HasField("seq")]


def test_the_will_is_the_ndeath_of_the_coming_birth() -> None:
    """The will has the topic and the bdSeq of the node, QoS 1, and no seq.

    tck-id-message-flow-edge-node-birth-publish-will-message-topic,
    tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq,
    tck-id-message-flow-edge-node-birth-publish-will-message-qos,
    tck-id-payloads-ndeath-seq, tck-id-payloads-ndeath-bdseq, tck-id-topics-ndeath-payload
    """
    talk = Conversation()
    will = talk.connect()
    talk.state(online=True)

    death, birth = decode(will.payload), decode(talk.of(MessageType.NBIRTH)[0].payload)
    assert will.topic == "spBv1.0/pavlodar/NDEATH/potline-1"
    assert will.qos == 1
    assert not death.HasField("seq")
    assert [(m.name, m.long_value, m.datatype) for m in death.metrics] == [
        (BD_SEQ, 0, DataType.INT64)
    ]
    assert birth.metrics[0].name == BD_SEQ
    assert birth.metrics[0].long_value == 0


def test_commands_and_state_are_subscribed_before_anything_is_published() -> None:
    """Own NCMD and the primary host's STATE, and no birth yet.

    tck-id-message-flow-edge-node-ncmd-subscribe,
    tck-id-message-flow-edge-node-birth-publish-phid-wait,
    tck-id-message-flow-edge-node-birth-publish-phid-wait-id
    """
    talk = Conversation()
    talk.connect()

    assert talk.subscribed == ["spBv1.0/pavlodar/NCMD/potline-1", "spBv1.0/STATE/ertis"]
    assert talk.sent == []


def test_births_come_first_and_in_order() -> None:
    """NBIRTH with seq 0, every DBIRTH behind it, data last; nothing retained, all at QoS 0.

    tck-id-topics-nbirth-seq-num, tck-id-topics-nbirth-mqtt, tck-id-topics-dbirth-mqtt,
    tck-id-message-flow-device-birth-publish-nbirth-wait, tck-id-payloads-dbirth-order,
    tck-id-payloads-ddata-order, tck-id-payloads-sequence-num-incrementing,
    tck-id-topics-ddata-mqtt, tck-id-principles-birth-certificates-order
    """
    talk = Conversation().born()
    talk.read(1.0)

    assert talk.kinds() == ["NBIRTH", "DBIRTH plc", "DBIRTH meter", "DDATA plc"]
    assert {each.qos for each in talk.sent} == {0}
    assert seqs(talk) == [0, 1, 2, 3]


def test_the_nbirth_declares_the_node() -> None:
    """Its metrics, each with name, type, value and time; Rebirth is false and has no alias.

    tck-id-topics-nbirth-metrics, tck-id-topics-nbirth-rebirth-metric,
    tck-id-operational-behavior-data-commands-rebirth-name-aliases,
    tck-id-operational-behavior-data-commands-rebirth-datatype,
    tck-id-operational-behavior-data-commands-rebirth-value, tck-id-topics-nbirth-bdseq-included,
    tck-id-topics-nbirth-timestamp, tck-id-payloads-name-birth-data-requirement
    """
    talk = Conversation().born()

    birth = decode(talk.of(MessageType.NBIRTH)[0].payload)
    found = {each.name: each for each in birth.metrics}
    assert birth.timestamp == talk.utc_ms
    assert all(each.HasField("timestamp") for each in birth.metrics)
    assert not found[REBIRTH].HasField("alias")
    assert found[REBIRTH].datatype == DataType.BOOLEAN
    assert found[REBIRTH].boolean_value is False
    assert found[COMMIT_THROUGH].datatype == DataType.UINT64
    assert (found[SPOOL_ID].string_value, found[SPOOL_FIRST].long_value) == ("spool-1", 1)
    assert found[SPOOL_POSITION].alias == ALIASES[""][SPOOL_POSITION]


def test_a_dbirth_declares_every_tag_with_its_last_value() -> None:
    """Name, alias, type and the value's own time; null where there is none yet; bad stays bad.

    tck-id-topics-dbirth-metrics, tck-id-topics-dbirth-metric-reqs,
    tck-id-operational-behavior-data-publish-dbirth-values,
    tck-id-payloads-alias-birth-requirement, tck-id-payloads-propertyset-quality-value-value
    """
    talk = Conversation()
    frame = talk.store.commit("plc", [Reading("line/a", 5_000, 1.5, Quality.BAD)])
    talk.do(
        talk.session.committed(
            [frame], [Reading("line/a", 5_000, 1.5, Quality.BAD)], {"plc": True}, talk.now
        )
    )
    talk.connect()
    talk.state(online=True)

    birth = decode(talk.of(MessageType.DBIRTH)[0].payload)
    found = {each.name: each for each in birth.metrics}
    assert {name: each.alias for name, each in found.items()} == ALIASES["plc"]
    assert {each.datatype for each in birth.metrics if each.name != SPOOL_POSITION} == {
        DataType.DOUBLE
    }
    assert (found["line/a"].timestamp, found["line/a"].double_value) == (5_000, 1.5)
    assert found["line/a"].properties.values[0].int_value == Quality.BAD
    assert found["line/b"].is_null
    assert not found["line/b"].HasField("double_value")
    stamps = [each.timestamp for each in birth.metrics]
    assert stamps == sorted(stamps)


def test_aliases_are_unique_over_node_and_devices() -> None:
    """No alias stands twice in the births, and data has aliases alone.

    tck-id-payloads-alias-uniqueness, tck-id-payloads-alias-data-cmd-requirement,
    tck-id-payloads-metric-datatype-not-req
    """
    talk = Conversation().born()
    talk.read(1.0, 2.0)

    births = [decode(each.payload) for each in talk.sent[:3]]
    aliases = [m.alias for birth in births for m in birth.metrics if m.HasField("alias")]
    data = decode(talk.of(MessageType.DDATA)[0].payload)
    assert max(Counter(aliases).values()) == 1
    assert not any(m.HasField("name") or m.HasField("datatype") for m in data.metrics)
    assert {m.alias for m in data.metrics} <= set(aliases)


def test_seq_wraps_behind_255() -> None:
    """One count over births, data and deaths of the node and all its devices.

    tck-id-payloads-sequence-num-always-included, tck-id-payloads-ddeath-seq-inc
    """
    talk = Conversation(limits=Limits(window_frames=10_000)).born()
    for value in range(600):
        talk.read(float(value))
    talk.answer()
    talk.links(meter=False)
    talk.read(1.0)

    assert "DDEATH meter" in talk.kinds()
    assert seqs(talk) == [number % 256 for number in range(len(talk.sent))]


def test_a_host_that_is_offline_or_another_one_gives_no_birth() -> None:
    """Only online=true of the named host does.

    tck-id-message-flow-edge-node-birth-publish-phid-wait-online,
    tck-id-message-flow-edge-node-birth-publish-phid-wait-id
    """
    talk = Conversation()
    talk.connect()
    talk.message("spBv1.0/STATE/other", b'{"online": true, "timestamp": 9}')
    talk.state(online=False)

    assert talk.sent == []
    assert talk.session.state is State.WAITING


def test_a_host_that_goes_offline_ends_the_session() -> None:
    """NDEATH with the bdSeq of the birth, then DISCONNECT; births again when it is back.

    tck-id-message-flow-edge-node-birth-publish-phid-offline,
    tck-id-operational-behavior-edge-node-termination-host-offline,
    tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath,
    tck-id-topics-nbirth-bdseq-increment
    """
    talk = Conversation().born()
    talk.wait(1)
    talk.state(online=False)
    assert talk.kinds()[-1] == "NDEATH"
    assert talk.disconnects == 1
    talk.read(1.0)
    assert talk.kinds()[-1] == "NDEATH"

    talk.lose_connection()
    talk.connect()
    talk.wait(1)
    talk.state(online=True)

    births = [decode(each.payload) for each in talk.of(MessageType.NBIRTH)]
    death = decode(talk.of(MessageType.NDEATH)[0].payload)
    assert [birth.metrics[0].long_value for birth in births] == [0, 1]
    assert death.metrics[0].long_value == 0


def test_a_stale_offline_is_not_heeded() -> None:
    """An offline STATE older than the online one changes nothing.

    tck-id-operational-behavior-edge-node-termination-host-offline-timestamp
    """
    talk = Conversation().born()
    talk.state(online=False, ts_ms=talk.utc_ms - 1)

    assert talk.session.state is State.BORN
    assert [each.reason for each in talk.refused] == ["stale_state"]


def test_a_stale_online_gives_no_birth() -> None:
    """After an offline, an older online is a message that came late.

    tck-id-message-flow-edge-node-birth-publish-phid-wait-timestamp
    """
    talk = Conversation().born()
    talk.wait(5)
    talk.state(online=False)
    talk.lose_connection()
    talk.connect()
    sent = len(talk.sent)
    talk.state(online=True, ts_ms=talk.utc_ms - 1)

    assert len(talk.sent) == sent


def test_the_will_of_the_host_has_the_time_of_its_birth() -> None:
    """An offline STATE with the very time of the online one is heeded: it is that host's will.

    tck-id-message-flow-edge-node-birth-publish-phid-offline
    """
    talk = Conversation().born()
    talk.state(online=False)

    assert talk.session.state is State.LEAVING


def test_without_a_primary_host_births_follow_the_connection() -> None:
    """A node that waits for nobody is born at once."""
    talk = Conversation(host=None)
    talk.connect()

    assert talk.kinds() == ["NBIRTH"]
    assert talk.subscribed == ["spBv1.0/pavlodar/NCMD/potline-1"]


def test_a_rebirth_request_gives_all_births_again() -> None:
    """NBIRTH with seq 0 and the same bdSeq, all DBIRTHs, then what is not acknowledged.

    tck-id-operational-behavior-data-commands-rebirth-action-1,
    tck-id-operational-behavior-data-commands-rebirth-action-2,
    tck-id-operational-behavior-data-commands-rebirth-action-3
    """
    talk = Conversation().born()
    talk.read(1.0)
    before = len(talk.sent)
    talk.wait(1)
    talk.command(rebirth())

    assert talk.kinds()[before:] == ["NBIRTH", "DBIRTH plc", "DBIRTH meter", "DDATA plc"]
    births = [decode(each.payload) for each in talk.of(MessageType.NBIRTH)]
    assert births[0].metrics[0].long_value == births[1].metrics[0].long_value
    assert births[1].seq == 0
    assert talk.sent[-1].historical


def test_a_rebirth_request_is_idle_while_the_host_is_away() -> None:
    """No birth without the primary host, whoever asks."""
    talk = Conversation()
    talk.connect()
    talk.command(rebirth())

    assert talk.sent == []


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


@pytest.mark.parametrize(
    ("payload", "reason"),
    [
        (b"\xff\xff\xff", "payload"),
        (
            Payload(metrics=[metric(1, DataType.INT32, 1, name="Pump")]).SerializeToString(),
            "command",
        ),
        (
            Payload(
                metrics=[metric("3", DataType.STRING, 1, name=COMMIT_THROUGH)]
            ).SerializeToString(),
            "command",
        ),
        (Payload(metrics=[metric(0, DataType.BOOLEAN, 1, name=REBIRTH)]).SerializeToString(), ""),
    ],
)
def test_commands_that_make_no_sense_change_nothing(payload: bytes, reason: str) -> None:
    """Garbage, unknown metrics and wrong types are refused with a reason; false is no request."""
    talk = Conversation().born()
    before = len(talk.sent)
    talk.command(payload)

    assert [each.reason for each in talk.refused] == ([reason] if reason else [])
    assert len(talk.sent) == before
    assert talk.session.state is State.BORN


def test_a_state_that_is_no_state_changes_nothing() -> None:
    """Sparkplug 2 hosts send bare words."""
    talk = Conversation().born()
    talk.message("spBv1.0/STATE/ertis", b"OFFLINE")

    assert talk.session.state is State.BORN
    assert [each.reason for each in talk.refused] == ["payload"]


def test_a_lost_device_dies_when_its_last_reading_is_in_the_database() -> None:
    """Its bad readings are data, so its DDEATH follows them; back again it is born anew.

    tck-id-operational-behavior-device-ddeath, tck-id-topics-ddeath-seq-num,
    tck-id-payloads-ddeath-timestamp
    """
    talk = Conversation().born()
    talk.read(1.0, plc=False)
    assert talk.kinds()[-1] == "DDATA plc"
    talk.answer()
    assert talk.kinds()[-1] == "DDEATH plc"
    death = decode(talk.sent[-1].payload)
    assert (death.timestamp, len(death.metrics)) == (talk.utc_ms, 0)

    talk.read(2.0, plc=True)

    assert talk.kinds()[-2:] == ["DBIRTH plc", "DDATA plc"]


def test_data_of_a_device_that_died_offline_is_still_delivered() -> None:
    """Between a DBIRTH and the DDEATH: no host has to take data of a dead device."""
    talk = Conversation()
    talk.read(1.0, plc=True)
    talk.read(2.0, plc=False)
    talk.connect()
    talk.state(online=True)
    talk.wait(0.1)
    talk.answer()

    assert talk.kinds() == ["NBIRTH", "DBIRTH plc", "DDATA plc", "DDATA plc", "DDEATH plc"]


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


def test_leaving_says_farewell() -> None:
    """NDEATH, then DISCONNECT; before any birth DISCONNECT alone; without a connection nothing.

    tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath,
    tck-id-payloads-ndeath-will-message-publisher
    """
    talk = Conversation().born()
    talk.do(talk.session.leave(talk.now))
    assert (talk.kinds()[-1], talk.disconnects) == ("NDEATH", 1)

    waiting = Conversation()
    waiting.connect()
    waiting.do(waiting.session.leave(waiting.now))
    assert (waiting.kinds(), waiting.disconnects) == ([], 1)

    offline = Conversation()
    offline.do(offline.session.leave(offline.now))
    assert offline.sent == []


def test_every_event_has_its_place_in_every_state() -> None:
    """Only connections may not begin twice nor end before they began."""
    missing = {
        (state, event) for state in State for event in Event if event not in TRANSITIONS[state]
    }

    assert missing == {
        (State.WAITING, Event.CONNECTED),
        (State.BORN, Event.CONNECTED),
        (State.LEAVING, Event.CONNECTED),
        (State.OFFLINE, Event.DISCONNECTED),
        (State.OFFLINE, Event.HOST_ONLINE),
        (State.OFFLINE, Event.HOST_OFFLINE),
        (State.OFFLINE, Event.REBIRTH),
    }
    with pytest.raises(SessionError, match="DISCONNECTED cannot happen while OFFLINE"):
        Conversation().lose_connection()
