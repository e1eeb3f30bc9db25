"""Conversations of an edge session, without I/O: its life, and what it makes of commands.

What Sparkplug asks of it is in tests/sparkplug, what becomes of frames in test_session_frames.
"""

import pytest

from edge.lifecycle import TRANSITIONS, Event, State
from schemas.errors import SessionError
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import (
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
