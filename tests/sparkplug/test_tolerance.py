"""What other people's nodes were seen to do: each is read, or harms nobody but its sender.

The faults are those of pysparkplug, mqtt-spb-wrapper, aiospb, sparkplug-client, Tahu and UMH.
"""

import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.decode import decode
from ingest.event import Born, Data, Died, Publish, Source, Unusable
from ingest.metric_table import MetricTable
from ingest.node import NodeState
from schemas.errors import SenderError
from schemas.quality import Quality
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.node import BD_SEQ
from schemas.sparkplug.payload import COMPRESSED, metric
from schemas.sparkplug.sparkplug_b_pb2 import Metric, Payload
from schemas.sparkplug.state import HostState
from tests.edge.conversation import Conversation as EdgeConversation
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

NODE_SOURCE = Source(GROUP, NODE)
PAYLOAD_MS = 1_800_000_000_000
TAGS = {"voltage": 1, "small": 2, "large": 3, "count": 4}
DECLARED = {
    "voltage": DataType.DOUBLE,
    "small": DataType.INT8,
    "large": DataType.INT32,
    "count": DataType.UINT32,
}


def read(sent: Metric) -> list[tuple[str, int, float | None]]:
    """Tag, time [ms] and value of what a host makes of a DDATA with one metric."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth())
    declared = [birth_metric(name, TAGS[name], type_) for name, type_ in DECLARED.items()]
    (born,) = talk.hear("DBIRTH", device_birth(*declared), DEVICE)
    (heard,) = talk.hear("DDATA", data(sent, seq=2, ts_ms=PAYLOAD_MS), DEVICE)
    assert isinstance(born, Born)
    assert isinstance(heard, Data)
    table = MetricTable(born.source, born.data.payload, lambda _, name: TAGS.get(name))
    columns = decode(heard, table).columns
    names = {tag: name for name, tag in TAGS.items()}
    return [
        (names[int(tag)], int(ts_ms), None if null else float(value))
        for tag, ts_ms, value, null in zip(
            columns.tag_id, columns.ts_ms, columns.value, columns.null, strict=True
        )
    ]


@pytest.mark.parametrize(
    ("alias", "field", "raw"),
    [
        (TAGS["small"], "int_value", 251),
        (TAGS["small"], "int_value", 65_531),
        (TAGS["small"], "int_value", 4_294_967_291),
        (TAGS["small"], "long_value", 18_446_744_073_709_551_611),
        (TAGS["large"], "int_value", 4_294_967_291),
        (TAGS["large"], "long_value", 18_446_744_073_709_551_611),
    ],
)
def test_signs_are_extended_to_any_width(alias: int, field: str, raw: int) -> None:
    """-5 as pysparkplug, aiospb and Tahu write it."""
    sent = Metric(alias=alias, timestamp=1, **{field: raw})  # type: ignore[arg-type]

    ((_, _, value),) = read(sent)
    assert value == -5


@pytest.mark.parametrize("field", ["int_value", "long_value"])
def test_uint32_in_either_field(field: str) -> None:
    """Npm's codec uses the long one."""
    sent = Metric(alias=TAGS["count"], timestamp=1, **{field: 4_000_000_000})  # type: ignore[arg-type]

    assert read(sent) == [("count", 1, 4e9)]


@pytest.mark.parametrize(
    "sent",
    [
        Metric(alias=1, timestamp=5, double_value=4.5),
        Metric(alias=1, timestamp=5, double_value=4.5, datatype=DataType.DOUBLE),
        Metric(name="voltage", alias=1, timestamp=5, double_value=4.5),
        Metric(name="voltage", timestamp=5, double_value=4.5),
        Metric(name="voltage", timestamp=5, double_value=4.5, datatype=DataType.DOUBLE),
    ],
    ids=["alias", "alias and type", "both", "name", "name and type"],
)
def test_data_by_name_or_alias_with_a_type_or_without(sent: Metric) -> None:
    """Whatever the specification would have."""
    assert read(sent) == [("voltage", 5, 4.5)]


