"""Topics and the ids in them."""

from pathlib import Path

import pytest

from edge.config import load_config
from ingest.event import Born, Data, Source
from ingest.node import NodeState
from ingest.session import HostSession, SessionPolicy
from schemas.errors import ConfigError, PlantError, TopicError
from schemas.plant.file import parse_plant
from schemas.sparkplug.datatype import DataType
from schemas.sparkplug.payload import metric
from schemas.sparkplug.topic import MessageType, Topic
from tests.edge.files import write_agent
from tests.ingest.conversation import birth_metric, data, device_birth, node_birth
from tests.ingest.plant import PLANT
from tests.sparkplug.register import tck
from tests.sparkplug.story import story

ODD_IDS = ["Цех 1", "potline-1", "a.b", "$x", "наладка\N{SNOWMAN}", " "]
RESERVED = ["a+b", "a/b", "a#b", "+", "/", "#"]


@tck("topic-structure")
@pytest.mark.parametrize("kind", MessageType)
def test_topics_have_one_form(kind: MessageType) -> None:
    """``namespace/group/type/node``, and the device behind it for the D types."""
    device = "plc" if kind.of_device else None
    text = f"spBv1.0/g/{kind}/n" + ("/plc" if device else "")

    assert str(Topic("g", kind, "n", device)) == text
    assert Topic.parse(text) == Topic("g", kind, "n", device)


@tck("topic-structure-namespace-a")
def test_the_namespace() -> None:
    """``spBv1.0``, written and demanded."""
    assert {each.text.split("/")[0] for each in story().messages} == {"spBv1.0"}
    for other in ("spAv1.0", "spBv1.1", "SPBV1.0", ""):
        with pytest.raises(TopicError, match=r"is not spBv1\.0"):
            Topic.parse(f"{other}/g/NDATA/n")


@tck("intro-group-id-string", "topic-structure-namespace-valid-group-id")
@pytest.mark.parametrize("word", ODD_IDS)
def test_a_group_id_is_any_utf_8(word: str) -> None:
    """It goes out and comes back as it is."""
    assert Topic.parse(str(Topic(word, MessageType.NDATA, "n"))).group == word


@tck("intro-edge-node-id-string", "topic-structure-namespace-valid-edge-node-id")
@pytest.mark.parametrize("word", ODD_IDS)
def test_an_edge_node_id_is_any_utf_8(word: str) -> None:
    """It goes out and comes back as it is."""
    assert Topic.parse(str(Topic("g", MessageType.NDATA, word))).node == word


@tck("intro-device-id-string", "topic-structure-namespace-valid-device-id")
@pytest.mark.parametrize("word", ODD_IDS)
def test_a_device_id_is_any_utf_8(word: str) -> None:
    """It goes out and comes back as it is."""
    assert Topic.parse(str(Topic("g", MessageType.DDATA, "n", word))).device == word


@tck("intro-group-id-chars", "topic-structure-namespace-valid-group-id")
@pytest.mark.parametrize("word", [*RESERVED, ""])
def test_reserved_characters_in_a_group_id(word: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(TopicError, match="group id"):
        Topic(word, MessageType.NDATA, "n")


@tck("intro-edge-node-id-chars", "topic-structure-namespace-valid-edge-node-id")
@pytest.mark.parametrize("word", [*RESERVED, ""])
def test_reserved_characters_in_an_edge_node_id(word: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(TopicError, match="edge node id"):
        Topic("g", MessageType.NDATA, word)


@tck("intro-device-id-chars", "topic-structure-namespace-valid-device-id")
@pytest.mark.parametrize("word", [*RESERVED, ""])
def test_reserved_characters_in_a_device_id(word: str) -> None:
    """Refused before anything is sent."""
    with pytest.raises(TopicError, match="device id"):
        Topic("g", MessageType.DDATA, "n", word)


def with_device(name: str) -> dict[str, str]:
    """A change of the agent's file: a second device, called *name*, beside ``plc``."""
    first = f'[[source]]\ntype = "modbus"\ndevice = "{name}"\nhost = "127.0.0.1"\n\n'
    return {"[[source]]": f"{first}[[source]]"}


@tck("topic-structure-namespace-unique-device-id")
def test_device_ids_are_unique_within_a_node(tmp_path: Path) -> None:
    """The agent's file is refused."""
    load_config(write_agent(tmp_path, changes=with_device("meter")))
    with pytest.raises(ConfigError, match="listed twice"):
        load_config(write_agent(tmp_path, changes=with_device("plc")))


@tck("case-sensitivity-sparkplug-ids")
def test_ids_do_not_differ_in_case_alone(tmp_path: Path) -> None:
    """The agent's file is refused."""
    with pytest.raises(ConfigError, match="in case alone"):
        load_config(write_agent(tmp_path, changes=with_device("PLC")))


@tck("case-sensitivity-metric-names")
def test_metric_names_have_one_case() -> None:
    """They are tag paths, and a plant's paths are in small letters."""
    parse_plant(PLANT)
    with pytest.raises(PlantError, match="line/Pot-1"):
        parse_plant(PLANT.replace("line/pot-1", "line/Pot-1"))


@tck("topic-structure-namespace-duplicate-device-id-across-edge-node")
def test_devices_of_two_nodes_may_have_one_name() -> None:
    """The host keeps them apart: a death of one is none of the other."""
    host = HostSession("ertis", ["g"], SessionPolicy(), lambda: 0.0)
    for node in ("north", "south"):
        host.receive(f"spBv1.0/g/NBIRTH/{node}", node_birth(), 1)
        (born,) = host.receive(
            f"spBv1.0/g/DBIRTH/{node}/plc", device_birth(birth_metric("x", 1)), 1
        )
        assert isinstance(born, Born)
    host.receive("spBv1.0/g/DDEATH/north/plc", data(seq=2), 2)
    value = data(metric(1.0, DataType.DOUBLE, 3, alias=1), seq=2)
    (heard,) = host.receive("spBv1.0/g/DDATA/south/plc", value, 3)

    assert isinstance(heard, Data)
    assert heard.source == Source("g", "south", "plc")
    assert host.state_of(Source("g", "north")) is NodeState.LIVE


@tck("topic-structure-namespace-device-id-associated-message-types")
@pytest.mark.parametrize("kind", ["DBIRTH", "DDEATH", "DDATA", "DCMD"])
def test_messages_of_devices_name_a_device(kind: str) -> None:
    """Without one they are refused, built or read."""
    with pytest.raises(TopicError, match="D types"):
        Topic("g", MessageType(kind), "n")
    with pytest.raises(TopicError, match="D types"):
        Topic.parse(f"spBv1.0/g/{kind}/n")


@tck("topic-structure-namespace-device-id-non-associated-message-types")
@pytest.mark.parametrize("kind", ["NBIRTH", "NDEATH", "NDATA", "NCMD"])
def test_messages_of_nodes_name_no_device(kind: str) -> None:
    """With one they are refused, built or read."""
    with pytest.raises(TopicError, match="D types"):
        Topic("g", MessageType(kind), "n", "plc")
    with pytest.raises(TopicError, match="D types"):
        Topic.parse(f"spBv1.0/g/{kind}/n/plc")
