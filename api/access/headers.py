"""Headers that keep a browser from doing with an answer what it is not for."""

from collections.abc import Mapping
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_ALWAYS: Final[Mapping[str, str]] = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
}
_DATA: Final = "default-src 'none'; frame-ancestors 'none'"
_PAGE: Final = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'"
)
#: The page of Swagger UI starts its script from within, and has styles and pictures in it.
_DOCS: Final = (
    f"{_PAGE}; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:"
)


class Guarded:
    """ASGI middleware: every answer says that it is neither sniffed, framed nor extended.

    That a page is served by HTTPS is for the proxy to say (Strict-Transport-Security): it ends TLS.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on and mark its answer."""

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_ALWAYS)
                page = headers.get("Content-Type", "").startswith("text/html")
                docs = scope["path"].startswith("/docs")
                policy = (_DOCS if docs else _PAGE) if page else _DATA
                # A page may have asked for a stricter one of its own.
                headers.setdefault("Content-Security-Policy", policy)
            await send(message)

        await self._app(scope, receive, marked if scope["type"] == "http" else send)
