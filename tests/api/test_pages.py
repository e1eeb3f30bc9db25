"""Pages of history: their cursors, and what may not shift them."""

from datetime import timedelta
from functools import cache
from urllib.parse import parse_qsl, urlsplit

import httpx
import polars as pl
import psycopg
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.app import create_app
from api.raw import Page
from api.span import Span
from schemas.db.catalogue import Catalogue
from schemas.db.frames import FrameReader
from tests.api.answers import ONE, TEN_MINUTES, URL, get, pages, rows
from tests.api.conftest import SETTINGS, Serve
from tests.api.demo import NOW, POTS, insert, instants


@cache
def voltages(dsn: str, pots: int) -> list[int]:
    """Ids of the voltages of so many pots, in order."""
    with psycopg.connect(dsn) as connection:
        paths = [f"{pot}/voltage" for pot in POTS[:pots]]
        found = connection.execute("SELECT id FROM tag WHERE path = ANY(%s) ORDER BY id", (paths,))
        return [tag_id for (tag_id,) in found]


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


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.integers(1, 2000), st.integers(20, 2000), st.integers(0, 3))
def test_blocks_are_the_page(demo_dsn: str, limit: int, rows_each: int, few: int) -> None:
    """Blocks of any size, of one tag or many: each row of the page once, in order."""
    ids = voltages(demo_dsn, few or 24)
    page = Page(ids, Span(NOW - timedelta(minutes=10), NOW))
    with FrameReader(demo_dsn) as frames:
        blocks = page.blocks(frames, limit, rows_each)
        found = [block.numbers(frames) for block in blocks]
        whole = frames.readings(ids, page.span.start, page.span.end)

    assert pl.concat(found).equals(whole.head(limit))
    assert all(frame.height == rows_each for frame in found[:-1])
    assert (blocks[-1].following is None) == (limit >= whole.height)


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


def test_a_cursor_fits_its_own_request_alone(demo: httpx.Client) -> None:
    """Another tag, mode or width with the cursor of this one is refused."""
    cursor = get(demo, limit=1)["cursor"]
    answer = demo.get(URL, params={"tag": ONE, "cursor": str(cursor), **TEN_MINUTES})

    assert answer.json()["parameter"] == "cursor"
