"""The commands that a host application sends."""

from collections.abc import Iterator

import pytest

from ingest.acks import Acknowledgements
from ingest.broker import HostLink
from ingest.event import Publish, Source, Spool
from ingest.inbox import Connected, Inbox
from ingest.positions import Ranges
from schemas.settings import MqttSettings
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import COMMIT_THROUGH, REBIRTH
from schemas.sparkplug.payload import decode
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from tests.edge.conversation import ALIASES
from tests.edge.conversation import Conversation as EdgeConversation
from tests.fixtures.until import until
from tests.ingest.conversation import Conversation, birth_metric, data, device_birth, node_birth
from tests.sparkplug.recorder import Published, Recorder
from tests.sparkplug.register import STATEMENTS, Status, tck

NCMD = "spBv1.0/pavlodar/NCMD/potline-1"
NODE = Source("pavlodar", "potline-1")
DCMD = [
    id_.removeprefix("tck-id-")
    for id_, statement in STATEMENTS.items()
    if statement.status is Status.NOT_USED and statement.part == "command"
]


def rebirth_request() -> Publish:
    """What the host sends to a node that it does not understand."""
    talk = Conversation()
    talk.hear("NDATA", data(birth_metric("x", 1), seq=7))
    (request,) = talk.wait(0)
    assert isinstance(request, Publish)
    return request


def commit_through(*, alias: int | None = None) -> Publish:
    """What the host sends to a node whose frames are in the database."""
    acks = Acknowledgements(0)
    acks.born(NODE, Spool("s", 1, alias))
    acks.committed(NODE, "s", Ranges([(1, 10)]))
    (command,) = acks.due(1_800_000_000_000)
    return command


def only(publish: Publish) -> Metric:
    """The one metric of a command."""
    (found,) = decode(publish.payload).metrics
    return found


@pytest.fixture(scope="module")
def wire() -> Iterator[list[Published]]:
    """Both commands, as they leave the host's connection."""
    with Recorder() as recorder:
        settings = MqttSettings(host="127.0.0.1", port=recorder.port)
        inbox = Inbox(1_000_000)
        will = Publish("spBv1.0/STATE/ertis", b"{}", 1, retain=True)
        link = HostLink(settings, "ertis", inbox, lambda _now_ms: will)
        link.open()
        until(lambda: any(isinstance(each, Connected) for each in inbox.take(0.1)), "CONNACK")
        link.publish(rebirth_request())
        link.publish(commit_through())
        until(lambda: len(recorder.published("NCMD")) == 2, "both commands")
        link.close(None)
        yield recorder.published("NCMD")


@tck("topics-ncmd-topic")
def test_ncmd_topic(wire: list[Published]) -> None:
    """``spBv1.0/group/NCMD/node``."""
    assert {each.topic for each in wire} == {NCMD}


@tck("topics-ncmd-mqtt")
def test_ncmd_packets(wire: list[Published]) -> None:
    """QoS 0, not retained."""
    assert {(each.qos, each.retain) for each in wire} == {(0, False)}


@tck("payloads-ncmd-qos")
def test_ncmd_qos(wire: list[Published]) -> None:
    """0."""
    assert [each.qos for each in wire] == [0, 0]


@tck("payloads-ncmd-retain")
def test_ncmd_retain(wire: list[Published]) -> None:
    """Off: a node that connects later must not obey it."""
    assert [each.retain for each in wire] == [False, False]


@tck("topics-ncmd-timestamp", "payloads-ncmd-timestamp")
def test_ncmd_timestamp() -> None:
    """The time at which it is sent."""
    assert decode(rebirth_request().payload).timestamp == Conversation().now_ms
    assert decode(commit_through().payload).timestamp == 1_800_000_000_000


@tck("payloads-ncmd-seq")
def test_ncmd_has_no_seq() -> None:
    """The count is the node's."""
    for each in (rebirth_request(), commit_through()):
        assert not decode(each.payload).HasField("seq")


@tck("topics-ncmd-payload")
def test_ncmd_says_which_metric_gets_which_value() -> None:
    """One metric each, with its new value."""
    assert (only(rebirth_request()).name, only(rebirth_request()).boolean_value) == (REBIRTH, True)
    assert (only(commit_through()).name, only(commit_through()).long_value) == (COMMIT_THROUGH, 9)


@tck("operational-behavior-data-commands-ncmd-rebirth-verb")
def test_a_rebirth_is_asked_for_by_ncmd() -> None:
    """Of the node, whoever of it was not understood."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth())
    talk.hear("DDATA", data(birth_metric("x", 1), seq=1), "plc")
    (request,) = talk.wait(0)

    assert isinstance(request, Publish)
    assert request.topic == NCMD


@tck("operational-behavior-data-commands-ncmd-rebirth-name")
def test_the_rebirth_metric() -> None:
    """``Node Control/Rebirth``."""
    assert only(rebirth_request()).name == "Node Control/Rebirth"


@tck("operational-behavior-data-commands-ncmd-rebirth-value")
def test_the_rebirth_value() -> None:
    """Boolean true, and an edge node follows it."""
    wanted = only(rebirth_request())
    talk = EdgeConversation().born()
    talk.command(rebirth_request().payload)

    assert (wanted.datatype, wanted.boolean_value) == (DataType.BOOLEAN, True)
    assert talk.kinds().count("NBIRTH") == 2


@tck("operational-behavior-data-commands-ncmd-verb")
def test_a_metric_of_a_node_is_written_by_ncmd() -> None:
    """Commit Through is declared in the NBIRTH, so it is written by NCMD."""
    assert commit_through().topic == NCMD


@tck("operational-behavior-data-commands-ncmd-metric-name")
def test_a_written_metric_is_one_of_the_birth() -> None:
    """By the name or alias that the NBIRTH gave; the node finds it."""
    alias = ALIASES[""][COMMIT_THROUGH]
    for command in (commit_through(), commit_through(alias=alias)):
        talk = EdgeConversation().born()
        for value in range(9):
            talk.read(float(value))
        talk.command(command.payload)
        assert talk.session.through == 9
        assert talk.refused == []


@tck("operational-behavior-data-commands-ncmd-metric-value")
def test_a_written_value_is_of_the_declared_type() -> None:
    """UInt64, in the field for it; an edge node refuses another type and writes nothing."""
    assert only(commit_through()).WhichOneof("value") == "long_value"
    talk = EdgeConversation().born()
    talk.read(1.0)
    wrong = Metric(name=COMMIT_THROUGH, datatype=DataType.STRING, string_value="1")
    talk.command(Payload(metrics=[wrong]).SerializeToString())

    assert talk.session.through == 0
    assert [each.reason for each in talk.refused] == ["command"]


@tck(*DCMD)
def test_no_device_command_is_sent() -> None:
    """Whatever happens to a node and its devices, the host publishes NCMD alone."""
    talk = Conversation()
    talk.host.connected(talk.now_ms, talk.now_ms)
    talk.live(spool="s1")
    sent = []
    for kind, payload, device in (
        ("DDATA", data(birth_metric("x", 1), seq=9), "plc"),
        ("DDATA", data(birth_metric("x", 1), seq=9), "stranger"),
        ("DDEATH", data(seq=10), "plc"),
        ("DDATA", data(birth_metric("x", 1), seq=11), "plc"),
        ("DBIRTH", device_birth(birth_metric("x", 1), seq=12), "plc"),
    ):
        talk.hear(kind, payload, device)
        sent += [event for event in talk.wait(11_000) if isinstance(event, Publish)]

    assert sent
    assert {each.topic for each in sent} == {NCMD}
