"""Long answers: streamed, bounded in number, ended with their caller."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import psycopg
import pytest
from fastapi import FastAPI

from api.app import create_app
from schemas.db.catalogue import Catalogue
from schemas.db.tiers import ensure_span
from tests.api.answers import ONE, URL
from tests.api.conftest import SETTINGS, Serve, frozen, own_database
from tests.api.demo import NOW, store_pavlodar
from tests.fixtures.until import until

LONG = {"tag": ONE, "from": "-7d", "format": "csv", "limit": "2000000"}


@pytest.fixture(scope="module")
def long_dsn(server: str, migrated: str) -> Iterator[str]:
    """A database with 400,000 readings to ask for."""
    start = NOW - timedelta(days=6)
    with own_database(server, migrated) as dsn:
        catalogue = store_pavlodar(dsn)
        with psycopg.connect(dsn) as connection:
            ensure_span(connection, "reading", start, NOW)
            connection.execute(
                "INSERT INTO reading SELECT %s, %s + n * interval '1 s', n, 192"
                " FROM generate_series(1, 400000) n",
                (catalogue.tag_ids[ONE], start),
            )
        yield dsn


@pytest.fixture
def app(long_dsn: str) -> FastAPI:
    """An API with two places for long answers."""
    return create_app(SETTINGS.model_copy(update={"threads": 2}), long_dsn, frozen)


def test_a_long_answer_is_streamed_and_may_be_left(app: FastAPI, serve: Serve) -> None:
    """Its blocks leave as they come; a reader who goes gives the place free."""
    client = serve(app)

    for _ in range(3):
        with client.stream("GET", URL, params=LONG) as left:
            assert left.status_code == 200
            assert "Content-Length" not in left.headers
            next(left.iter_bytes())
            assert app.state.exports.borrowed_tokens == 1
        until(lambda: app.state.exports.borrowed_tokens == 0, "the place to be free")
    whole = client.get(URL, params=LONG).text

    assert [float(line.split(",")[2]) for line in whole.splitlines()[1:]] == [*range(1, 400_001)]


def test_long_answers_have_a_bound(app: FastAPI, serve: Serve) -> None:
    """As many as the database should bear at once; the next is told to come again."""
    client = serve(app)

    with ExitStack() as open_ones:
        for _ in range(2):
            open_ones.enter_context(client.stream("GET", URL, params=LONG))
        refused = client.get(URL, params=LONG)
        small = client.get(URL, params={**LONG, "limit": "10"})

    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
    assert small.status_code == 200


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
