"""NBIRTH and DBIRTH of an edge node, as its session sends them."""

from edge.delivery import Limits
from edge.identity import Identity
from edge.session import EdgeSession
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import BD_SEQ, REBIRTH
from schemas.sparkplug.payload import decode
from schemas.sparkplug.sparkplug_b_pb2 import Metric
from schemas.sparkplug.topic import MessageType
from tests.edge.conversation import ALIASES, Conversation
from tests.sparkplug.register import tck
from tests.sparkplug.story import Sent, sent, story

NBIRTH, DBIRTH = MessageType.NBIRTH, MessageType.DBIRTH


def bd_seq(message: Sent) -> int:
    """The bdSeq of a birth or death."""
    (found,) = (metric for metric in message.payload.metrics if metric.name == BD_SEQ)
    assert found.datatype == DataType.INT64
    return found.long_value


def has_value(metric: Metric) -> bool:
    """A value and not null, or null and no value."""
    return metric.is_null is (metric.WhichOneof("value") is None)


def rebirth_metrics() -> list[Metric]:
    """The Rebirth metric of each NBIRTH."""
    found = [metric for metric in story().metrics(NBIRTH) if metric.name == REBIRTH]
    assert len(found) == len(story().of(NBIRTH))
    return found


@tck("topics-nbirth-topic", "message-flow-edge-node-birth-publish-nbirth-topic")
def test_nbirth_topic() -> None:
    """``spBv1.0/group/NBIRTH/node``."""
    assert {each.text for each in story().of(NBIRTH)} == {"spBv1.0/pavlodar/NBIRTH/potline-1"}


@tck("principles-birth-certificates-order")
def test_a_birth_is_the_first_message() -> None:
    """On each connection; a node that leaves before any birth publishes nothing itself."""
    talk = Conversation()
    talk.connect()
    talk.do(talk.session.leave(talk.now))

    assert story().messages[0].topic.type is NBIRTH
    assert talk.sent == []
    assert talk.disconnects == 1


@tck("message-flow-edge-node-birth-publish-nbirth-payload")
def test_nbirth_payload() -> None:
    """A protobuf payload with time, seq and metrics."""
    for each in story().of(NBIRTH):
        assert each.payload.HasField("timestamp")
        assert each.payload.HasField("seq")
        assert len(each.payload.metrics) == len(ALIASES[""]) + 2  # and bdSeq and Rebirth


@tck("topics-nbirth-seq-num")
def test_nbirth_seq_is_zero() -> None:
    """After a rebirth as well."""
    assert [each.payload.seq for each in story().of(NBIRTH)] == [0, 0, 0]


@tck(
    "message-flow-edge-node-birth-publish-nbirth-payload-seq",
    "payloads-nbirth-seq",
    "payloads-sequence-num-req-nbirth",
)
def test_nbirth_has_a_seq() -> None:
    """It is there although it is 0, within 0 to 255."""
    for each in story().of(NBIRTH):
        assert each.payload.HasField("seq")
        assert 0 <= each.payload.seq <= 255


@tck("topics-nbirth-timestamp", "payloads-nbirth-timestamp")
def test_nbirth_timestamp() -> None:
    """The time at which it is sent."""
    assert all(each.payload.timestamp == each.at_ms for each in story().of(NBIRTH))


@tck("topics-nbirth-metric-reqs", "operational-behavior-data-publish-nbirth")
def test_nbirth_declares_all_that_ndata_reports() -> None:
    """Every alias of an NDATA stands in the NBIRTH of its session."""
    reported = 0
    for session in story().sessions():
        declared = {metric.alias for metric in session[0].payload.metrics}
        for each in session:
            if each.topic.type is MessageType.NDATA:
                reported += len(each.payload.metrics)
                assert {metric.alias for metric in each.payload.metrics} <= declared
    assert reported


@tck("topics-nbirth-metrics")
def test_nbirth_metrics() -> None:
    """Name, datatype, and the value or null."""
    for metric in story().metrics(NBIRTH):
        assert metric.name
        assert DataType(metric.datatype) is not DataType.UNKNOWN
        assert has_value(metric)