def test_a_metric_without_a_time_has_the_payload_s() -> None:
    """Sparkplug 3.0 asks for one each; older nodes give none."""
    assert read(Metric(alias=1, double_value=4.5)) == [("voltage", PAYLOAD_MS, 4.5)]


def test_null_with_a_value_is_null() -> None:
    """The flag counts."""
    assert read(Metric(alias=1, timestamp=5, is_null=True, double_value=4.5)) == [
        ("voltage", 5, None)
    ]


@pytest.mark.parametrize("datatype", [DataType.INT64, DataType.UINT64, DataType.INT32])
def test_a_bd_seq_of_any_integer_type(datatype: DataType) -> None:
    """Births and deaths find each other all the same."""
    own = metric(7, datatype, 1, name=BD_SEQ)
    payload = Payload(timestamp=1, seq=0, metrics=[own]).SerializeToString()
    talk = Conversation()
    (born,) = talk.hear("NBIRTH", payload)

    assert isinstance(born, Born)
    assert born.bd_seq == 7
    assert talk.hear("NDEATH", death(6)) == []
    assert [type(event) for event in talk.hear("NDEATH", payload)] == [Died]


def test_a_node_without_bd_seq_dies_by_any_death() -> None:
    """There is nothing to compare."""
    talk = Conversation()
    talk.hear("NBIRTH", Payload(timestamp=1, seq=0).SerializeToString())

    assert [type(event) for event in talk.hear("NDEATH", death(3))] == [Died]


def test_a_device_born_behind_data() -> None:
    """Devices are found late; nothing is asked."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth(metrics=[birth_metric("voltage", 1)]))
    talk.hear("NDATA", data(metric(1.0, DataType.DOUBLE, 1, alias=1), seq=1))
    (born,) = talk.hear("DBIRTH", device_birth(birth_metric("small", 2), seq=2), DEVICE)

    assert isinstance(born, Born)
    assert talk.wait(60_000) == []


def test_an_nbirth_whose_seq_is_not_zero() -> None:
    """The count goes on from it."""
    talk = Conversation()
    talk.hear("NBIRTH", node_birth(seq=17))
    talk.hear("DBIRTH", device_birth(birth_metric("voltage", 1), seq=18), DEVICE)

    assert talk.host.state_of(NODE_SOURCE) is NodeState.LIVE
    assert talk.wait(60_000) == []


def test_retained_births_are_no_proof_of_life() -> None:
    """UMH retains them: the node is asked, and lives only when it answers."""
    talk = Conversation()
    assert talk.host.receive(topic("NBIRTH"), node_birth(), talk.now_ms, retained=True) == []
    assert talk.host.state_of(NODE_SOURCE) is NodeState.UNBORN
    (request,) = talk.wait(10_000)

    assert isinstance(request, Publish)
    assert request.topic == topic("NCMD")


def test_two_ndeaths_of_one_session() -> None:
    """One that is published, and the will behind DISCONNECT 0x04: the second says nothing new."""
    talk = Conversation()
    talk.live()

    assert [type(event) for event in talk.hear("NDEATH", death(0))] == [Died]
    assert talk.hear("NDEATH", death(0)) == []


@pytest.mark.parametrize(
    ("where", "payload"),
    [
        (f"spBv1.0/{GROUP}/STATE/scada", b"ONLINE"),
        ("STATE/scada", b"OFFLINE"),
        ("STATE/ertis", b"OFFLINE"),
    ],
)
def test_states_of_older_hosts_move_nobody(where: str, payload: bytes) -> None:
    """Of Sparkplug 2, and of mqtt-spb-wrapper: an edge node waits on, a host puts them aside."""
    edge = EdgeConversation().born()
    edge.message(where, payload)
    (aside,) = Conversation().host.receive(where, payload, 1)

    assert edge.disconnects == 0
    assert isinstance(aside, Unusable)


def test_a_state_in_words_at_our_own_topic() -> None:
    """It is not ours, so ours is said again."""
    talk = Conversation()
    *_, birth = talk.host.connected(5, 5)

    assert talk.host.receive("spBv1.0/STATE/ertis", b"OFFLINE", 6) == [birth]
    assert talk.host.receive("spBv1.0/STATE/scada", b"ONLINE", 6) == []


def test_compressed_messages() -> None:
    """Tahu's JavaScript client can be told to; a spoiled one is put aside whole."""
    talk = Conversation()
    body = zlib.compress(node_birth(bd_seq=9))
    (born,) = talk.hear("NBIRTH", Payload(uuid=COMPRESSED, body=body).SerializeToString())
    spoiled = Payload(uuid=COMPRESSED, body=body[:-3]).SerializeToString()
    (aside,) = talk.hear("NBIRTH", spoiled)

    assert isinstance(born, Born)
    assert born.bd_seq == 9
    assert isinstance(aside, Unusable)
    assert (aside.reason, aside.raw) == ("payload", spoiled)


