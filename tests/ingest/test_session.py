"""Conversations between edge nodes and the host, without I/O."""

import pytest

from ingest.event import Born, Data, Deferred, Died, Event, Missing, Publish, Source, Unusable
from ingest.node import TRANSITIONS, NodeState, Trigger
from ingest.rebirth import RebirthPolicy
from ingest.session import SessionPolicy
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import REBIRTH
from schemas.sparkplug.payload import metric
from schemas.sparkplug.sparkplug_b_pb2 import Payload
from tests.ingest.conversation import (
    DEVICE,
    GROUP,
    NODE,
    Conversation,
    birth_metric,
    data,
    death,
    device_birth,
    node_birth,
    topic,
)

SOURCE = Source(GROUP, NODE)
PLC = Source(GROUP, NODE, DEVICE)
VALUE = metric(4.2, DataType.DOUBLE, 1, alias=1)


def rebirths(events: list[Event]) -> list[str]:
    """The topics of the rebirth requests among *events*."""
    found = []
    for event in events:
        if isinstance(event, Publish):
            [wanted] = Payload.FromString(event.payload).metrics
            assert (wanted.name, wanted.boolean_value) == (REBIRTH, True)
            found.append(event.topic)
    return found


def test_births_then_data() -> None:
    """The plain case: everything is handed on, nothing is asked."""
    talk = Conversation()

    [node] = talk.hear("NBIRTH", node_birth(bd_seq=7))
    [device] = talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1)), DEVICE)
    [values] = talk.hear("DDATA", data(VALUE, seq=2), DEVICE)

    assert isinstance(node, Born)
    assert (node.source, node.bd_seq, node.spool) == (SOURCE, 7, None)
    assert isinstance(device, Born)
    assert device.source == PLC
    assert isinstance(values, Data)
    assert values.source == PLC
    assert rebirths(talk.wait(60_000)) == []


def test_spool_of_a_spooling_node() -> None:
    """An NBIRTH that declares Commit Through tells the spool's id and first position."""
    talk = Conversation()

    [born] = talk.hear("NBIRTH", node_birth(spool="s1", first=5))

    assert isinstance(born, Born)
    assert born.spool is not None
    assert (born.spool.id, born.spool.first, born.spool.commit_alias) == ("s1", 5, None)
    assert talk.host.is_spooling(PLC)


@pytest.mark.parametrize("first", [0, 2**62, 2**64 - 1])
def test_impossible_first_position(first: int) -> None:
    """A node cannot say that it dropped what no spool can hold."""
    [born] = Conversation().hear("NBIRTH", node_birth(spool="s\0", first=first))

    assert isinstance(born, Born)
    assert born.spool is not None
    assert (born.spool.id, born.spool.first) == ("s\\0", 1)


def test_unknown_node_is_asked_for_its_births() -> None:
    """tck-id-operational-behavior-data-commands-ncmd-rebirth-verb: an NCMD, Rebirth true, QoS 0."""
    talk = Conversation()

    assert talk.hear("NDATA", data(VALUE, seq=9)) == []
    [request] = [event for event in talk.wait(0) if isinstance(event, Publish)]

    assert request.topic == topic("NCMD")
    assert (request.qos, request.retain) == (0, False)
    assert not Payload.FromString(request.payload).HasField("seq")


def test_held_values_follow_the_births_that_were_asked_for() -> None:
    """What came before the births is understood by them, oldest first; nothing is lost."""
    talk = Conversation()
    early = [data(VALUE, seq=seq) for seq in (9, 10)]
    for payload in early:
        talk.hear("DDATA", payload, DEVICE)
    talk.hear("NBIRTH", node_birth())

    born, *held = talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1)), DEVICE)

    assert isinstance(born, Born)
    assert [event.raw for event in held if isinstance(event, Data)] == early


def test_held_values_are_dead_letters_when_no_birth_comes() -> None:
    """A node that never answers does not hold memory for ever."""
    talk = Conversation(SessionPolicy(hold_ms=1000))
    talk.hear("NDATA", data(VALUE, VALUE, seq=9))

    events = talk.wait(1001)

    [dead] = [event for event in events if isinstance(event, Unusable)]
    assert (dead.reason, dead.readings, dead.topic) == ("unborn", 2, topic("NDATA"))