@tck("operational-behavior-data-publish-nbirth-values")
def test_nbirth_values() -> None:
    """The current value of a tag of the node; null and no value before its first reading."""
    found = [metric for metric in story().metrics(NBIRTH) if metric.name == "node/load"]

    assert [(metric.is_null, metric.double_value) for metric in found] == [
        (True, 0.0),
        (False, 2.0),
        (False, 2.0),
    ]
    assert not found[0].HasField("double_value")


@tck(
    "topics-nbirth-bdseq-included",
    "payloads-nbirth-bdseq",
    "message-flow-edge-node-birth-publish-nbirth-payload-bdSeq",
)
def test_nbirth_has_the_bd_seq() -> None:
    """One metric bdSeq of type Int64 in each, 0 to 255."""
    assert all(0 <= bd_seq(each) <= 255 for each in story().of(NBIRTH))


@tck("topics-nbirth-bdseq-matching")
def test_the_bd_seq_is_that_of_the_will() -> None:
    """Of the will of the connection on which the birth goes out."""
    first, again, second = story().of(NBIRTH)

    assert [bd_seq(will) for will in story().wills] == [0, 1]
    assert (bd_seq(first), bd_seq(again), bd_seq(second)) == (0, 0, 1)


@tck("topics-nbirth-bdseq-increment")
def test_the_bd_seq_grows_by_one_with_each_connect() -> None:
    """From 0 in the first connection of a spool, with 0 behind 255; births or not."""
    talk = Conversation()
    found = []
    for _ in range(257):
        found.append(bd_seq(sent(talk.connect())))
        talk.lose_connection()

    assert found == [*range(256), 0]


@tck("payloads-nbirth-bdseq-repeat")
def test_births_of_one_connection_have_one_bd_seq() -> None:
    """A rebirth repeats it."""
    first, again, _ = story().of(NBIRTH)

    assert bd_seq(first) == bd_seq(again)


@tck(
    "topics-nbirth-rebirth-metric",
    "payloads-nbirth-rebirth-req",
    "operational-behavior-data-commands-rebirth-name",
)
def test_every_nbirth_has_the_rebirth_metric() -> None:
    """``Node Control/Rebirth``, Boolean, false."""
    for metric in rebirth_metrics():
        assert metric.name == "Node Control/Rebirth"
        assert (metric.datatype, metric.boolean_value) == (DataType.BOOLEAN, False)


@tck("operational-behavior-data-commands-rebirth-name-aliases")
def test_rebirth_has_no_alias() -> None:
    """Although every other metric but bdSeq has one."""
    assert not any(metric.HasField("alias") for metric in rebirth_metrics())


@tck("operational-behavior-data-commands-rebirth-datatype")
def test_rebirth_is_boolean() -> None:
    """Type 11."""
    assert {metric.datatype for metric in rebirth_metrics()} == {11}


@tck("operational-behavior-data-commands-rebirth-value")
def test_rebirth_is_false() -> None:
    """A value, not null."""
    for metric in rebirth_metrics():
        assert metric.HasField("boolean_value")
        assert metric.boolean_value is False


@tck("topics-dbirth-topic", "message-flow-device-birth-publish-dbirth-topic")
def test_dbirth_topic() -> None:
    """``spBv1.0/group/DBIRTH/node/device``."""
    assert {each.text for each in story().of(DBIRTH)} == {
        "spBv1.0/pavlodar/DBIRTH/potline-1/plc",
        "spBv1.0/pavlodar/DBIRTH/potline-1/meter",
    }


@tck("message-flow-device-birth-publish-dbirth-match-edge-node-topic")
def test_dbirth_belongs_to_its_nbirth() -> None:
    """Same group, same node."""
    for session in story().sessions():
        nodes = {(each.topic.group, each.topic.node) for each in session}
        assert len(nodes) == 1


@tck("message-flow-device-birth-publish-dbirth-payload")
def test_dbirth_payload() -> None:
    """A protobuf payload with all metrics of the device."""
    for each in story().of(DBIRTH):
        assert each.topic.device is not None
        assert len(each.payload.metrics) == len(ALIASES[each.topic.device])


