"""A key that a browser keeps: what it opens, and who cannot use it."""

import httpx
import pytest

from api.access import keys
from api.app import create_app
from schemas.db.catalogue import Catalogue
from tests.api.access.test_keys import CLOSED, bearer, command, create
from tests.api.conftest import Serve

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def closed(serve: Serve, database: str, pavlodar: Catalogue) -> httpx.Client:
    """An API where nobody gets in without a key."""
    return serve(create_app(CLOSED, database))


def test_a_key_is_typed_once(closed: httpx.Client, database: str) -> None:
    """The cookie opens what the header opened, is hidden from scripts and can be given back."""
    key = create(database, "--name", "shift", "--role", "engineer")
    assert closed.get("/api/v1/me").status_code == 401

    entered = closed.post("/api/v1/session", headers=bearer(key))

    assert entered.json()["role"] == "engineer"
    marks = entered.headers["Set-Cookie"].lower()
    assert "httponly" in marks
    assert "samesite=strict" in marks
    assert "path=/api" in marks
    assert closed.get("/api/v1/me").json()["name"] == "shift"
    assert closed.delete("/api/v1/session").status_code == 204
    assert closed.get("/api/v1/me").status_code == 401


def test_a_wrong_key_is_not_kept(closed: httpx.Client) -> None:
    """Neither one that nobody has nor none at all."""
    for headers in ({}, bearer("ertis_0_wrong")):
        answer = closed.post("/api/v1/session", headers=headers)
        assert answer.status_code == 401
        assert "Set-Cookie" not in answer.headers


def test_without_a_key_there_is_nothing_to_keep(demo: httpx.Client) -> None:
    """The local viewer has none."""
    assert demo.post("/api/v1/session").status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (OURS, 404),  # it may: there is no such alarm
        ({"Origin": "http://127.0.0.1:9", "Host": "127.0.0.1:9"}, 404),
        ({}, 401),
        ({"Sec-Fetch-Site": "same-site"}, 401),  # a page on another port of this host
        ({"Sec-Fetch-Site": "cross-site"}, 401),
        ({"Origin": "http://127.0.0.1:8", "Host": "127.0.0.1:9"}, 401),
        ({"Origin": "null"}, 401),
    ],
)
def test_only_our_own_page_writes_with_it(
    closed: httpx.Client, database: str, headers: dict[str, str], status: int
) -> None:
    """A cookie goes to each port of a host; what writes has to say that it comes from us."""
    key = create(database, "--name", "shift", "--role", "engineer")
    kept = {"Cookie": f"ertis_key={key}"}

    answer = closed.post("/api/v1/alarms/999999/acknowledge", json={}, headers={**kept, **headers})

    assert answer.status_code == status, answer.text


def test_a_revoked_key_opens_no_more(
    closed: httpx.Client, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cookie is the key itself, so it ends with it; it can still be forgotten."""
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    key = create(database, "--name", "shift", "--role", "viewer")
    closed.post("/api/v1/session", headers=bearer(key))
    assert command(database, "revoke", key.split("_")[1]).returncode == 0

    assert closed.get("/api/v1/me").status_code == 401
    assert closed.delete("/api/v1/session").status_code == 204
