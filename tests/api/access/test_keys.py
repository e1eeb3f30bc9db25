"""API keys: from the command line to a request and its end."""

import os
import subprocess
import sys

import httpx
import pytest
from psycopg.rows import dict_row

from api.access import keys
from api.app import create_app
from schemas.db.catalogue import Catalogue
from schemas.db.engine import connect
from tests.api.conftest import SETTINGS, Serve
from tests.fixtures.until import until

CLOSED = SETTINGS.model_copy(update={"keyless_role": None})


def command(dsn: str, *words: str) -> subprocess.CompletedProcess[str]:
    """``python -m api keys ...`` on the database *dsn*."""
    return subprocess.run(
        [sys.executable, "-m", "api", "keys", *words],
        env={**os.environ, "ERTIS_DSN": dsn},
        check=False,
        capture_output=True,
        text=True,
    )


def create(dsn: str, *words: str) -> str:
    """A new key."""
    done = command(dsn, "create", *words)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def bearer(text: str) -> dict[str, str]:
    """The header that carries a key or token."""
    return {"Authorization": f"Bearer {text}"}


@pytest.fixture
def closed(serve: Serve, database: str, pavlodar: Catalogue) -> httpx.Client:
    """An API where nobody gets in without a key, with the true time."""
    return serve(create_app(CLOSED, database))


def test_a_key_opens_until_it_is_revoked(
    closed: httpx.Client, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Created, used, listed, revoked, refused; all of it is in the audit log."""
    monkeypatch.setattr(keys, "FRESH_S", 0.0)
    text = create(database, "--name", "historian", "--role", "admin")
    key_id = text.split("_")[1]

    assert closed.get("/api/v1/me", headers=bearer(text)).json() == {
        "name": "historian",
        "role": "admin",
        "areas": ["**"],
    }
    listing = command(database, "list").stdout
    assert key_id in listing
    assert text.split("_", 2)[2] not in listing
    actions = [
        entry["action"]
        for entry in closed.get("/api/v1/audit", headers=bearer(text)).json()["entries"]
    ]
    assert actions == ["key.create"]

    assert command(database, "revoke", key_id).returncode == 0
    answer = closed.get("/api/v1/me", headers=bearer(text))
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer realm="ertis"')
    assert "revoked" in answer.json()["detail"]
    with connect(database) as connection, connection.cursor(row_factory=dict_row) as cursor:
        last = cursor.execute("SELECT * FROM audit ORDER BY id DESC LIMIT 1").fetchone()
    assert last is not None
    assert (last["action"], last["subject"]) == ("key.revoke", key_id)
    assert last["before"]["revoked_at"] is None
    assert last["after"]["revoked_at"]
    assert "command line" in last["who"]


def test_a_secret_is_not_in_the_database(database: str) -> None:
    """What is stored opens nothing."""
    text = create(database, "--name", "one")
    with connect(database) as connection:
        rows = connection.execute("SELECT api_key::text FROM api_key").fetchall()
        log = connection.execute("SELECT audit::text FROM audit").fetchall()

    assert rows
    assert log
    assert text.split("_", 2)[2] not in str(rows + log)


def test_an_expired_key_is_refused(closed: httpx.Client, database: str) -> None:
    """By the clock of the API."""
    text = create(database, "--name", "shift", "--days", "0.00001")
    until(
        lambda: closed.get("/api/v1/me", headers=bearer(text)).status_code == 401, "the key to end"
    )

    assert "expired" in closed.get("/api/v1/me", headers=bearer(text)).json()["detail"]


def test_two_valid_keys_of_one_name_are_refused(database: str) -> None:
    """The audit log names people by the name of their key."""
    create(database, "--name", "one")
    done = command(database, "create", "--name", "one")

    assert (done.returncode, "revoke it" in done.stderr) == (2, True)


@pytest.mark.parametrize("words", [("revoke", "nothing"), ("create", "--name", "x", "--days", "0")])
def test_what_cannot_be_done_is_said(database: str, words: tuple[str, ...]) -> None:
    """One line, no traceback."""
    done = command(database, *words)

    assert done.returncode in {1, 2}
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "given",
    [
        "Bearer ertis_0123456789ab_wrong",
        "Bearer ertis_",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        "",
    ],
)
def test_what_is_no_key_is_refused(closed: httpx.Client, given: str) -> None:
    """401, and the answer does not repeat it."""
    answer = closed.get("/api/v1/tags", headers={"Authorization": given})

    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert not given[7:] or given[7:] not in answer.json()["detail"]


def test_a_known_id_with_another_secret_is_refused(closed: httpx.Client, database: str) -> None:
    """The id alone opens nothing."""
    text = create(database, "--name", "one")
    other = create(database, "--name", "two")
    mixed = "_".join([*text.split("_")[:2], other.split("_", 2)[2]])

    assert closed.get("/api/v1/me", headers=bearer(text)).status_code == 200
    assert closed.get("/api/v1/me", headers=bearer(mixed)).status_code == 401


def test_an_area_is_all_that_a_key_sees(closed: httpx.Client, database: str) -> None:
    """Tags, latest values, history, KPIs, live: what lies outside is not there."""
    text = create(database, "--name", "potroom", "--area", "smelter/**")
    mine, other = "smelter/potline-1/line_current", "refinery/digestion-1/bauxite_feed"

    def status(path: str, **query: str) -> int:
        return closed.get(f"/api/v1/{path}", params=query, headers=bearer(text)).status_code

    tags = closed.get("/api/v1/tags", headers=bearer(text)).json()["tags"]
    assert {tag["path"].split("/")[0] for tag in tags} == {"smelter"}
    for path in ("latest", "history", "live"):
        if path != "live":
            assert status(path, tag=mine) == 200, path
        assert status(path, tag=other) == 404, path
    assert status("kpis/dc_specific_energy", asset="smelter/potline-1") == 200
    assert status("kpis/digestion_steam", asset="refinery/digestion-1") == 404
    assert status("assets", root="refinery") == 404


def test_roles_open_what_they_should(closed: httpx.Client, database: str) -> None:
    """A viewer reads; the audit log is for admins; nobody is told more than that."""
    viewer = bearer(create(database, "--name", "viewer"))
    admin = bearer(create(database, "--name", "admin", "--role", "admin"))

    assert closed.get("/api/v1/audit", headers=viewer).status_code == 403
    assert closed.get("/api/v1/audit", headers=admin).status_code == 200
    assert closed.post("/api/v1/tags", headers=viewer).status_code == 403
    assert closed.post("/api/v1/tags", headers=admin).status_code == 405


def test_the_audit_log_has_pages(closed: httpx.Client, database: str) -> None:
    """The newest first, each entry on one page."""
    admin = bearer(create(database, "--name", "admin", "--role", "admin"))
    for name in "abc":
        create(database, "--name", name)
    found, query = [], {"limit": "2", "action": "key.create"}
    while True:
        page = closed.get("/api/v1/audit", params=query, headers=admin).json()
        found += [entry["after"]["name"] for entry in page["entries"]]
        if not page["truncated"]:
            break
        query["cursor"] = page["cursor"]

    assert found == ["c", "b", "a", "admin"]
