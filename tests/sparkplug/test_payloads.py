"""What stands in a payload: times, names, aliases, types, properties.

Data sets and templates are not used: none goes out, and those of others do no harm.
"""

import time

import pytest

from edge import agent
from ingest.acks import Acknowledgements
from ingest.event import Born, Data, Source, Spool
from schemas.quality import Quality
from schemas.reading import Reading
from schemas.sparkplug.datatype import DataType, read_value
from schemas.sparkplug.node import COMMIT_THROUGH
from schemas.sparkplug.payload import decode, metric, read_quality
from schemas.sparkplug.sparkplug_b_pb2 import DataSet, Metric, Template
from schemas.sparkplug.topic import MessageType
from tests.edge.conversation import Conversation
from tests.ingest.conversation import Conversation as HostConversation
from tests.ingest.conversation import birth_metric, data, device_birth, node_birth
from tests.sparkplug.register import STATEMENTS, Status, tck
from tests.sparkplug.story import BIRTHS, DATA, story

ALL = (*BIRTHS, *DATA)
#: 2000-01-01 and 2100-01-01 [UTC ms]: seconds or microseconds would fall outside.
CENTURY = range(946_684_800_000, 4_102_444_800_000)


@tck("payloads-timestamp-in-UTC")
def test_payload_times_are_utc_milliseconds() -> None:
    """The agent's clock counts them, and sends them as they are."""
    before = time.time()
    now_ms = agent._now().utc_ms
    after = time.time()

    assert int(before * 1000) <= now_ms <= after * 1000
    for each in story().messages:
        assert each.payload.timestamp == each.at_ms
        assert each.payload.timestamp in CENTURY


@tck("payloads-metric-timestamp-in-UTC")
def test_metric_times_are_utc_milliseconds() -> None:
    """Those of the readings, which no message changes."""
    read = [each.timestamp for each in story().metrics(*DATA)]

    assert all(each in CENTURY for each in read)
    talk = Conversation(host=None)
    talk.connect()
    frame = talk.read(1.0, plc=True)
    assert frame.position == 1
    (sent,) = talk.of(MessageType.DDATA)
    assert decode(sent.payload).metrics[0].timestamp == talk.utc_ms


@tck("payloads-name-requirement")
def test_metrics_have_a_name_or_an_alias() -> None:
    """Every metric that goes out."""
    assert all(each.name or each.HasField("alias") for each in story().metrics(*ALL))


@tck("payloads-alias-uniqueness")
def test_aliases_are_unique_over_a_node_and_its_devices() -> None:
    """In one session an alias means one metric of one source."""
    for session in story().sessions():
        meanings: dict[int, tuple[str | None, str]] = {}
        for each in session:
            if each.topic.type in BIRTHS:
                for found in each.payload.metrics:
                    if found.HasField("alias"):
                        meaning = each.topic.device, found.name
                        assert meanings.setdefault(found.alias, meaning) == meaning
        assert len(meanings) > 5


@tck("payloads-alias-birth-requirement")
def test_births_give_name_and_alias() -> None:
    """Of every metric that has an alias: all but bdSeq and Rebirth."""
    plain = [each.name for each in story().metrics(*BIRTHS) if not each.HasField("alias")]

    assert all(each.name for each in story().metrics(*BIRTHS))
    assert set(plain) == {"bdSeq", "Node Control/Rebirth"}


@tck("payloads-alias-data-cmd-requirement")
def test_data_and_commands_give_the_alias_alone() -> None:
    """NDATA and DDATA of the node, NCMD of the host where the birth gave an alias."""
    source = Source("g", "n")
    acks = Acknowledgements(0)
    acks.born(source, Spool("s", 5, 77))
    (command,) = acks.due(1)
    (commit,) = decode(command.payload).metrics

    for each in (*story().metrics(*DATA), commit):
        assert each.HasField("alias")
        assert not each.HasField("name")


@tck("payloads-name-birth-data-requirement")
def test_metrics_of_births_and_data_have_a_time() -> None:
    """Each its own."""
    assert all(each.HasField("timestamp") for each in story().metrics(*ALL))


@tck("payloads-name-cmd-requirement")
def test_metrics_of_commands_may_have_a_time() -> None:
    """The node follows a command either way."""
    with_time = metric(1, DataType.UINT64, 1, name=COMMIT_THROUGH)
    without = metric(2, DataType.UINT64, 1, name=COMMIT_THROUGH)
    without.ClearField("timestamp")
    talk = Conversation().born()
    talk.read(1.0)
    talk.read(2.0)

    for place, each in enumerate((with_time, without), 1):
        talk.command(data(each, seq=0))
        assert talk.session.through == place


@tck("payloads-metric-datatype-value-type")
def test_the_datatype_is_a_uint32_field() -> None:
    """Field 4 as a varint, which is how protobuf writes a uint32."""
    assert Metric(datatype=DataType.DOUBLE).SerializeToString() == bytes([4 << 3, 10])