VALID = [
    ("NBIRTH", node_birth(spool="s1"), None),
    ("DBIRTH", device_birth(birth_metric("voltage", 1)), DEVICE),
    ("DDATA", data(metric(1.0, DataType.DOUBLE, 1, alias=1, quality=Quality.BAD), seq=2), DEVICE),
    ("DDEATH", data(seq=3), DEVICE),
    ("NDEATH", death(0), None),
]


@st.composite
def spoiled(draw: st.DrawFn) -> tuple[str, bytes, str | None]:
    """A message that is cut short, changed in a few bytes, or noise."""
    kind, payload, device = draw(st.sampled_from(VALID))
    match draw(st.integers(0, 2)):
        case 0:
            return kind, payload[: draw(st.integers(0, len(payload)))], device
        case 1:
            changed = bytearray(payload)
            for _ in range(draw(st.integers(1, 4))):
                changed[draw(st.integers(0, len(changed) - 1))] = draw(st.integers(0, 255))
            return kind, bytes(changed), device
        case _:
            return kind, draw(st.binary(max_size=60)), device


@given(st.lists(spoiled(), max_size=12))
def test_spoiled_messages_disturb_no_other_node(
    messages: list[tuple[str, bytes, str | None]],
) -> None:
    """No error gets out of the host's session, and the neighbour's values come through."""
    talk = Conversation()
    head = f"spBv1.0/{GROUP}"
    talk.host.receive(f"{head}/NBIRTH/good", node_birth(), 1)
    talk.host.receive(f"{head}/DBIRTH/good/plc", device_birth(birth_metric("voltage", 1)), 1)
    for seq, (kind, payload, device) in enumerate(messages, 2):
        talk.hear(kind, payload, device)
        value = data(metric(float(seq), DataType.DOUBLE, 1, alias=1), seq=seq)
        (heard,) = talk.host.receive(f"{head}/DDATA/good/plc", value, 1)
        assert isinstance(heard, Data)
        assert heard.payload.metrics[0].double_value == seq
    assert talk.host.state_of(Source(GROUP, "good")) is NodeState.LIVE


@given(st.lists(spoiled(), max_size=12), st.sampled_from(["NCMD/potline-1", "STATE/ertis"]))
def test_spoiled_commands_cost_an_edge_node_nothing(
    messages: list[tuple[str, bytes, str | None]], where: str
) -> None:
    """No error gets out of the edge's session, and no frame that is not in the database is lost."""
    talk = EdgeConversation().born()
    talk.read(1.0)
    head = "spBv1.0" if where.startswith("STATE") else f"spBv1.0/{GROUP}"
    for _, payload, _ in messages:
        talk.message(f"{head}/{where}", payload)
    if talk.session.through == 0:  # a spoiled command may by chance be a valid one
        assert list(talk.store.frames) == [1]


@given(st.binary(max_size=80))
def test_a_state_is_read_or_refused(payload: bytes) -> None:
    """Nothing but the sender's error comes out."""
    with suppress(SenderError):
        HostState.decode(payload)
