"""Who gets through the gate, and what every answer says."""

import os
import subprocess
import sys

import httpx
import pytest

from api.access.loopback import is_loopback
from api.access.person import Role
from api.access.rights import right_for
from api.app import create_app
from schemas.db.catalogue import Catalogue
from tests.api.conftest import SETTINGS, Serve, through

OPEN = {"/health/live", "/health/ready", "/metrics"}


def test_every_route_has_its_right(demo: httpx.Client) -> None:
    """Open are health, metrics and forgetting a key; viewers read, engineers write.

    Admins read the audit log and open signed periods again.
    """
    admins = {("get", "/api/v1/audit"), ("post", "/api/v1/periods/{name}/reopen")}
    for path, route in demo.get("/openapi.json").json()["paths"].items():
        for method in route:
            right = right_for(method.upper(), path)
            if path in OPEN or (method, path) == ("delete", "/api/v1/session"):
                assert right.role is None
            elif (method, path) in admins:
                assert right.role is Role.ADMIN
            elif method == "get":
                assert right.role is Role.VIEWER, path
            else:
                assert right.role in {Role.ENGINEER, Role.VIEWER}, (method, path)


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Forwarded-For": "203.0.113.7"},
        {"Forwarded": "for=203.0.113.7"},
        {"Host": "attacker.example"},
        {"Host": "attacker.example:8000"},
    ],
)
def test_without_a_key_only_this_machine(demo: httpx.Client, headers: dict[str, str]) -> None:
    """Neither what a proxy passes on nor a page whose name was bent to this address."""
    assert demo.get("/api/v1/me").json()["name"] == "local"
    assert demo.get("/api/v1/me", headers=headers).status_code == 401


def test_without_a_key_nobody_writes(demo: httpx.Client) -> None:
    """The local viewer is a viewer."""
    assert demo.post("/api/v1/anything").status_code == 403


@pytest.mark.parametrize(
    ("address", "local"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("::1", True),
        ("localhost", True),
        ("0.0.0.0", False),  # noqa: S104 - what is told apart
        ("::", False),
        ("10.0.0.1", False),
        ("scada.example", False),
    ],
)
def test_loopback_is_known(address: str, local: bool) -> None:
    """Addresses that lead to this machine alone."""
    assert is_loopback(address) is local


def test_it_does_not_start_open_to_the_world() -> None:
    """A role without a key on all addresses is a wrong setting unless told twice."""
    done = subprocess.run(
        [sys.executable, "-m", "api", "serve", "--host", "0.0.0.0"],  # noqa: S104 - refused
        env={**os.environ, "API_KEYLESS_ROLE": "viewer"},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert done.returncode == 2
    assert "API_KEYLESS_ANYWHERE" in done.stderr


def test_answers_carry_their_headers(demo: httpx.Client) -> None:
    """Data, problems and pages alike; only the page of the documentation runs an inline script."""
    for path in ("/api/v1/kpis", "/api/v1/nothing", "/health/live", "/docs"):
        headers = demo.get(path).headers
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["Referrer-Policy"] == "no-referrer"
        policy = headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in policy
        assert ("script-src 'self' 'unsafe-inline'" in policy) is (path == "/docs")


def test_more_than_the_limit_is_refused(serve: Serve, database: str, pavlodar: Catalogue) -> None:
    """429 with Retry-After; health and metrics go on; the fields say what is left."""
    settings = SETTINGS.model_copy(update={"rate_per_s": 0.01, "rate_burst": 3})
    client = serve(create_app(settings, database))
    answers = [client.get("/api/v1/me") for _ in range(5)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
    assert answers[0].headers["RateLimit-Policy"] == '"requests";q=3;w=300'
    assert answers[0].headers["RateLimit"] == '"requests";r=2;t=100'
    assert int(answers[3].headers["Retry-After"]) > 60
    assert client.get("/health/live").status_code == 200


def test_guesses_are_limited_by_address(serve: Serve, database: str, pavlodar: Catalogue) -> None:
    """Whoever tries keys is slowed down; who has one is not."""
    settings = SETTINGS.model_copy(update={"rate_per_s": 0.01, "rate_burst": 3})
    client = serve(create_app(settings, database))
    wrong = {"Authorization": "Bearer ertis_000000000000_guess"}

    statuses = [client.get("/api/v1/me", headers=wrong).status_code for _ in range(5)]
    assert statuses == [401, 401, 401, 429, 429]


def test_other_origins_are_refused_unless_set(
    demo: httpx.Client, serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """No CORS header by itself; those named get theirs, also for a preflight."""
    origin = {"Origin": "https://scada.example"}
    assert "Access-Control-Allow-Origin" not in demo.get("/api/v1/me", headers=origin).headers

    settings = SETTINGS.model_copy(update={"cors_origins": ["https://scada.example"]})
    client = serve(create_app(settings, database))
    asked = {**origin, "Access-Control-Request-Method": "GET"}
    preflight = client.options("/api/v1/me", headers=asked)

    assert preflight.headers["Access-Control-Allow-Origin"] == "https://scada.example"
    stranger = client.get("/api/v1/me", headers={"Origin": "https://other.example"})
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_a_key_cannot_be_checked_without_the_database(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """503 with Retry-After: the key may well be right."""
    with through(database) as (wire, dsn):
        client = serve(create_app(SETTINGS, dsn))
        wire.cut()
        answer = client.get("/api/v1/me", headers={"Authorization": "Bearer ertis_0_x"})

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
