"""What history answers to, and the rows of its answers."""

from collections.abc import Iterator

import httpx

from tests.api.demo import LINE, POTS

URL = "/api/v1/history"
VOLTAGES = f"{LINE}/pot-*/voltage"
ONE = f"{POTS[0]}/voltage"
TEN_MINUTES = {"from": "2026-11-21T09:00:00Z", "to": "2026-11-21T09:10:00Z"}


def get(client: httpx.Client, **query: object) -> dict[str, object]:
    """The JSON of a good answer."""
    texts = {name: str(value) for name, value in query.items()}
    answer = client.get(URL, params={"tag": VOLTAGES, **TEN_MINUTES, **texts})
    assert answer.status_code == 200, answer.text
    body: dict[str, object] = answer.json()
    return body


def rows(body: dict[str, object]) -> list[dict[str, object]]:
    """Its rows."""
    found = body["rows"]
    assert isinstance(found, list)
    return found


def pages(client: httpx.Client, **query: object) -> Iterator[dict[str, object]]:
    """The answer page by page."""
    page = get(client, **query)
    yield page
    while page["cursor"] is not None:
        page = get(client, **{**query, "cursor": page["cursor"]})
        yield page
