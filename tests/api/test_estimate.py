"""Estimates: what a request would come to."""

import httpx
import pytest

from tests.api.answers import ONE, TEN_MINUTES, URL, VOLTAGES


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"limit": 97},
        {"mode": "summary", "every": "7m"},
        {"mode": "plot", "pixels": 13},
        {"mode": "interpolated", "every": "3m"},
    ],
)
def test_an_estimate_is_what_comes(demo: httpx.Client, query: dict[str, str]) -> None:
    """Rows and pages to the row, bytes to a factor of two."""
    asked = {"tag": VOLTAGES, "format": "csv", **TEN_MINUTES, **query}
    told = demo.get(f"{URL}/estimate", params=asked).json()
    text, found = "", 0
    while True:
        answer = demo.get(URL, params=asked)
        text, found = text + answer.text, found + 1
        if "Ertis-Cursor" not in answer.headers:
            break
        asked["cursor"] = answer.headers["Ertis-Cursor"]

    assert told["exact"]
    assert (told["rows"], told["pages"]) == (text.count("\n") - found, found)
    assert demo.post(f"{URL}/estimate", json={**asked, "tag": [VOLTAGES]}).json() == told
    assert len(text) / 2 < told["bytes"] < 2 * len(text)


def test_more_than_a_million_rows_are_estimated(
    demo: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first of them, as though the rest were as dense."""
    monkeypatch.setattr("api.estimate.COUNTED_MAX", 100)

    told = demo.get(f"{URL}/estimate", params={"tag": ONE, "from": "-2h"}).json()

    assert not told["exact"]
    assert told["rows"] == pytest.approx(720, rel=0.01)
