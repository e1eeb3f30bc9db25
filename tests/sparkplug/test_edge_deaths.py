"""DDEATH and NDEATH, the primary host that a node waits for, and rebirths."""

import pytest

from edge.lifecycle import State
from schemas.sparkplug.node import BD_SEQ
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType
from tests.edge.conversation import Conversation
from tests.edge.host import rebirth
from tests.sparkplug.register import tck
from tests.sparkplug.story import sent, story

NDEATH, DDEATH, NBIRTH = MessageType.NDEATH, MessageType.DDEATH, MessageType.NBIRTH


@tck("operational-behavior-device-ddeath")
def test_a_lost_device_dies() -> None:
    """As soon as its last reading is delivered; its return is a birth."""
    talk = Conversation().born()
    talk.links(plc=False)
    talk.links(plc=True)

    assert talk.kinds()[-2:] == ["DDEATH plc", "DBIRTH plc"]


@tck("topics-ddeath-topic")
def test_ddeath_topic() -> None:
    """``spBv1.0/group/DDEATH/node/device``."""
    assert {each.text for each in story().of(DDEATH)} == {"spBv1.0/pavlodar/DDEATH/potline-1/plc"}


@tck(
    "topics-ddeath-seq-num",
    "payloads-ddeath-seq",
    "payloads-ddeath-seq-inc",
    "payloads-ddeath-seq-number",
)
def test_ddeath_takes_part_in_the_count() -> None:
    """Its seq is one more than that of the message before it, and the next goes on from it."""
    for before, each in story().pairs(DDEATH):
        assert each.payload.HasField("seq")
        assert each.payload.seq == (before.payload.seq + 1) % 256


@tck("payloads-ddeath-timestamp")
def test_ddeath_timestamp() -> None:
    """The time at which it is sent."""
    assert all(each.payload.timestamp == each.at_ms for each in story().of(DDEATH))


@tck("topics-ndeath-payload")
def test_ndeath_has_the_bd_seq_alone() -> None:
    """The will and the one that is published."""
    for each in (*story().of(NDEATH), *story().wills):
        assert [metric.name for metric in each.payload.metrics] == [BD_SEQ]


@tck("topics-ndeath-seq", "payloads-ndeath-seq")
def test_ndeath_has_no_seq() -> None:
    """A will was written before the count began."""
    for each in (*story().of(NDEATH), *story().wills):
        assert not each.payload.HasField("seq")


@tck("payloads-ndeath-bdseq")
def test_ndeath_has_the_bd_seq_of_its_birth() -> None:
    """So that a host knows which session has ended."""
    deaths = [each.payload.metrics[0].long_value for each in story().of(NDEATH)]

    assert deaths == [0, 1]
    assert [will.payload.metrics[0].long_value for will in story().wills] == deaths


@tck(
    "message-flow-edge-node-birth-publish-phid-wait",
    "operational-behavior-edge-node-birth-sequence-wait",
)
def test_no_birth_before_the_primary_host() -> None:
    """Connected, and silent until its STATE says online."""
    talk = Conversation()
    talk.connect()
    talk.links(plc=True)
    talk.wait(3600)
    assert talk.sent == []
    talk.state(online=True)

    assert talk.kinds() == ["NBIRTH", "DBIRTH plc"]


@tck("message-flow-edge-node-birth-publish-phid-wait-id")
def test_another_host_is_not_waited_for() -> None:
    """Its STATE is not subscribed, and would not be followed."""
    talk = Conversation()
    talk.connect()
    online = HostState(online=True, timestamp=talk.utc_ms).encode()
    talk.message("spBv1.0/STATE/other", online)
    assert talk.sent == []
    talk.message("spBv1.0/STATE/ertis", online)

    assert talk.kinds() == ["NBIRTH"]


@tck("message-flow-edge-node-birth-publish-phid-wait-online")
def test_a_host_that_is_offline_gives_no_birth() -> None:
    """Only online=true does."""
    talk = Conversation()
    talk.connect()
    talk.state(online=False)
    assert (talk.sent, talk.session.state) == ([], State.WAITING)
    talk.wait(1)
    talk.state(online=True)

    assert talk.session.state is State.BORN


