"""The OpenAPI document: its examples are real, its page needs no network."""

from typing import Any

import httpx
import orjson
import pytest

from api.examples.every import EXAMPLES
from api.examples.example import Example
from tests.api.test_live import events


def document(client: httpx.Client) -> dict[str, Any]:
    """The OpenAPI document."""
    found: dict[str, Any] = client.get("/openapi.json").json()
    return found


def holds(real: Any, shown: Any) -> bool:  # noqa: ANN401 - any JSON
    """Whether *shown* is *real*, but for what is left out of objects and lists."""
    if isinstance(shown, dict):
        return isinstance(real, dict) and all(
            key in real and holds(real[key], value) for key, value in shown.items()
        )
    if isinstance(shown, list):
        return isinstance(real, list) and all(
            any(holds(one, wanted) for one in real) for wanted in shown
        )
    return bool(real == shown)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda one: f"{one.route} {one.title}")
def test_every_example_is_what_the_api_answers(demo: httpx.Client, example: Example) -> None:
    """Each is asked, and its answer compared."""
    with demo.stream("GET", example.url) as answer:
        assert answer.status_code == 200
        live = example.media_type == "text/event-stream"
        real = next(events(answer)).data if live else orjson.loads(answer.read())

    assert holds(real, example.body), real


def test_the_document_shows_them_whole(demo: httpx.Client) -> None:
    """Nulls included, under the route that they were asked of."""
    paths = document(demo)["paths"]
    for example in EXAMPLES:
        content = paths[example.route]["get"]["responses"]["200"]["content"]
        assert content[example.media_type]["examples"][example.title]["value"] == example.body


def test_every_parameter_and_route_is_described(demo: httpx.Client) -> None:
    """A summary, a description, and the same for each parameter that is no plain choice."""
    operations = [
        (path, operation)
        for path, route in document(demo)["paths"].items()
        for operation in route.values()
    ]
    for path, operation in operations:
        assert operation["summary"], path
        assert operation["description"], path
        for parameter in operation.get("parameters", ()):
            assert (
                parameter.get("description")
                or "$ref" in str(parameter["schema"])
                or (parameter["in"] == "path")
            ), (path, parameter)


def test_references_lead_somewhere(demo: httpx.Client) -> None:
    """No schema is named that is not there."""
    found = document(demo)
    known = found["components"]["schemas"]
    references = orjson.dumps(found).decode().split('"$ref":"#/components/schemas/')[1:]

    assert {text.split('"')[0] for text in references} <= set(known)
    assert {"Problem", "LiveState", "History", "KpiSeries"} <= set(known)


def test_the_page_loads_nothing_from_elsewhere(demo: httpx.Client) -> None:
    """Swagger UI comes from the API itself."""
    page = demo.get("/docs").text
    own = [part.split('"')[0] for part in page.replace("href=", "src=").split('src="')[1:]]

    assert "http" not in "".join(own)
    assert own
    assert all(demo.get(path).status_code == 200 for path in own)
