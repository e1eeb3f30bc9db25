"""Bearer tokens against a provider that publishes its keys over HTTP."""

import hmac
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import RSAAlgorithm
from jwt.utils import base64url_encode

from api.access.areas import EVERYWHERE, Areas
from api.access.person import Person, Role
from api.access.tokens import Provider, Tokens
from api.app import create_app
from schemas.db.catalogue import Catalogue
from schemas.errors import NotIdentified, ProviderDown
from tests.api.conftest import SETTINGS, Serve
from tests.fixtures.ports import free_port

ISSUER, AUDIENCE = "https://login.example/realms/park", "ertis"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)


class Published(BaseHTTPRequestHandler):
    """Answers every GET with the key set."""

    keys: ClassVar[dict[str, rsa.RSAPrivateKey]] = {"k1": KEY}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """The public keys as a JWK set."""
        self.asked.append(self.path)
        found = [
            {**RSAAlgorithm.to_jwk(key.public_key(), as_dict=True), "kid": name, "alg": "RS256"}
            for name, key in self.keys.items()
        ]
        body = json.dumps({"keys": found}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing."""


@contextmanager
def publishing() -> Iterator[str]:
    """The URL of the key set."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Published)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/keys"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture(scope="module")
def jwks() -> Iterator[str]:
    """The URL of the key set."""
    with publishing() as url:
        yield url


def provider(url: str, **changed: Any) -> Provider:  # noqa: ANN401 - any field
    """A provider that publishes at *url*."""
    given: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": url}
    return Provider(**given | changed)


def claims(**changed: object) -> dict[str, object]:
    """The claims of a good token; None leaves one out."""
    now = datetime.now(UTC)
    good: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": "a.serik",
        "iat": now,
        "exp": now + timedelta(minutes=5),
        "roles": ["engineer", "offline_access"],
    }
    return {name: value for name, value in (good | changed).items() if value is not None}


def token(key: rsa.RSAPrivateKey = KEY, kid: str = "k1", **changed: Any) -> str:  # noqa: ANN401 - any claim
    """A signed token."""
    return jwt.encode(claims(**changed), key, "RS256", headers={"kid": kid})


def test_a_good_token_names_somebody(jwks: str) -> None:
    """Subject, the highest role, the whole plant."""
    found = Tokens(provider(jwks)).person(token())

    assert found == Person("a.serik", Role.ENGINEER, EVERYWHERE)


def test_claims_are_mapped(jwks: str) -> None:
    """A nested claim, the issuer's own words, areas."""
    checked = provider(
        jwks, role_claim="realm_access.roles", roles={"op": Role.VIEWER}, areas_claim="areas"
    )
    given = token(realm_access={"roles": ["op"]}, areas=["smelter/**"])

    assert Tokens(checked).person(given) == Person("a.serik", Role.VIEWER, Areas(("smelter/**",)))
    assert Tokens(checked).person(token(realm_access={"roles": "op"})).areas == Areas(())


PAST = datetime.now(UTC) - timedelta(hours=1)


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://other.example"},
        {"aud": "another"},
        {"exp": PAST},
        {"nbf": datetime.now(UTC) + timedelta(hours=1)},
        {"exp": None},
        {"sub": None},
        {"aud": None},
        {"roles": None},
        {"roles": ["admins"]},
        {"roles": {"admin": True}},
    ],
)
def test_a_token_for_somebody_else_is_refused(jwks: str, changed: dict[str, Any]) -> None:
    """Issuer, audience, times, subject and role have to be right."""
    with pytest.raises(NotIdentified):
        Tokens(provider(jwks)).person(token(**changed))


def signed_with(secret: bytes) -> str:
    """HS256 with a secret of the attacker's choice, by hand: PyJWT refuses to do it."""
    head = base64url_encode(b'{"alg":"HS256","kid":"k1"}')
    body = head + b"." + token().split(".")[1].encode()
    return (body + b"." + base64url_encode(hmac.digest(secret, body, "sha256"))).decode()


def forged() -> dict[str, str]:
    """Tokens that nobody signed who may."""
    public = KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    good = token().split(".")
    return {
        "other key": token(OTHER),
        "unknown key": token(KEY, "k9"),
        "none": jwt.encode(claims(), "", "none", headers={"kid": "k1"}),
        "public key as secret": signed_with(public),
        "algorithm not allowed": jwt.encode(claims(), KEY, "RS512", headers={"kid": "k1"}),
        "claims changed": ".".join([good[0], token(sub="root").split(".")[1], good[2]]),
        "no token": "eyJ",
        "empty": ".",
    }


@pytest.mark.parametrize("how", sorted(forged()))
def test_a_forged_token_is_refused(jwks: str, how: str) -> None:
    """Whatever its header says."""
    with pytest.raises(NotIdentified):
        Tokens(provider(jwks)).person(forged()[how])


def test_a_new_key_is_fetched_once(jwks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rollover is seen; unknown key ids do not make us ask again and again."""
    checked = Tokens(provider(jwks))
    checked.person(token())
    monkeypatch.setattr(Published, "keys", {"k2": OTHER})
    monkeypatch.setattr("api.access.tokens._AGAIN_S", 0.0)
    assert checked.person(token(OTHER, "k2")).name == "a.serik"

    monkeypatch.setattr("api.access.tokens._AGAIN_S", 60.0)
    asked = len(Published.asked)
    for _ in range(5):
        with pytest.raises(NotIdentified):
            checked.person(token(KEY, "k3"))
    assert len(Published.asked) == asked


def test_known_keys_outlive_their_provider() -> None:
    """A provider that is away is no reason to lock everybody out, but nobody new gets in."""
    with publishing() as url:
        checked = Tokens(provider(url))
        checked.person(token())
    assert checked.person(token()).name == "a.serik"

    with pytest.raises(ProviderDown):
        Tokens(provider(f"http://127.0.0.1:{free_port()}/keys")).person(token())


def test_a_token_opens_the_api(serve: Serve, database: str, pavlodar: Catalogue, jwks: str) -> None:
    """Over HTTP; 401 for a bad one, 503 while the provider is away."""
    oidc = {"oidc_issuer": ISSUER, "oidc_audience": AUDIENCE, "oidc_jwks_url": jwks}
    client = serve(create_app(SETTINGS.model_copy(update=oidc), database))
    gone = {**oidc, "oidc_jwks_url": f"http://127.0.0.1:{free_port()}/keys"}
    lonely = serve(create_app(SETTINGS.model_copy(update=gone), database))

    def me(at: httpx.Client, text: str) -> httpx.Response:
        return at.get("/api/v1/me", headers={"Authorization": f"Bearer {text}"})

    assert me(client, token()).json()["name"] == "a.serik"
    assert me(client, token(OTHER)).status_code == 401
    assert me(lonely, token()).status_code == 503
