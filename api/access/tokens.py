"""Bearer tokens of an OpenID provider: JWTs checked against its published keys (RFC 9068, 4)."""

import json
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from urllib.request import Request, urlopen

import jwt

from api.access.areas import EVERYWHERE, Areas
from api.access.person import Person, Role
from schemas.errors import NotIdentified, ProviderDown

#: Signatures with a public key alone: with HS256 among them the public key would be a secret.
Algorithm = Literal[
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"
]
_REQUIRED: Final = ["exp", "iat", "iss", "aud", "sub"]
_LEEWAY_S: Final = 30
_FRESH_S: Final = 300.0
#: Tokens with key ids that nobody knows must not make us ask the provider for each.
_AGAIN_S: Final = 10.0
_TIMEOUT_S: Final = 5.0
_KEYS_MAX: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Provider:
    """Whose tokens are taken and what their claims mean.

    ``role_claim`` is a dotted path to a word or a list of words, which ``roles`` maps to ours;
    ``areas_claim`` likewise to areas: with None, everybody sees the whole plant.
    """

    issuer: str
    audience: str
    jwks_url: str
    algorithms: Sequence[str] = ("RS256", "ES256")
    role_claim: str = "roles"
    roles: Mapping[str, Role] | None = None
    areas_claim: str | None = None


class PublishedKeys:
    """The provider's key set, read again after some minutes or when a key is new to us.

    While the provider does not answer, the keys that are known go on.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._keys: dict[str | None, jwt.PyJWK] = {}
        self._read_s = self._tried_s = float("-inf")
        self._lock = threading.Lock()

    def key(self, key_id: str | None) -> jwt.PyJWK:
        """The key with this id. Blocks where the set has to be read.

        Raises
        ------
        NotIdentified
            The provider publishes no such key.
        ProviderDown
            It does not answer, and the key is not known yet.
        """
        with self._lock:
            now = time.monotonic()
            wanted = key_id not in self._keys or now - self._read_s > _FRESH_S
            if wanted and now - self._tried_s > _AGAIN_S:
                self._tried_s = now
                self._read(key_id)
            if (found := self._keys.get(key_id)) is None:
                raise NotIdentified(f"the identity provider has no key {key_id!r}")
            return found

    def _read(self, wanted: str | None) -> None:
        try:
            asked = Request(self._url, headers={"Accept": "application/json"})  # noqa: S310 - of the settings
            with urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310 - http or https
                keys = jwt.PyJWKSet.from_dict(json.loads(answer.read(_KEYS_MAX))).keys
        except (OSError, ValueError, jwt.PyJWTError) as error:
            if wanted in self._keys:
                return
            self._tried_s = float("-inf")
            raise ProviderDown(f"{self._url} gives no keys: {error}") from error
        self._keys = {key.key_id: key for key in keys}
        self._read_s = time.monotonic()


class Tokens:
    """Checks bearer tokens of one provider."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._keys = PublishedKeys(provider.jwks_url)

    def person(self, text: str) -> Person:
        """Who the token *text* was given to. Blocks where the provider has to be asked.

        Raises
        ------
        NotIdentified
            Not signed by the provider, not for us, expired, or without a role of ours.
        ProviderDown
            The provider's keys are not known and it does not answer.
        """
        given = self._provider
        try:
            header = jwt.get_unverified_header(text)
            if header.get("alg") not in given.algorithms:
                raise NotIdentified(f"a token is signed by {' or '.join(given.algorithms)}")
            claims = jwt.decode(
                text,
                self._keys.key(header.get("kid")),
                algorithms=list(given.algorithms),
                issuer=given.issuer,
                audience=given.audience,
                leeway=_LEEWAY_S,
                options={"require": _REQUIRED},
            )
        except jwt.PyJWTError as error:
            raise NotIdentified(f"the token is not good: {error}") from error
        return Person(str(claims["sub"]), self._role(claims), self._areas(claims))

    def _role(self, claims: Mapping[str, Any]) -> Role:
        words = _words(claims, self._provider.role_claim)
        known = self._provider.roles or {role.value: role for role in Role}
        roles = [known[word] for word in words if word in known]
        if not roles:
            raise NotIdentified(
                f"the token's {self._provider.role_claim} gives no role here; "
                f"one of {', '.join(known)} would"
            )
        return max(roles, key=list(Role).index)

    def _areas(self, claims: Mapping[str, Any]) -> Areas:
        if self._provider.areas_claim is None:
            return EVERYWHERE
        return Areas(tuple(_words(claims, self._provider.areas_claim)))


def _words(claims: Mapping[str, Any], path: str) -> list[str]:
    """The word or words at a dotted *path*; none where there is nothing of the kind."""
    found: object = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        return found.split()
    return [word for word in found if isinstance(word, str)] if isinstance(found, list) else []
