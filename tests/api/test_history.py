"""History: pages, formats, modes."""

import csv
import io
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx
import polars as pl
import psycopg
import pyarrow.ipc
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from schemas.db.catalogue import Catalogue
from schemas.db.tiers import ensure_span
from tests.api.conftest import SETTINGS, Serve, frozen
from tests.api.demo import LINE, NOW, POTS, insert, instants
from tests.fixtures.until import until

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


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 2000), st.sampled_from(["raw", "summary"]))
def test_pages_are_the_whole(demo: httpx.Client, limit: int, mode: str) -> None:
    """Pages of any size give exactly the rows of one large answer, in the same order."""
    width = {"every": "30s"} if mode == "summary" else {}
    limit = max(limit, 60)
    whole = rows(get(demo, mode=mode, **width))

    found = list(pages(demo, mode=mode, limit=limit, **width))

    assert [row for page in found for row in rows(page)] == whole
    assert all(len(rows(page)) == limit for page in found[:-1])
    assert [page["truncated"] for page in found] == [True] * (len(found) - 1) + [False]


def test_a_relative_span_stays_put_from_page_to_page(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """``-10m`` of the first page is what the later pages mean, however late they are asked for."""
    insert(
        database,
        pavlodar,
        ((ONE, ts, 4.2, 192) for ts in instants(NOW - timedelta(hours=1), NOW, 10)),
    )
    hands = [NOW]
    client = serve(create_app(SETTINGS, database, lambda: hands[0]))
    span = {"from": "-10m", "to": "now", "tag": ONE}
    first = get(client, limit=50, **span)

    hands[0] = NOW + timedelta(minutes=5)
    second = get(client, limit=50, **span, cursor=first["cursor"])

    assert (second["start"], second["end"]) == (first["start"], first["end"])
    assert len(rows(first)) + len(rows(second)) == 60


def test_a_late_reading_shifts_no_page(
    api: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """A backfill before the cursor makes no row come twice and none go missing."""
    start = NOW - timedelta(hours=1)
    span = {"from": start.isoformat(), "to": NOW.isoformat(), "tag": ONE}
    insert(database, pavlodar, ((ONE, ts, 1.0, 192) for ts in instants(start, NOW, 60)))
    first = get(api, limit=30, **span)
    late = start + timedelta(seconds=30)
    insert(database, pavlodar, ((ONE, ts, 2.0, 192) for ts in instants(late, NOW, 60)))

    second = list(pages(api, limit=30, **span, cursor=first["cursor"]))

    times = [row["ts"] for page in [first, *second] for row in rows(page)]
    assert len(times) == len(set(times)) == 30 + 60


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


def test_the_link_leads_to_the_next_page(demo: httpx.Client) -> None:
    """A reader of CSV follows the Link header to the end."""
    url, lines = f"{URL}?tag={ONE}&from=-1h&format=csv&limit=100", []
    for _ in range(10):
        answer = demo.get(url)
        lines += answer.text.splitlines()[1:]
        if "Link" not in answer.headers:
            break
        url = answer.links["next"]["url"]
        assert dict(parse_qsl(urlsplit(url).query))["format"] == "csv"

    assert len(lines) == len(set(lines)) == 360


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


def test_a_cursor_fits_its_own_request_alone(demo: httpx.Client) -> None:
    """Another tag, mode or width with the cursor of this one is refused."""
    cursor = get(demo, limit=1)["cursor"]
    answer = demo.get(URL, params={"tag": ONE, "cursor": str(cursor), **TEN_MINUTES})

    assert answer.json()["parameter"] == "cursor"


def test_post_answers_what_get_answers(demo: httpx.Client) -> None:
    """The parameters as one object; the next page is in the header, for there is no link."""
    asked: dict[str, str | int | list[str]] = {"tag": [ONE, VOLTAGES], "limit": 100, **TEN_MINUTES}
    by_get, by_post = demo.get(URL, params=asked), demo.post(URL, json=asked)

    assert by_post.json() == by_get.json()
    assert by_post.headers["Ertis-Cursor"] == by_get.json()["cursor"]
    assert "Link" in by_get.headers
    assert "Link" not in by_post.headers


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


def test_columns_stay_within_what_can_be_held(demo: httpx.Client) -> None:
    """Every other format is streamed."""
    problem = demo.get(URL, params={"tag": ONE, "format": "columns", "limit": 2_000_000}).json()

    assert (problem["status"], problem["parameter"]) == (422, "limit")


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"limit": 7},
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


LONG = {"tag": ONE, "from": "-7d", "format": "csv", "limit": "2000000"}


def long_history(serve: Serve, dsn: str, catalogue: Catalogue) -> httpx.Client:
    """An API with two places for long answers, and 400,000 readings to ask for."""
    start = NOW - timedelta(days=6)
    with psycopg.connect(dsn) as connection:
        ensure_span(connection, "reading", start, NOW)
        connection.execute(
            "INSERT INTO reading SELECT %s, %s + n * interval '1 s', n, 192"
            " FROM generate_series(1, 400000) n",
            (catalogue.tag_ids[ONE], start),
        )
    settings = SETTINGS.model_copy(update={"threads": 2})
    return serve(create_app(settings, dsn, frozen))


def test_a_long_answer_is_streamed_and_may_be_left(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """More rows than one batch leave as they come; a reader who goes gives the place free."""
    client = long_history(serve, database, pavlodar)

    for _ in range(6):
        with client.stream("GET", URL, params=LONG) as left:
            assert left.status_code == 200
            assert "Content-Length" not in left.headers
            next(left.iter_bytes())
    with client.stream("GET", URL, params=LONG) as whole:
        lines = sum(part.count(b"\n") for part in whole.iter_bytes())

    assert lines == 1 + 400_000


def test_long_answers_have_a_bound(serve: Serve, database: str, pavlodar: Catalogue) -> None:
    """As many as the database should bear at once; the next is told to come again."""
    client = long_history(serve, database, pavlodar)

    with ExitStack() as open_ones:
        for _ in range(2):
            open_ones.enter_context(client.stream("GET", URL, params=LONG))
        refused = client.get(URL, params=LONG)
        small = client.get(URL, params={**LONG, "limit": "10"})

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert small.status_code == 200


def test_more_than_a_million_rows_are_estimated(
    serve: Serve, database: str, pavlodar: Catalogue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From the first of them, as though the rest were as dense."""
    monkeypatch.setattr("api.estimate.COUNTED_MAX", 50_000)
    client = long_history(serve, database, pavlodar)
    span = {"from": (NOW - timedelta(days=6)).isoformat(), "to": "-1d"}

    told = client.get(f"{URL}/estimate", params={"tag": ONE, **span}).json()

    assert not told["exact"]
    assert told["rows"] == pytest.approx(5 * 86_400, rel=0.01)


def test_a_caller_who_leaves_ends_the_statement(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """Also before the first row: a lock keeps the query waiting, and nobody waits for it."""
    # Alarms read readings too, and would wait beside the caller.
    client = serve(create_app(SETTINGS.model_copy(update={"alarms": False}), database, frozen))
    address = (client.base_url.host, client.base_url.port)
    request = f"GET {URL}?tag={ONE}&from=-1h HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with psycopg.connect(database) as holder, psycopg.connect(database, autocommit=True) as watcher:
        holder.execute("LOCK TABLE reading IN ACCESS EXCLUSIVE MODE")

        def waiting() -> bool:
            query = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            found = watcher.execute(query).fetchone()
            return found is not None and found[0] > 0

        with socket.create_connection(address) as caller:
            caller.sendall(request.encode())
            until(waiting, "the statement to wait")
        until(lambda: not waiting(), "the statement to end", within_s=10)
