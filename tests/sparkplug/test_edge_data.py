"""NDATA and DDATA of an edge node."""

import pytest

from edge.delivery import Limits
from edge.exception import ExceptionReport, Rule
from edge.frame import encode
from schemas.reading import Reading
from schemas.sparkplug.payload import decode
from tests.edge.conversation import ALIASES, Conversation
from tests.sparkplug.register import tck
from tests.sparkplug.story import DATA, SEQUENCED, story

NDATA, DDATA = DATA
LOAD, POSITION = ALIASES[""]["node/load"], ALIASES[""]["Spool/Position"]


@tck("topics-ndata-topic")
def test_ndata_topic() -> None:
    """``spBv1.0/group/NDATA/node``."""
    assert {each.text for each in story().of(NDATA)} == {"spBv1.0/pavlodar/NDATA/potline-1"}


@tck("topics-ddata-topic")
def test_ddata_topic() -> None:
    """``spBv1.0/group/DDATA/node/device``."""
    assert {each.text for each in story().of(DDATA)} == {
        "spBv1.0/pavlodar/DDATA/potline-1/plc",
        "spBv1.0/pavlodar/DDATA/potline-1/meter",
    }


@tck("topics-ndata-timestamp", "payloads-ndata-timestamp")
def test_ndata_timestamp() -> None:
    """The time at which it is sent, whatever the time of its values."""
    assert all(each.payload.timestamp == each.at_ms for each in story().of(NDATA))


@tck("topics-ddata-timestamp", "payloads-ddata-timestamp")
def test_ddata_timestamp() -> None:
    """The time at which it is sent, history's too."""
    messages = story().of(DDATA)

    assert all(each.payload.timestamp == each.at_ms for each in messages)
    assert any(each.payload.metrics[0].timestamp < each.at_ms for each in messages)


@tck("topics-ndata-payload")
def test_ndata_carries_what_changed() -> None:
    """The tag that was read and the position of its frame, nothing else."""
    for each in story().of(NDATA):
        assert {metric.alias for metric in each.payload.metrics} == {LOAD, POSITION}


@tck("topics-ddata-payload")
def test_ddata_carries_what_changed() -> None:
    """The meter's tag and the position; not the tags of another device."""
    wanted = {ALIASES["meter"]["meter/e"], ALIASES["meter"]["Spool/Position"]}
    meters = [each for each in story().of(DDATA) if each.topic.device == "meter"]

    assert meters
    for each in meters:
        assert {metric.alias for metric in each.payload.metrics} == wanted


@tck("topics-ndata-seq-num", "payloads-ndata-seq", "payloads-ndata-seq-inc")
def test_ndata_seq() -> None:
    """There, and one more than that of the message before it."""
    for before, each in story().pairs(NDATA):
        assert each.payload.HasField("seq")
        assert each.payload.seq == (before.payload.seq + 1) % 256


@tck("topics-ddata-seq-num", "payloads-ddata-seq", "payloads-ddata-seq-inc")
def test_ddata_seq() -> None:
    """There, and one more than that of the message before it."""
    for before, each in story().pairs(DDATA):
        assert each.payload.HasField("seq")
        assert each.payload.seq == (before.payload.seq + 1) % 256


@tck("payloads-sequence-num-always-included")
def test_every_message_of_a_session_has_a_seq() -> None:
    """Births, data and deaths of devices."""
    assert all(each.payload.HasField("seq") for each in story().of(*SEQUENCED))


@tck("payloads-sequence-num-incrementing")
def test_one_count_over_node_and_devices() -> None:
    """From 0 at the NBIRTH, one more each, 0 behind 255."""
    wrapped = False
    for session in story().sessions():
        numbers = [each.payload.seq for each in session if each.topic.type in SEQUENCED]
        assert numbers == [place % 256 for place in range(len(numbers))]
        wrapped |= len(numbers) > 256
    assert wrapped


@tck("payloads-ndata-order", "payloads-ddata-order")
@pytest.mark.parametrize("tag", ["node/load", "line/a"])
def test_no_data_before_the_births(tag: str) -> None:
    """Neither before the NBIRTH nor before the DBIRTH of a device that is there."""
    talk = Conversation(limits=Limits(replay_readings_per_s=1e9))
    talk.read(1.0, tag=tag, plc=True, meter=True)
    talk.connect()
    talk.read(2.0, tag=tag)
    assert talk.sent == []
    talk.state(online=True)
    talk.wait(1)

    kind = "NDATA" if tag == "node/load" else "DDATA plc"
    assert talk.kinds() == ["NBIRTH", "DBIRTH plc", "DBIRTH meter", kind, kind]


def reported(*values: float) -> list[float]:
    """What goes out of a tag that was scanned with these *values*, one a second."""
    talk = Conversation(host=None)
    talk.connect()
    talk.links(plc=True)
    report = ExceptionReport({"line/a": Rule(0.5, 60_000)})
    for second, value in enumerate(values):
        for each in report.filter([Reading("line/a", 1_000 * second, value)]):
            assert each.value is not None
            talk.read(each.value)
    return [decode(each.payload).metrics[0].double_value for each in talk.of(DDATA)]


@tck("principles-rbe-recommended")
def test_report_by_exception() -> None:
    """What did not change beyond its deadband is not sent."""
    assert reported(1.0, 1.0, 1.2, 1.0, 1.0) == [1.0]


@tck(
    "operational-behavior-data-publish-nbirth-change",
    "operational-behavior-data-publish-dbirth-change",
)
def test_changes_are_sent() -> None:
    """Each that counts, and only those."""
    assert reported(1.0, 2.0, 2.0, 2.1, 3.0) == [1.0, 2.0, 3.0]


@tck(
    "operational-behavior-data-publish-nbirth-order",
    "operational-behavior-data-publish-dbirth-order",
)
@pytest.mark.parametrize(("device", "tag"), [("", "node/load"), ("plc", "line/a")])
def test_values_stand_in_the_order_of_time(device: str, tag: str) -> None:
    """However they were read."""
    mixed = [Reading(tag, ts_ms, float(ts_ms)) for ts_ms in (3, 1, 2)]

    found = encode(mixed, ALIASES[device]).metrics

    assert [metric.timestamp for metric in found] == [1, 2, 3]
    for each in story().of(NDATA if not device else DDATA):
        times = [metric.timestamp for metric in each.payload.metrics]
        assert times == sorted(times)