@tck("message-flow-device-birth-publish-nbirth-wait")
def test_no_dbirth_before_the_nbirth() -> None:
    """Of the same connection: devices found while the host is away wait."""
    talk = Conversation()
    talk.links(plc=True)
    talk.connect()
    talk.links(meter=True)
    assert talk.sent == []
    talk.state(online=True)

    assert talk.kinds() == ["NBIRTH", "DBIRTH plc", "DBIRTH meter"]


@tck("payloads-dbirth-order")
def test_dbirths_stand_between_nbirth_and_data() -> None:
    """All that are there are born first; one found later is born then, before its own data."""
    talk = Conversation(limits=Limits(replay_readings_per_s=1e9))
    talk.read(1.0, plc=True)
    talk.connect()
    talk.state(online=True)
    talk.wait(1)
    talk.read(2.0, tag="meter/e", meter=True)

    assert talk.kinds() == ["NBIRTH", "DBIRTH plc", "DDATA plc", "DBIRTH meter", "DDATA meter"]


@tck(
    "topics-dbirth-seq",
    "message-flow-device-birth-publish-dbirth-payload-seq",
    "payloads-dbirth-seq",
    "payloads-dbirth-seq-inc",
)
def test_dbirth_seq() -> None:
    """There, and one more than that of the message before it, which may be of any type."""
    for before, each in story().pairs(DBIRTH):
        assert each.payload.HasField("seq")
        assert each.payload.seq == (before.payload.seq + 1) % 256


@tck("topics-dbirth-timestamp", "payloads-dbirth-timestamp")
def test_dbirth_timestamp() -> None:
    """The time at which it is sent."""
    assert all(each.payload.timestamp == each.at_ms for each in story().of(DBIRTH))


@tck("topics-dbirth-metric-reqs", "operational-behavior-data-publish-dbirth")
def test_dbirth_declares_all_that_ddata_reports() -> None:
    """Every alias of a DDATA stands in the newest DBIRTH of its device."""
    declared: dict[str | None, set[int]] = {}
    for each in story().messages:
        aliases = {metric.alias for metric in each.payload.metrics}
        if each.topic.type is DBIRTH:
            declared[each.topic.device] = aliases
        elif each.topic.type is MessageType.DDATA:
            assert aliases <= declared[each.topic.device]
    assert len(declared) == 2


@tck("topics-dbirth-metrics")
def test_dbirth_metrics() -> None:
    """Name, datatype, and the value or null."""
    for metric in story().metrics(DBIRTH):
        assert metric.name
        assert DataType(metric.datatype) in (DataType.DOUBLE, DataType.UINT64)
        assert has_value(metric)


@tck("operational-behavior-data-publish-dbirth-values")
def test_dbirth_values() -> None:
    """The newest value of each tag with its own time; null and no value before the first."""
    talk = Conversation(host=None)
    talk.read(1.0, 2.0, plc=True)
    read_ms = talk.utc_ms
    talk.wait(5)
    talk.connect()
    (birth,) = (decode(each.payload) for each in talk.of(DBIRTH))
    known, unknown = (
        next(metric for metric in birth.metrics if metric.name == name)
        for name in ("line/a", "line/b")
    )

    assert (known.double_value, known.timestamp) == (2.0, read_ms)
    assert unknown.is_null
    assert not unknown.HasField("double_value")


@tck("message-flow-device-dcmd-subscribe")
def test_device_commands_are_listened_to_where_a_metric_is_writable() -> None:
    """At QoS 1 as all subscriptions, before any birth; without such a metric not at all."""
    found = []
    for writable in ({}, {"plc": {"line/a": (0.0, 10.0)}}):
        talk = Conversation()
        identity = Identity("pavlodar", "potline-1", "ertis")
        talk.session = EdgeSession(
            identity, ALIASES, talk.store.holdings(), Limits(), writable=writable
        )
        talk.connect()
        assert talk.sent == []
        found.append([topic for topic in talk.subscribed if "DCMD" in topic])

    assert found == [[], ["spBv1.0/pavlodar/DCMD/potline-1/+"]]
