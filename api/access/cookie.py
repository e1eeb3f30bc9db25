"""A browser's key: in a cookie that no script can read and no other site can send.

Neither a page's first request nor its EventSource can carry an Authorization header. The cookie is
the key itself, so that one that is revoked ends with it; ``HttpOnly`` keeps it from scripts,
``SameSite=Strict`` from requests that other sites cause.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import Response

COOKIE: Final = "ertis_key"
_PATH: Final = "/api"
#: A shift does not type its key every morning; a browser that nobody uses forgets it.
_KEPT_S: Final = 30 * 86_400
_READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def keep(request: Request, response: Response, key: str) -> None:
    """Have the browser keep *key*; over HTTPS it is never sent without it."""
    response.set_cookie(
        COOKIE,
        key,
        max_age=_KEPT_S,
        path=_PATH,
        secure=request.url.scheme == "https",
        httponly=True,
        samesite="strict",
    )


def forget(response: Response) -> None:
    """Have the browser forget its key."""
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="strict")


def kept_by_browser(request: Request) -> str | None:
    """The Authorization that the browser's cookie stands for, if our own page asks; else None.

    To a browser another port of this host is the same site, so a page there could write with the
    cookie: what writes has to come from our own origin (Fetch Metadata, W3C; Origin, RFC 6454).
    """
    if request.method not in _READING and not _of_our_page(request):
        return None
    key = request.cookies.get(COOKIE)
    return f"Bearer {key}" if key else None


def _of_our_page(request: Request) -> bool:
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site == "same-origin"
    # Browsers send Sec-Fetch-Site only over HTTPS and to this machine, but Origin always.
    origin = urlsplit(request.headers.get("Origin", ""))
    return bool(origin.netloc) and origin.netloc == request.headers.get("Host")
