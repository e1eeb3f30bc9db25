"""What cannot be asked of history, and what is said then."""

import httpx
import pytest

from tests.api.answers import ONE, URL


@pytest.mark.parametrize(
    ("query", "parameter", "advice"),
    [
        ({"tag": "smelter/potline-1/pot-001/voltag"}, "tag", "voltage"),
        ({"from": "lately"}, "from", "ISO 8601"),
        ({"from": "2026-11-21T10:00:00"}, "from", "zone"),
        ({"from": "2026-11-21T10:00:00+05:00 "}, "from", "ISO 8601"),
        ({"to": "2026-11-21T09:00:00Z", "from": "now"}, "from", "before"),
        ({"mode": "average"}, "mode", "'summary'"),
        ({"every": "1h"}, "every", "mode=summary"),
        ({"mode": "summary", "every": "1 hour"}, "every", "15m"),
        ({"mode": "summary", "every": "day", "zone": "Almaty"}, "zone", "Asia/Almaty"),
        ({"mode": "summary", "from": "2027-01-01T00:00:00Z", "to": "+400d"}, "from", "before now"),
        ({"limit": "0"}, "limit", "greater"),
        ({"limit": "many"}, "limit", "integer"),
        ({"limit": "10000001"}, "limit", "10,000,000"),
        ({"cursor": "abc"}, "cursor", "unchanged"),
        ({"format": "xml"}, "format", "json"),
        ({"fro": "-1h"}, "fro", "'from'"),
    ],
)
def test_what_cannot_be_asked_is_a_problem(
    demo: httpx.Client, query: dict[str, str], parameter: str, advice: str
) -> None:
    """4xx problem+json that names the parameter, what it held and what would be right."""
    answer = demo.get(URL, params={"tag": ONE, **query})

    problem = answer.json()
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.status_code == problem["status"] == (404 if parameter == "tag" else 422)
    assert problem["parameter"] == parameter
    assert problem["found"] == query[parameter] or str(problem["found"]) == query[parameter]
    assert advice in problem["right"]
    assert problem["instance"] == URL


def test_a_missing_tag_is_named(demo: httpx.Client) -> None:
    """The one parameter that has no default."""
    problem = demo.get(URL).json()

    assert (problem["status"], problem["parameter"]) == (422, "tag")


@pytest.mark.parametrize(
    ("body", "parameter"),
    [
        ('{"tag": ["a"], "fro": "-1h"}', "fro"),
        ('{"tag": "a"}', "tag"),
        ("[1", "body"),
        ("[]", "body"),
        (b"\xff", "body"),
        (f'{{"tag": ["{ONE}"], "from": "\\ud816"}}', "from"),
        ("{}", "tag"),
    ],
)
def test_a_body_that_cannot_be_used_is_a_problem(
    demo: httpx.Client, body: str | bytes, parameter: str
) -> None:
    """As a query that cannot be; bytes that are no text and texts that are no UTF-8 too."""
    answer = demo.post(URL, content=body, headers={"Content-Type": "application/json"})

    assert (answer.status_code, answer.json()["parameter"]) == (422, parameter)


def test_columns_stay_within_what_can_be_held(demo: httpx.Client) -> None:
    """Every other format is streamed."""
    problem = demo.get(URL, params={"tag": ONE, "format": "columns", "limit": 2_000_000}).json()

    assert (problem["status"], problem["parameter"]) == (422, "limit")
