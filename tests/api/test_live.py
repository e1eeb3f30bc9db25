"""The live stream, over a real connection."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import httpx
import orjson
import psycopg
import pytest

from api.app import create_app
from api.formulas import find_binding, find_kpi
from api.kpi_now import KpisNow
from api.store import Store
from schemas.db.catalogue import Catalogue
from schemas.db.tiers import ensure_span
from schemas.plant.file import load_plant
from tests.api.conftest import SETTINGS, Serve, frozen, through
from tests.api.demo import INVERTERS, LINE, NOW, PLANT, insert
from tests.fixtures.until import until

CURRENT = f"{LINE}/line_current"
POWER = f"{INVERTERS[0]}/power"


class Event:
    """A server-sent event as it came over the wire."""

    def __init__(self, lines: list[str]) -> None:
        fields = dict(line.split(": ", 1) for line in lines if not line.startswith(":"))
        self.name = fields.get("event", "")
        self.id = fields.get("id", "")
        self.data = orjson.loads(fields["data"])


@contextmanager
def listening(
    client: httpx.Client, last_id: str | None = None, **query: object
) -> Iterator[Iterator[Event]]:
    """The events of a stream."""
    headers = {} if last_id is None else {"Last-Event-ID": last_id}
    asked = {name: str(value) for name, value in query.items()}
    with client.stream("GET", "/api/v1/live", params=asked, headers=headers) as answer:
        assert answer.status_code == 200, answer.read()
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield events(answer)


def events(answer: httpx.Response) -> Iterator[Event]:
    """Events, without comments and the beats of a second in which nothing changed."""
    lines: list[str] = []
    for line in answer.iter_lines():
        if line:
            lines.append(line)
        else:
            if "event: beat" not in lines and any(one.startswith("data") for one in lines):
                yield Event(lines)
            lines = []


@pytest.fixture
def client(serve: Serve, database: str, pavlodar: Catalogue) -> httpx.Client:
    """The API on the test's own database, with the true time."""
    return serve(create_app(SETTINGS, database))


def now() -> datetime:
    """The true time."""
    return datetime.now(UTC)


def test_a_reading_shows_up(client: httpx.Client, database: str, pavlodar: Catalogue) -> None:
    """What is inserted while one listens is in a later event."""
    with listening(client, tag=CURRENT) as stream:
        first = next(stream)
        insert(database, pavlodar, [(CURRENT, now(), 481.5, 192)])
        found = next(event for event in stream if event.data["tags"][0]["value"] is not None)

    assert first.data["tags"][0]["reason"] == "no reading yet"
    assert (found.name, found.data["tags"][0]["value"]) == ("state", 481.5)
    assert int(found.id) > int(first.id)


def test_a_kpi_moves_by_itself(client: httpx.Client, database: str, pavlodar: Catalogue) -> None:
    """The value of the window goes on with every tick, from raw readings of the open minute."""
    # The window begins with a whole minute: up to two minutes ago.
    before = [(POWER, now() - timedelta(seconds=s), 1000.0, 192) for s in (120, 80, 40)]
    insert(database, pavlodar, [*before, (POWER, now(), 2500.0, 192)])
    asked = f"capacity_factor@{INVERTERS[0]}"
    with listening(client, kpi=asked, window="1m") as stream:
        values = []
        for event in stream:
            values.append(event.data["kpis"][0]["value"])
            if len(values) == 5:
                break

    assert len(set(values)) == 5
    assert values == sorted(values)
    assert all(0.4 < value < 1.0 for value in values)


