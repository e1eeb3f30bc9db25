"""API keys: ``ertis_<id>_<secret>``, shown once, hashed at rest.

The secret has 256 random bits, so that its plain SHA-256 cannot be searched: a slow hash protects
what people choose, and would cost each request what it costs an attacker. The id is no secret; it
finds the row, and the hashes are then compared in constant time.
"""

import hmac
import secrets
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Final

import sqlalchemy as sa

from api.access.areas import Areas
from api.access.person import Person, Role
from schemas.db.audit import record
from schemas.db.tables import api_key
from schemas.errors import ConfigError, NotFoundError, NotIdentified, nearest

PREFIX: Final = "ertis_"
#: How long a key that was revoked elsewhere still opens, and an unknown one is asked for once [s].
FRESH_S: Final = 5.0
_AGAIN_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class Key:
    """A key as it is stored; ``id`` names it, its secret is not kept."""

    id: str
    name: str
    role: Role
    areas: Areas
    created_at: datetime
    created_by: str
    expires_at: datetime | None
    revoked_at: datetime | None

    def state(self, now: datetime) -> str:
        """Whether it opens at *now*."""
        if self.revoked_at is not None:
            return "revoked"
        if self.expires_at is not None and self.expires_at <= now:
            return "expired"
        return "valid"


def create(
    connection: sa.Connection,
    name: str,
    role: Role,
    areas: Areas,
    *,
    by: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> str:
    """A new key in the caller's transaction; its text, which nobody can ever read again.

    Raises
    ------
    ConfigError
        A key of this name is valid, or the end is in the past.
    """
    if expires_at is not None and expires_at <= now:
        raise ConfigError("expires", expires_at.isoformat(), "a key that never opens is none")
    if any(key.name == name and key.state(now) == "valid" for key in listed(connection)):
        raise ConfigError("name", name, "a key of this name is valid: revoke it, or name another")
    key_id, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    row = {"name": name, "role": role.value, "areas": list(areas.patterns)}
    connection.execute(
        sa.insert(api_key).values(
            id=key_id,
            **row,
            secret_hash=_hashed(secret),
            created_at=now,
            created_by=by,
            expires_at=expires_at,
        )
    )
    until = None if expires_at is None else expires_at.isoformat()
    record(connection, now, by, "key.create", key_id, after={**row, "expires_at": until})
    return f"{PREFIX}{key_id}_{secret}"


def revoke(connection: sa.Connection, key_id: str, *, by: str, now: datetime) -> Key:
    """End a key in the caller's transaction; one that is revoked already stays as it is.

    Raises
    ------
    NotFoundError
        No key has this id.
    """
    known = {key.id: key for key in listed(connection)}
    if (key := known.get(key_id)) is None:
        raise NotFoundError("key", key_id, nearest(key_id, known))
    if key.revoked_at is None:
        at_id = sa.update(api_key).where(api_key.c.id == key_id)
        connection.execute(at_id.values(revoked_at=now))
        record(
            connection,
            now,
            by,
            "key.revoke",
            key_id,
            before={"name": key.name, "revoked_at": None},
            after={"name": key.name, "revoked_at": now.isoformat()},
        )
    return key


def listed(connection: sa.Connection) -> list[Key]:
    """All keys that ever were, the oldest first."""
    rows = connection.execute(sa.select(api_key).order_by(api_key.c.created_at, api_key.c.id))
    return [_key(row) for row in rows]


def _key(row: sa.Row[tuple[object, ...]]) -> Key:
    found = row._mapping  # noqa: SLF001 - SQLAlchemy's public name for it
    return Key(
        found["id"],
        found["name"],
        Role(found["role"]),
        Areas(tuple(found["areas"])),
        found["created_at"],
        found["created_by"],
        found["expires_at"],
        found["revoked_at"],
    )


def _hashed(secret: str) -> bytes:
    return sha256(secret.encode()).digest()


#: What a key that nobody has is compared with: the answer takes as long as for a wrong secret.
_NOBODY: Final = _hashed("")


class Keyring:
    """The keys as they were read at most `FRESH_S` ago, so that a request costs no query."""

    def __init__(
        self,
        connection: Callable[[], AbstractContextManager[sa.Connection]],
        now: Callable[[], datetime],
    ) -> None:
        self._connection = connection
        self._now = now
        self._keys: Mapping[str, tuple[Key, bytes]] = {}
        self._read_s = float("-inf")
        self._lock = threading.Lock()

    def person(self, text: str) -> Person:
        """Whose key *text* is. Blocks where the keys have to be read.

        Raises
        ------
        NotIdentified
            No key, a wrong one, or one that is expired or revoked.
        UnavailableError
            The database does not answer.
        """
        key_id, _, secret = text.removeprefix(PREFIX).partition("_")
        key, expected = self._known(key_id) or (None, _NOBODY)
        same = hmac.compare_digest(_hashed(secret), expected)
        if key is None or not same:
            raise NotIdentified("this key is not known here; python -m api keys list shows them")
        if (state := key.state(self._now())) != "valid":
            raise NotIdentified(f"key {key.id} ({key.name}) is {state}; ask for a new one")
        return Person(key.name, key.role, key.areas)

    def _known(self, key_id: str) -> tuple[Key, bytes] | None:
        with self._lock:
            age_s = time.monotonic() - self._read_s
            if age_s > FRESH_S or (key_id not in self._keys and age_s > _AGAIN_S):
                with self._connection() as connection:
                    rows = connection.execute(sa.select(api_key)).all()
                self._keys = {row.id: (_key(row), bytes(row.secret_hash)) for row in rows}
                self._read_s = time.monotonic()
            return self._keys.get(key_id)