@tck("message-flow-edge-node-birth-publish-phid-wait-timestamp")
@pytest.mark.parametrize(("older_ms", "born"), [(1, False), (0, True), (-1, True)])
def test_an_online_older_than_the_last_state_gives_no_birth(older_ms: int, born: bool) -> None:
    """After an offline it is a message that came late; of the same time or newer it counts."""
    talk = Conversation()
    talk.connect()
    talk.state(online=False)
    talk.state(online=True, ts_ms=talk.utc_ms - older_ms)

    assert (talk.session.state is State.BORN) is born


@tck(
    "message-flow-edge-node-birth-publish-phid-offline",
    "operational-behavior-edge-node-termination-host-offline",
)
@pytest.mark.parametrize("later_ms", [0, 1000])
def test_a_host_that_goes_offline_ends_the_session(later_ms: int) -> None:
    """NDEATH, then DISCONNECT; the will of the host has the very time of its online."""
    talk = Conversation().born()
    talk.wait(later_ms / 1000)
    talk.state(online=False)
    talk.read(1.0)

    assert talk.kinds()[-1] == "NDEATH"
    assert talk.disconnects == 1


@tck("operational-behavior-edge-node-termination-host-offline-reconnect")
def test_after_it_the_node_connects_again_and_waits() -> None:
    """A new connection with the next bdSeq; births only when the host is online there."""
    talk = Conversation().born()
    talk.wait(1)
    talk.state(online=False)
    talk.lose_connection()
    will = sent(talk.connect())
    count = len(talk.sent)
    talk.wait(60)
    assert len(talk.sent) == count
    talk.state(online=True)

    assert will.payload.metrics[0].long_value == 1
    assert talk.kinds()[count] == "NBIRTH"


@tck("operational-behavior-edge-node-termination-host-offline-timestamp")
def test_an_offline_older_than_the_online_is_not_heeded() -> None:
    """It is the late will of an earlier connection of the host."""
    talk = Conversation().born()
    talk.state(online=False, ts_ms=talk.utc_ms - 1)

    assert talk.session.state is State.BORN
    assert talk.disconnects == 0


def test_the_steps_of_the_tck_s_primary_host_test() -> None:
    """Eclipse's own order of events; the docstrings above say what each must do."""
    talk = Conversation()
    talk.connect()
    start_ms = talk.utc_ms

    def seen(*, online: bool, ts_ms: int, host: str = "ertis") -> tuple[int, int]:
        talk.message(f"spBv1.0/STATE/{host}", HostState(online=online, timestamp=ts_ms).encode())
        return len(talk.of(NBIRTH)), len(talk.of(NDEATH))

    assert seen(online=True, ts_ms=start_ms, host="other") == (0, 0)
    assert seen(online=False, ts_ms=start_ms, host="other") == (0, 0)
    assert seen(online=False, ts_ms=start_ms) == (0, 0)
    assert seen(online=True, ts_ms=start_ms + 1) == (1, 0)
    assert seen(online=False, ts_ms=start_ms) == (1, 0)
    assert seen(online=False, ts_ms=start_ms + 2) == (1, 1)
    talk.lose_connection()
    talk.connect()
    assert seen(online=True, ts_ms=start_ms + 1) == (1, 1)
    assert seen(online=True, ts_ms=start_ms + 3) == (2, 1)


@tck("operational-behavior-data-commands-rebirth-action-1")
def test_a_rebirth_request_stops_data_at_once() -> None:
    """Between the request and the last birth there is none."""
    talk = Conversation().born()
    talk.read(1.0)
    count = len(talk.sent)
    talk.command(rebirth())

    assert talk.kinds()[count : count + 3] == ["NBIRTH", "DBIRTH plc", "DBIRTH meter"]


@tck("operational-behavior-data-commands-rebirth-action-2")
def test_a_rebirth_request_gives_all_births() -> None:
    """The NBIRTH and the DBIRTH of each device that is there, each complete."""
    talk = Conversation().born()
    talk.read(1.0)
    talk.acknowledge(1)
    births = [sent(each).payload.metrics for each in talk.sent[:3]]
    count = len(talk.sent)
    talk.command(rebirth())
    again = [sent(each).payload.metrics for each in talk.sent[count:]]

    assert [{m.name for m in each} for each in again] == [{m.name for m in each} for each in births]


@tck("operational-behavior-data-commands-rebirth-action-3")
def test_a_rebirth_keeps_the_bd_seq() -> None:
    """There was no new connection."""
    talk = Conversation().born()
    talk.command(rebirth())
    first, again = (
        next(m.long_value for m in sent(each).payload.metrics if m.name == BD_SEQ)
        for each in talk.of(NBIRTH)
    )

    assert first == again
