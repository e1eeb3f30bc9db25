"""docs/telemetry.schema.json and docs/asyncapi.yaml against the code."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from pydantic import TypeAdapter

from schemas import telemetry
from schemas.sparkplug.state import HostState
from schemas.sparkplug.topic import MessageType, Topic, state_topic

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA_FILE = DOCS / "telemetry.schema.json"
API: Mapping[str, Any] = yaml.safe_load((DOCS / "asyncapi.yaml").read_text())


def generated() -> dict[str, Any]:
    """The schema as the models say it: one sample, or many."""
    adapter: TypeAdapter[Any] = TypeAdapter(telemetry.Sample | telemetry.Telemetry)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Message of telemetry/<asset path>",
        **adapter.json_schema(),
    }


def test_schema_is_that_of_the_models() -> None:
    """The file is what the models generate; if not, it is written anew, to be looked at."""
    right = json.dumps(generated(), indent=2) + "\n"
    found = SCHEMA_FILE.read_text() if SCHEMA_FILE.exists() else ""
    if found != right:
        SCHEMA_FILE.write_text(right)

    assert found == right, f"{SCHEMA_FILE.name} was out of date and is written anew: commit it"


def resolve(reference: str) -> Any:  # noqa: ANN401 - any part of it
    """What a local reference points at."""
    found: Any = API
    for step in reference.removeprefix("#/").split("/"):
        found = found[step.replace("~1", "/").replace("~0", "~")]
    return found


def references(part: object) -> Iterator[str]:
    """Every ``$ref`` below *part*."""
    if isinstance(part, dict):
        for key, value in part.items():
            if key == "$ref":
                yield value
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in part:
            yield from references(value)


def test_references_resolve() -> None:
    """Each points at a part of the document, or at a file that is there."""
    found = list(references(API))

    assert found
    for reference in found:
        if reference.startswith("#/"):
            assert resolve(reference)
        else:
            assert (DOCS / reference).is_file()


def test_version_and_operations() -> None:
    """AsyncAPI 3.0; every operation has a direction, a channel and its quality of service."""
    assert API["asyncapi"] == "3.0.0"
    for operation in API["operations"].values():
        assert operation["action"] in {"send", "receive"}
        assert operation["bindings"]["mqtt"]["qos"] in {0, 1}
        assert resolve(operation["channel"]["$ref"])["address"]


EXAMPLES = [
    example["payload"] for example in API["components"]["messages"]["telemetry"]["examples"]
]


@pytest.mark.parametrize("example", EXAMPLES)
def test_examples_are_valid_and_are_understood(example: object) -> None:
    """By the schema, and by the code that reads such messages."""
    Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).validate(example)

    assert list(telemetry.decode("telemetry/a/b", json.dumps(example).encode()))


@pytest.mark.parametrize(
    "wrong",
    [{}, {"ts": 1}, {"ts": 1, "values": {}}, {"ts": 1.5, "values": {"x": 1}}, {"readings": []}],
)
def test_schema_refuses_what_the_code_refuses(wrong: object) -> None:
    """The schema promises no more than is true."""
    assert not Draft202012Validator(json.loads(SCHEMA_FILE.read_text())).is_valid(wrong)


def test_topics_are_those_of_the_code() -> None:
    """The addresses, filled in, are topics that the code reads or writes."""
    filled = {
        name: channel["address"].format(
            asset="a/b", group="g", node="n", device="d", host="ertis", type="DDATA"
        )
        for name, channel in API["channels"].items()
    }

    assert telemetry.asset_of(filled["telemetry"]) == "a/b"
    assert filled["hostState"] == state_topic("ertis")
    for name, address in filled.items():
        if name not in {"telemetry", "hostState"}:
            assert Topic.parse(address).type in MessageType
    [state] = API["components"]["messages"]["hostState"]["examples"]
    assert HostState.model_validate(state["payload"]).online