def test_held_values_end_with_a_death() -> None:
    """After a death the next birth may mean other aliases: what was held is not guessed at."""
    talk = Conversation()
    talk.hear("NDATA", data(VALUE, seq=9))

    events = talk.hear("NDEATH", death(0))

    assert [type(event) for event in events] == [Died, Unusable]


def test_hold_is_bounded() -> None:
    """Beyond the budget values are given up at once."""
    talk = Conversation(SessionPolicy(hold_bytes=10))

    assert [type(event) for event in talk.hear("NDATA", data(VALUE, seq=9))] == [Unusable]


def test_spooling_node_s_early_values_come_again() -> None:
    """A node known to spool needs no hold: what is not committed is sent again."""
    talk = Conversation()
    talk.host.restore(SOURCE, spooling=True)

    assert talk.hear("DDATA", data(VALUE, VALUE, seq=9), DEVICE) == [Deferred(PLC, 2)]
    assert rebirths(talk.wait(0)) == [topic("NCMD")]


def test_one_request_however_much_data_comes() -> None:
    """At most one rebirth is pending; after the time for an answer it is asked again."""
    talk = Conversation()
    for seq in range(5):
        talk.hear("NDATA", data(VALUE, seq=seq))
    assert len(rebirths(talk.wait(0))) == 1

    talk.hear("NDATA", data(VALUE, seq=6))
    assert rebirths(talk.wait(5_000)) == []

    talk.now_ms += 5_001
    talk.hear("NDATA", data(VALUE, seq=7))
    assert len(rebirths(talk.wait(0))) == 1


def test_requests_to_many_nodes_are_spaced() -> None:
    """A host that starts does not make the whole plant answer at once."""
    talk = Conversation(SessionPolicy(rebirth=RebirthPolicy(spacing_ms=100, jitter_ms=0)))
    for number in range(3):
        talk.host.restore(Source(GROUP, f"node-{number}"), spooling=False)
    talk.host.connected(0, talk.now_ms)

    assert [len(rebirths(talk.wait(50))) for _ in range(6)] == [1, 0, 1, 0, 1, 0]


def test_late_will_of_an_old_session_is_ignored() -> None:
    """Sparkplug 3.0 chapter 5: an NDEATH counts only if its bdSeq is the live birth's."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth(bd_seq=8))

    assert talk.hear("NDEATH", death(7)) == []
    assert talk.host.state_of(SOURCE) is NodeState.LIVE


def test_death_is_stamped_with_the_host_s_time_and_counts_once() -> None:
    """tck-id-...-host-action-ndeath-node-tags-stale: receipt time; a second NDEATH is the same."""
    talk = Conversation()
    talk.live()

    assert talk.hear("NDEATH", death(0)) == [Died(SOURCE, talk.now_ms)]
    assert talk.hear("NDEATH", death(0)) == []


def test_device_death_is_stamped_with_the_payload_s_time() -> None:
    """tck-id-operational-behavior-edge-node-termination-host-action-ddeath-devices-tags-stale."""
    talk = Conversation()
    talk.live()

    assert talk.hear("DDEATH", data(seq=2, ts_ms=777), DEVICE) == [Died(PLC, 777)]


def test_device_death_with_an_impossible_time() -> None:
    """A payload time beyond any calendar is replaced by the receipt's."""
    talk = Conversation()
    talk.live()

    payload = Payload(timestamp=2**63, seq=2).SerializeToString()

    assert talk.hear("DDEATH", payload, DEVICE) == [Died(PLC, talk.now_ms)]


def test_data_after_a_death_asks_and_is_not_trusted() -> None:
    """The birth in between was missed: its aliases are unknown."""
    talk = Conversation()
    talk.live()
    talk.hear("NDEATH", death(0))

    assert talk.hear("DDATA", data(VALUE, seq=2), DEVICE) == []
    assert len(rebirths(talk.wait(0))) == 1


