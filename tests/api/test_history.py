"""History: what its rows say, in every mode and format."""

import csv
import io
from datetime import timedelta

import httpx
import polars as pl
import psycopg
import pyarrow.ipc
import pytest

from schemas.db.catalogue import Catalogue
from tests.api.answers import ONE, TEN_MINUTES, URL, VOLTAGES, get, rows
from tests.api.demo import LINE, NOW, POTS, insert, instants


def test_raw_readings_stand_as_they_were_stored(demo: httpx.Client) -> None:
    """24 pots, 60 readings each, by tag and time."""
    found = rows(get(demo))

    assert len(found) == 24 * 60
    assert found == sorted(found, key=lambda row: (str(row["tag"]), str(row["ts"])))
    assert {(row["value"], row["quality"]) for row in found} == {(4.2, 192)}


def test_the_end_of_a_span_is_not_in_it(demo: httpx.Client) -> None:
    """Half-open: a reading at the start is in, one at the end is out."""
    span = {"from": "2026-11-21T09:00:00Z", "to": "2026-11-21T09:00:10Z"}

    assert [row["ts"] for row in rows(get(demo, tag=ONE, **span))] == ["2026-11-21T09:00:00Z"]


@pytest.mark.parametrize("query", [{}, {"mode": "summary", "every": "2m"}, {"limit": 7}])
def test_csv_and_arrow_say_what_json_says(demo: httpx.Client, query: dict[str, str]) -> None:
    """Three formats, one table; what JSON has as facts the others have in headers."""
    asked = {"tag": [ONE, f"{POTS[1]}/voltage"], **TEN_MINUTES, **query}
    body = demo.get(URL, params=asked).json()
    comma = demo.get(URL, params=asked, headers={"Accept": "text/csv"})
    arrow = demo.get(URL, params={**asked, "format": "arrow"})

    read = list(csv.DictReader(io.StringIO(comma.text, newline="")))
    table = pl.DataFrame(pl.from_arrow(pyarrow.ipc.open_stream(arrow.content).read_all()))
    times = pl.selectors.datetime().dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ")
    assert table.with_columns(times, pl.col("tag").cast(pl.String)).to_dicts() == body["rows"]
    assert [list(row) for row in read] == [list(row) for row in body["rows"]]
    for row, wanted in zip(read, body["rows"], strict=True):
        for name, value in wanted.items():
            text = row[name]
            assert (float(text) if isinstance(value, float | int) else text or None) == value
    for answer in (comma, arrow):
        assert answer.headers["Ertis-Truncated"] == str(body["truncated"]).lower()


def test_a_summary_shows_what_it_does_not_know(demo: httpx.Client) -> None:
    """Time-weighted mean, count and coverage in every bucket; a bucket without any is there too."""
    span = {"from": "2026-11-21T09:55:00Z", "to": "2026-11-21T10:00:00Z"}
    found = rows(get(demo, tag=f"{POTS[1]}/voltage", mode="summary", every="1m", **span))

    assert [row["count"] for row in found] == [6, 6, 4, 0, 0]
    assert [row["coverage"] for row in found] == [1.0, 1.0, 1.0, 0.5, 0.0]
    assert [row["mean"] for row in found][-2:] == [4.25, None]


def test_a_summary_ends_now(demo: httpx.Client) -> None:
    """What is asked for the future is cut: nothing is known of it, and nothing is missing."""
    body = get(demo, tag=ONE, mode="summary", **{"from": "-10m", "to": "2027-01-01T00:00:00Z"})

    assert body["end"] == "2026-11-21T10:00:00Z"
    assert rows(body)[0]["coverage"] == 1.0


def test_a_computed_tag_has_summaries_but_no_readings(demo: httpx.Client) -> None:
    """Power is computed: 4.2 V at 500 kA are 2100 kW; a pattern passes over it in mode raw."""
    power = f"{POTS[0]}/power"
    summary = rows(get(demo, tag=power, mode="summary"))
    refused = demo.get(URL, params={"tag": power})

    assert summary[0]["mean"] == pytest.approx(2100.0)
    assert (refused.status_code, refused.json()["parameter"]) == (422, "tag")
    assert "mode=summary" in refused.json()["right"]
    assert {row["tag"] for row in rows(get(demo, tag=f"{POTS[0]}/*"))} == {ONE}


def test_a_calendar_day_of_the_plant_has_25_hours(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """2024-02-29 of Almaty: 25 hours of readings, 25 hours of bucket; in another zone 24."""
    tag = f"{LINE}/line_current"
    day = NOW.replace(year=2024, month=2, day=28, hour=18, minute=0)
    span = {"from": "2024-02-29T00:00:00+06:00", "to": "2024-03-02T00:00:00+05:00"}
    insert(
        database,
        pavlodar,
        ((tag, ts, 500.0, 192) for ts in instants(day, day + timedelta(hours=49), 60)),
    )

    days = rows(get(api, tag=tag, mode="summary", every="day", **span))
    foreign = rows(get(api, tag=tag, mode="summary", every="day", zone="UTC", **span))

    assert [(row["start"], row["count"], row["coverage"]) for row in days] == [
        ("2024-02-28T18:00:00Z", 25 * 60, 1.0),
        ("2024-02-29T19:00:00Z", 24 * 60, 1.0),
    ]
    assert days[0]["integral"] == pytest.approx(500.0 * 25 * 3600)
    assert [row["count"] for row in foreign] == [6 * 60, 24 * 60, 19 * 60]


def test_post_answers_what_get_answers(demo: httpx.Client) -> None:
    """The parameters as one object; the next page is in the header, for there is no link."""
    asked: dict[str, str | int | list[str]] = {"tag": [ONE, VOLTAGES], "limit": 100, **TEN_MINUTES}
    by_get, by_post = demo.get(URL, params=asked), demo.post(URL, json=asked)

    assert by_post.json() == by_get.json()
    assert by_post.headers["Ertis-Cursor"] == by_get.json()["cursor"]
    assert "Link" in by_get.headers
    assert "Link" not in by_post.headers


def test_text_readings_are_served(api: httpx.Client, database: str, pavlodar: Catalogue) -> None:
    """What arrived as text stands in a table of its own, and has a mode of its own."""
    with psycopg.connect(database) as connection:
        connection.execute(
            "INSERT INTO reading_text VALUES (%s, %s, 'recipe 7', 192)",
            (pavlodar.tag_ids[ONE], NOW - timedelta(minutes=1)),
        )

    found = rows(get(api, tag=ONE, mode="text", **{"from": "-1h", "to": "now"}))

    assert found == [
        {"tag": ONE, "ts": "2026-11-21T09:59:00Z", "value": "recipe 7", "quality": 192}
    ]