@tck("payloads-metric-datatype-value")
def test_the_datatype_is_one_of_the_specification() -> None:
    """1 to 34."""
    assert {each.datatype for each in story().metrics(*BIRTHS)} <= set(range(1, 35))


@tck("payloads-metric-datatype-req")
def test_births_give_the_datatype() -> None:
    """Of every metric."""
    assert all(each.HasField("datatype") for each in story().metrics(*BIRTHS))


@tck("payloads-metric-datatype-not-req")
def test_data_gives_no_datatype() -> None:
    """The birth has said it."""
    assert not any(each.HasField("datatype") for each in story().metrics(*DATA))


def bad_metrics() -> list[Metric]:
    """Metrics with properties, as births and data carry them: one of each quality."""
    talk = Conversation(host=None)
    talk.connect()
    readings = [
        Reading("line/a", 1, 1.0, Quality.BAD),
        Reading("line/a", 2, 1.0, Quality.UNCERTAIN),
        Reading("line/a", 3, 1.0, Quality.STALE),
        Reading("line/b", 4, 1.0, Quality.BAD),
    ]
    frame = talk.store.commit("plc", readings)
    talk.do(talk.session.committed([frame], readings, {"plc": True}, talk.now))
    found = [
        each
        for publish in talk.sent
        for each in decode(publish.payload).metrics
        if each.HasField("properties")
    ]
    assert len(found) == 2 + 4
    return found


@tck("payloads-propertyset-keys-array-size", "payloads-propertyset-values-array-size")
def test_keys_and_values_of_properties_pair_up() -> None:
    """As many keys as values."""
    for each in bad_metrics():
        assert len(each.properties.keys) == len(each.properties.values) > 0


@tck("payloads-metric-propertyvalue-type-type", "payloads-metric-propertyvalue-type-req")
def test_property_values_have_a_type() -> None:
    """A uint32 field that is always there."""
    for each in bad_metrics():
        assert all(value.HasField("type") for value in each.properties.values)


@tck("payloads-metric-propertyvalue-type-value")
def test_the_type_of_a_property_is_one_of_the_specification() -> None:
    """Int32, and the value stands in its field."""
    for each in bad_metrics():
        for value in each.properties.values:
            assert value.type == DataType.INT32
            assert value.WhichOneof("value") == "int_value"


@tck("payloads-propertyset-quality-value-type")
def test_quality_is_an_int32() -> None:
    """The property of that name."""
    for each in bad_metrics():
        place = list(each.properties.keys).index("Quality")
        assert each.properties.values[place].type == DataType.INT32


@tck("payloads-propertyset-quality-value-value")
def test_quality_is_bad_good_or_stale() -> None:
    """0, 192 or 500; an uncertain reading goes out as bad, and is uncertain again when read."""
    found = bad_metrics()

    for each in found:
        place = list(each.properties.keys).index("Quality")
        assert each.properties.values[place].int_value in {0, 192, 500}
    assert {read_quality(each) for each in found} == {
        Quality.BAD,
        Quality.UNCERTAIN,
        Quality.STALE,
    }


DATA_SET = Metric(name="s", datatype=DataType.DATASET, timestamp=1, dataset_value=DataSet())
TEMPLATE = Metric(name="t", datatype=DataType.TEMPLATE, timestamp=1, template_value=Template())
NOT_USED = {
    word: [
        id_.removeprefix("tck-id-")
        for id_, statement in STATEMENTS.items()
        if statement.status is Status.NOT_USED and word in statement.reason
    ]
    for word in ("data set", "template")
}


def skipped(foreign: Metric) -> None:
    """A birth and a message with *foreign* and a reading: the session and the reading go on."""
    talk = HostConversation()
    (born,) = talk.hear("NBIRTH", node_birth(metrics=[foreign]))
    assert isinstance(born, Born)
    talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1), foreign), "plc")
    value = metric(4.0, DataType.DOUBLE, 1, alias=1)
    (heard,) = talk.hear("DDATA", data(foreign, value, seq=2), "plc")
    assert isinstance(heard, Data)
    with pytest.raises(LookupError, match=DataType(foreign.datatype).name):
        read_value(heard.payload.metrics[0], DataType(foreign.datatype))
    assert read_value(heard.payload.metrics[1], DataType.DOUBLE) == 4.0


@tck(*NOT_USED["data set"])
def test_data_sets_are_not_used() -> None:
    """None goes out; one that comes in is skipped and its neighbour is read."""
    assert not any(each.HasField("dataset_value") for each in story().metrics(*ALL))
    skipped(DATA_SET)


@tck(*NOT_USED["template"])
def test_templates_are_not_used() -> None:
    """None goes out; one that comes in is skipped and its neighbour is read."""
    assert not any(each.HasField("template_value") for each in story().metrics(*ALL))
    skipped(TEMPLATE)