def test_device_without_a_birth_is_asked_for() -> None:
    """A node that lives is no birth of its devices."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth())

    assert talk.hear("DDATA", data(VALUE, seq=1), DEVICE) == []
    assert len(rebirths(talk.wait(0))) == 1


def test_gap_is_waited_for_and_filled() -> None:
    """tck-id-operational-behavior-host-reordering-success: the late message cancels the request."""
    talk = Conversation(SessionPolicy(reorder_ms=2000))
    talk.live()

    [ahead] = talk.hear("DDATA", data(VALUE, seq=3), DEVICE)
    talk.now_ms += 1000
    [late] = talk.hear("DDATA", data(VALUE, seq=2), DEVICE)

    assert isinstance(ahead, Data)
    assert isinstance(late, Data)
    assert talk.host.state_of(SOURCE) is NodeState.LIVE
    assert talk.wait(60_000) == []


def test_gap_that_is_not_filled() -> None:
    """tck-id-operational-behavior-host-reordering-rebirth: asked after the timeout, gap noted."""
    talk = Conversation(SessionPolicy(reorder_ms=2000))
    talk.live()
    before_ms = talk.now_ms
    talk.now_ms += 500
    talk.hear("DDATA", data(VALUE, seq=4), DEVICE)

    assert talk.wait(1999) == []
    missing, request = talk.wait(1)

    assert missing == Missing(SOURCE, before_ms, before_ms + 500)
    assert rebirths([request]) == [topic("NCMD")]


def test_data_flows_while_a_gap_is_open() -> None:
    """Values are stored at once; only the order check waits."""
    talk = Conversation()
    talk.live()

    for seq in (5, 7, 6, 5):
        assert [type(e) for e in talk.hear("DDATA", data(VALUE, seq=seq), DEVICE)] == [Data]


def test_sequence_wraps() -> None:
    """tck-id-payloads-sequence-num-incrementing: 255 is followed by 0."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth(seq=254))
    talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1), seq=255), DEVICE)
    talk.hear("DDATA", data(VALUE, seq=0), DEVICE)

    assert talk.host.state_of(SOURCE) is NodeState.LIVE


def test_retained_births_prove_only_that_the_node_exists() -> None:
    """A birth that the broker kept may be years old: it is asked for again, not believed."""
    talk = Conversation()

    events = talk.host.receive(topic("NBIRTH"), node_birth(), talk.now_ms, retained=True)

    assert events == []
    assert talk.host.state_of(SOURCE) is NodeState.UNBORN
    assert rebirths(talk.wait(60_000)) == [topic("NCMD")]


def test_a_lost_connection_makes_nodes_stale_and_unborn() -> None:
    """While the host is away births and deaths may be missed."""
    talk = Conversation()
    talk.live()

    assert talk.host.disconnected(talk.now_ms) == [Died(SOURCE, talk.now_ms)]
    assert talk.host.state_of(SOURCE) is NodeState.UNBORN


@pytest.mark.parametrize(
    ("where", "payload", "reason"),
    [
        ("spBv1.0/pavlodar/NDATA/potline-1", b"\xff\xff", "payload"),
        ("spBv1.0/pavlodar/NDATA", b"", "topic"),
        ("spBv1.0/pavlodar/HELLO/potline-1", b"", "topic"),
        ("spAv1.0/pavlodar/NDATA/potline-1", b"", "topic"),
        ("spBv1.0/pavlodar/NDATA/potline\0", b"", "topic"),
        ("spBv1.0/pavlodar/NDATA/potline-1/plc", b"", "topic"),
    ],
)
def test_unusable_messages(where: str, payload: bytes, reason: str) -> None:
    """What cannot be read is handed over whole, with its reason; the session goes on."""
    talk = Conversation()
    talk.live()

    [event] = talk.host.receive(where, payload, talk.now_ms)

    assert isinstance(event, Unusable)
    assert (event.topic, event.raw, event.reason) == (where, payload, reason)
    assert talk.host.state_of(SOURCE) is NodeState.LIVE


def test_commands_are_not_data() -> None:
    """The host hears its own NCMD and those of others."""
    assert Conversation().hear("NCMD", data(seq=0)) == []


def test_every_state_has_a_move_for_what_can_happen_in_it() -> None:
    """A message, a birth and a death may come at any time; overdue only where one waits."""
    anywhere = {Trigger.BIRTH, Trigger.DEATH, Trigger.AHEAD, Trigger.REPEATED}

    for state, moves in TRANSITIONS.items():
        waiting = state is NodeState.GAPPED
        assert anywhere <= moves.keys(), state
        assert (Trigger.FILLED if waiting else Trigger.IN_ORDER) in moves, state
    assert [state for state, moves in TRANSITIONS.items() if Trigger.OVERDUE in moves] == [
        NodeState.GAPPED
    ]
