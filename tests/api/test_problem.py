"""Errors as problems, and a database that goes and comes back."""

import httpx
import psycopg
import pytest

from api.app import create_app
from api.problem import problem_of
from schemas.db.catalogue import Catalogue
from schemas.errors import (
    BrokerDown,
    DatabaseBusy,
    DatabaseDown,
    NotFoundError,
    PlantError,
    RequestError,
    SessionError,
    StorageFull,
    TooLargeError,
)
from tests.api.conftest import SETTINGS, Serve, frozen, through
from tests.api.demo import LINE
from tests.fixtures.until import until

PATHS = [
    "/api/v1/assets",
    "/api/v1/tags",
    f"/api/v1/latest?tag={LINE}/line_current",
    f"/api/v1/history?tag={LINE}/line_current",
    f"/api/v1/history?tag={LINE}/line_current&mode=summary",
    f"/api/v1/kpis/dc_specific_energy?asset={LINE}",
    f"/api/v1/live?tag={LINE}/line_current",
]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestError("from", "x", "y"), 422),
        (TooLargeError("limit", 1, "y"), 422),
        (NotFoundError("tag", "x", "y"), 404),
        (DatabaseDown("gone"), 503),
        (DatabaseBusy("late"), 503),
        (StorageFull("full"), 503),
        (BrokerDown("gone"), 503),
        (PlantError("plant", None, "store one"), 503),
        (SessionError("ours"), 500),
        (ZeroDivisionError("secret"), 500),
    ],
)
def test_whose_fault_it_is_decides_the_status(error: Exception, status: int) -> None:
    """4xx for the caller's, 503 for what may pass, 500 for ours, without its inside."""
    problem = problem_of(error, "/somewhere")

    assert (problem.status, problem.instance) == (status, "/somewhere")
    assert "secret" not in problem.detail
    assert problem.type.startswith("urn:ertis:problem:")


def test_an_unknown_path_names_the_nearest(demo: httpx.Client) -> None:
    """404 for a misspelt route, 405 for a method that it has not."""
    missing = demo.get("/api/v1/histroy")
    wrong = demo.head("/api/v1/latest")

    assert missing.status_code == 404
    assert missing.json()["right"] == "did you mean '/api/v1/history'?"
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET")
    for answer in (missing, wrong):
        assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.parametrize("path", PATHS)
def test_a_database_that_is_down_is_503_and_one_that_is_back_is_not(
    serve: Serve, database: str, pavlodar: Catalogue, path: str
) -> None:
    """Every route tells to come again, and answers as soon as the database does."""
    with through(database) as (wire, dsn):
        client = serve(create_app(SETTINGS, dsn, frozen))
        assert status(client, path) == 200

        wire.cut()
        problem = client.get(path)
        assert problem.status_code == 503
        assert problem.headers["Retry-After"] == "5"
        assert problem.json()["type"] == "urn:ertis:problem:database-down"

        wire.resume()
        until(lambda: status(client, path) == 200, "the API to answer again")


def status(client: httpx.Client, path: str) -> int:
    """The status of an answer, which may be endless."""
    with client.stream("GET", path) as answer:
        return answer.status_code


def test_an_api_starts_without_a_database(serve: Serve, database: str) -> None:
    """It is alive, not ready, and says which part is missing."""
    with through(database) as (wire, dsn):
        wire.cut()
        client = serve(create_app(SETTINGS, dsn, frozen))

        ready = client.get("/health/ready")

        assert client.get("/health/live").json() == {"live": True}
        assert (ready.status_code, ready.json()["ready"]) == (503, False)
        assert [(part["name"], part["ok"]) for part in ready.json()["parts"]] == [
            ("database", False)
        ]


def test_a_database_without_a_plant_says_what_to_do(serve: Serve, database: str) -> None:
    """Not ready, and every question about the plant tells how to store one."""
    client = serve(create_app(SETTINGS, database, frozen))

    ready, tags = client.get("/health/ready"), client.get("/api/v1/tags")

    assert (ready.status_code, tags.status_code) == (503, 503)
    assert ready.json()["parts"][1]["name"] == "plant"
    assert "migrate --plant" in tags.json()["detail"]


def test_a_slow_query_is_given_up(serve: Serve, database: str, pavlodar: Catalogue) -> None:
    """The time limit ends a statement with 503, and the API goes on."""
    settings = SETTINGS.model_copy(update={"statement_timeout_s": 0.1, "alarms": False})
    client = serve(create_app(settings, database, frozen))
    with psycopg.connect(database) as connection:
        connection.execute("LOCK TABLE plant IN ACCESS EXCLUSIVE MODE")
        busy = client.get("/api/v1/assets")
        connection.rollback()

    assert (busy.status_code, busy.headers["Retry-After"]) == (503, "5")
    assert busy.json()["type"] == "urn:ertis:problem:database-busy"
    # A tenth of a second may be too little for the first look on a machine with other work.
    until(lambda: client.get("/api/v1/assets").status_code == 200, "the API to answer again")
