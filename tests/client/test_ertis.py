"""The API from Python: one call, one frame."""

from datetime import timedelta
from typing import Any

import httpx
import polars as pl
import pytest

import client.ertis
from client.answer import problem_of
from client.ertis import Ertis, history_query
from client.events import Event, events
from schemas.errors import (
    ConfigError,
    ConflictError,
    NotAllowed,
    NotFoundError,
    RequestError,
    UnavailableError,
)
from tests.api.demo import LINE, NOW, POTS
from tests.fixtures.ports import free_port

VOLTAGES = f"{LINE}/pot-*/voltage"
ONE = f"{POTS[0]}/voltage"


def test_history_is_one_frame(ertis: Ertis) -> None:
    """Typed columns, by tag and time, however many tags a pattern stands for."""
    frame = ertis.history(VOLTAGES, start="-10m", end=NOW)

    assert frame.schema["ts"] == pl.Datetime("us", "UTC")
    assert frame.height == 24 * 60 - 14
    assert set(frame["value"]) == {4.2, 4.25}


def test_pages_are_put_together(ertis: Ertis, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one request may not hold comes in several, and nobody sees it."""
    whole = ertis.history(VOLTAGES, start="-1h")
    query = history_query([VOLTAGES], start="-1h")

    pages = [page for page, _ in ertis.pages(query, rows=1000)]

    assert [page.height for page in pages[:-1]] == [1000] * (len(pages) - 1)
    assert pl.concat(pages).equals(whole)


@pytest.mark.parametrize(
    ("parameters", "mode"),
    [
        ({}, "raw"),
        ({"every": "1m"}, "summary"),
        ({"aggregate": ["mean"]}, "summary"),
        ({"at": [NOW]}, "interpolated"),
        ({"every": "1m", "mode": "interpolated"}, "interpolated"),
    ],
)
def test_the_mode_follows_from_what_is_asked(parameters: dict[str, Any], mode: str) -> None:
    """Buckets mean summaries, instants mean values, nothing means readings."""
    assert history_query([ONE], **parameters)["mode"] == mode


def test_values_at_instants(ertis: Ertis) -> None:
    """Datetimes are instants as they are."""
    when = [NOW - timedelta(seconds=s) for s in (20, 5)]

    assert ertis.history(ONE, at=when)["value"].to_list() == [4.2, 4.2]


def test_kpis_and_the_plant(ertis: Ertis) -> None:
    """Series, catalogue, tags, latest values."""
    hours = ertis.kpi("capacity_factor", "power/solar-1", start="-2h", every="1h")

    assert hours["value"].to_list() == [0.5, 0.5]
    assert "capacity_factor" in ertis.kpis()["id"]
    assert ertis.tags(measure="voltage", asset=LINE).height == 24
    assert ertis.tags("none/**").is_empty()
    assert ertis.latest(ONE)["ts"].to_list() == [NOW - timedelta(seconds=10)]


def test_reports(ertis: Ertis) -> None:
    """Whole, or as a table; who may only read signs nothing."""
    answer = ertis.report("shift", "power/solar-1", at="current")
    table = pl.read_csv(ertis.report_as("csv", "shift", "power/solar-1", at=NOW))

    assert answer["report"]["period"]["name"] == "2026-11-21-day"
    assert table["kpi"].to_list() == [line["kpi"] for line in answer["report"]["kpis"]]
    for decide in (ertis.sign, ertis.reopen):
        with pytest.raises(NotAllowed, match="local is a viewer"):
            decide("2026-10", "closed")


def test_what_does_not_go_with_how_things_stand() -> None:
    """409 is an error of its own, so that a script may go on when a period is signed already."""
    detail = "name: found '2026-10'; 2026-10-31 is signed: open it again first"
    right = "2026-10-31 is signed: open it again first"
    told = {"detail": detail, "parameter": "name", "found": "2026-10", "right": right}
    error = problem_of(httpx.Response(409, json=told))

    assert isinstance(error, ConflictError)
    assert str(error) == detail


def test_live_events(ertis: Ertis) -> None:
    """The first is the whole state."""
    event = next(ertis.live([ONE], ["capacity_factor@power/solar-1"]))

    assert event.name == "state"
    assert [one["value"] for one in event.data["tags"]] == [4.2]
    assert [one["value"] for one in event.data["kpis"]] == [0.5]


def test_events_are_read_as_the_standard_says() -> None:
    """Lines of data are joined, comments and events without data passed over."""
    lines = [": ping", "", "id: 7", "", "event: state", "id:8", 'data: {"a":', "data: 1}", "", "x"]

    assert list(events(lines)) == [Event("state", "8", {"a": 1})]


@pytest.mark.parametrize(
    ("tag", "parameters", "error", "advice"),
    [
        (f"{POTS[0]}/voltag", {}, NotFoundError, "did you mean"),
        (ONE, {"start": "lately"}, RequestError, "ISO 8601"),
        (ONE, {"unit": "kg"}, RequestError, "which is no kg"),
        (ONE, {"color": "red"}, RequestError, "unknown parameter"),
    ],
)
def test_errors_say_what_would_be_right(
    ertis: Ertis, tag: str, parameters: dict[str, Any], error: type[Exception], advice: str
) -> None:
    """In the words of the API."""
    with pytest.raises(error, match=advice):
        ertis.history(tag, **parameters)


def test_nobody_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some tries, then it is told; an address that is none is told at once."""
    monkeypatch.setattr(client.ertis, "_TRIES", 2)

    with (
        Ertis(f"http://127.0.0.1:{free_port()}") as away,
        pytest.raises(UnavailableError, match="does not answer"),
    ):
        away.tags()
    with Ertis("ertis.example") as wrong, pytest.raises(ConfigError, match="ERTIS_URL"):
        wrong.tags()
