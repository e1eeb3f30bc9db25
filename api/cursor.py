"""Cursors: where the next page of an answer begins.

A cursor is opaque to the caller and holds all that the next page needs to fit to the one before:
the span as instants (``-7d`` means another span a minute later) and the key of the next row.
"""

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

import orjson

from schemas.errors import RequestError

Key = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Cursor:
    """The next page of the request with fingerprint ``request``.

    ``key`` is the first row of that page, ``span`` the request's span, both as integers: a time is
    in microseconds since 1970.
    """

    request: str
    key: Key
    span: Key = (0, 1)

    def encode(self) -> str:
        """As it is given to the caller."""
        raw = orjson.dumps([self.request, *self.key, *self.span])
        return urlsafe_b64encode(raw).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str, request: str) -> "Cursor":
        """The cursor that *text* is; `RequestError` if it was not made for this *request*."""
        try:
            raw = orjson.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4)))
            found, *numbers = raw
            first, second, start, end = (_whole(number) for number in numbers)
            if start >= end:
                raise ValueError("an empty span has no pages")  # noqa: TRY301 - one answer to all
        except (ValueError, TypeError) as error:
            raise RequestError(
                "cursor", text, "send the cursor of the page before, unchanged"
            ) from error
        if found != request:
            raise RequestError(
                "cursor", text, "it belongs to another request: keep every parameter the same"
            )
        return cls(found, (first, second), (start, end))


def _whole(number: object) -> int:
    # 2**53 us after 1970 is in the year 2255.
    if not isinstance(number, int) or not 0 <= number < 2**53:
        raise ValueError(f"{number!r} is no number of a cursor")
    return number


def fingerprint(*parts: object) -> str:
    """A short digest of what a request asks for; the same for each of its pages."""
    return hashlib.blake2b(repr(parts).encode(), digest_size=9).hexdigest()