def test_a_reader_who_comes_back_gets_the_newest(
    client: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """With Last-Event-ID: nothing that was had, what is new at once."""
    insert(database, pavlodar, [(CURRENT, now(), 480.0, 192)])
    with listening(client, tag=CURRENT) as keeping:
        first = next(keeping)
        with listening(client, last_id=first.id, tag=CURRENT) as back:
            insert(database, pavlodar, [(CURRENT, now(), 490.0, 192)])
            found = next(back)
        with listening(client, last_id="long ago", tag=CURRENT) as late:
            again = next(late)

    assert found.data["tags"][0]["value"] == 490.0
    assert again.data == found.data


def test_readers_of_the_same_share_the_work(
    client: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """Twenty readers of one selection get the very same event."""
    got: list[Event] = []
    with listening(client, tag=CURRENT) as stream:
        next(stream)
        url = str(client.base_url)

        def read() -> None:
            with httpx.Client(base_url=url) as own, listening(own, tag=CURRENT) as other:
                got.append(next(e for e in other if e.data["tags"][0]["value"] == 495.0))

        threads = [threading.Thread(target=read) for _ in range(20)]
        for thread in threads:
            thread.start()
        until(lambda: gauge(client, "ertis_api_live_subscribers") == 21, "20 more readers")
        insert(database, pavlodar, [(CURRENT, now(), 495.0, 192)])
        for thread in threads:
            thread.join()

    assert len({event.id for event in got}) == 1
    until(lambda: gauge(client, "ertis_api_live_subscribers") == 0, "the readers to be forgotten")


def gauge(client: httpx.Client, name: str) -> float:
    """A value of /metrics."""
    lines = client.get("/metrics").text.splitlines()
    return next(float(line.split()[1]) for line in lines if line.startswith(f"{name} "))


def test_a_slow_reader_skips_to_the_newest(
    client: httpx.Client, database: str, pavlodar: Catalogue
) -> None:
    """One that takes nothing for a while gets the newest state, not a queue of all before it."""
    tag_id = pavlodar.tag_ids[CURRENT]
    with psycopg.connect(database, autocommit=True) as connection:
        ensure_span(connection, "reading", now(), now() + timedelta(days=1))
        with listening(client, tag="**") as slow, listening(client, tag=CURRENT) as quick:
            next(slow)
            for value in range(400):
                connection.execute(
                    "INSERT INTO reading VALUES (%s, now(), %s, 192)", (tag_id, float(value))
                )
            next(e for e in quick if e.data["tags"][0]["value"] == 399.0)
            skipped = 0
            for event in slow:
                values = {one["tag"]: one["value"] for one in event.data["tags"]}
                if values[CURRENT] == 399.0:
                    break
                skipped += 1

    assert skipped < 400


def test_a_stream_says_when_the_database_is_gone(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """A problem event while it is away, states again when it is back, on one connection."""
    with through(database) as (wire, dsn):
        client = serve(create_app(SETTINGS, dsn))
        with listening(client, tag=CURRENT) as stream:
            assert next(stream).name == "state"
            wire.cut()
            problem = next(event for event in stream if event.name == "problem")
            wire.resume()
            insert(database, pavlodar, [(CURRENT, now(), 500.0, 192)])
            state = next(event for event in stream if event.name == "state")

    assert problem.data["status"] == 503
    assert state.data["tags"][0]["tag"] == CURRENT


@pytest.mark.parametrize(
    ("query", "status", "parameter"),
    [
        ({}, 422, "tag"),
        ({"tag": "nothing"}, 404, "tag"),
        ({"kpi": "capacity_factor"}, 422, "kpi"),
        ({"kpi": "capacity@power/solar-1"}, 404, "kpi"),
        ({"kpi": "capacity_factor@power/solar-9"}, 404, "asset"),
        ({"tag": CURRENT, "window": "1y"}, 422, "window"),
        ({"tag": CURRENT, "windw": "1h"}, 422, "windw"),
    ],
)
def test_what_cannot_be_shown_is_a_problem(
    client: httpx.Client, query: dict[str, str], status: int, parameter: str
) -> None:
    """Before the stream begins, with a status of its own."""
    answer = client.get("/api/v1/live", params=query)

    assert (answer.status_code, answer.json()["parameter"]) == (status, parameter)


def test_a_stream_has_a_bound(serve: Serve, database: str, pavlodar: Catalogue) -> None:
    """More tags than one stream may show are refused, not cut."""
    settings = SETTINGS.model_copy(update={"live_tags_max": 10})
    answer = serve(create_app(settings, database)).get("/api/v1/live", params={"tag": "**"})

    assert (answer.status_code, answer.json()["parameter"]) == (422, "tag")
    assert f"{len(load_plant(PLANT).tags)} tags" in answer.json()["right"]


def test_a_kpi_is_not_computed_at_every_tick(database: str, pavlodar: Catalogue) -> None:
    """Within kpi_tick_s the same result is shown again, then it is computed anew."""
    store = Store(database, SETTINGS.model_copy(update={"kpi_tick_s": 2.0}), frozen)
    catalogue = store.catalogue()
    binding = find_binding(catalogue, find_kpi("line_current", "kpi"), LINE)
    now, hour = KpisNow(store), timedelta(hours=1)
    key = hour, "line_current", LINE

    first = now.of(catalogue, {hour: [binding]}, NOW)[key]
    soon = now.of(catalogue, {hour: [binding]}, NOW + timedelta(seconds=1))[key]
    later = now.of(catalogue, {hour: [binding]}, NOW + timedelta(seconds=61))[key]

    assert soon is first
    assert later.start == first.start + timedelta(minutes=1)
    store.close()


def test_a_quiet_stream_beats(client: httpx.Client) -> None:
    """Without a reading for a second it says when it last looked, so that silence means loss."""
    with client.stream("GET", "/api/v1/live", params={"tag": CURRENT}) as answer:
        lines = answer.iter_lines()
        assert any(line == "event: beat" for line in lines)
        beat = next(line for line in lines if line.startswith("data: "))

    at = datetime.fromisoformat(orjson.loads(beat.removeprefix("data: "))["at"])
    assert at.tzinfo is not None
