"""The operators' console: the built page of ``console/`` at ``/``, and nothing but files.

Names of scripts and styles change with what is in them, so a browser may keep them for ever; the
page that names them is asked for anew each time.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

#: Where ``make console`` leaves the page; wheels carry it.
BUILT: Final = Path(__file__).with_name("static")
#: Where its scripts and styles are served.
ASSETS: Final = "/console"
#: What a browser loads before its first page, besides the assets: the plant's tree, what KPIs are.
_LOADED_FIRST: Final = frozenset({"/api/v1/assets", "/api/v1/kpis"})
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_MISSING: Final = "The console is not built: run `make console`. The API is described at /docs.\n"


class _Assets(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        response.headers["Cache-Control"] = _FOR_EVER
        return response


class _Compressed:
    """ASGI middleware: gzip for what a browser loads first. Streams and exports go as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._gzip = GZipMiddleware(app, compresslevel=6)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        first = path in _LOADED_FIRST or path.startswith(f"{ASSETS}/")
        await (self._gzip if first else self._app)(scope, receive, send)


def install(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the page in the folder *built*; where there is none, say how to make it."""
    page = built / "index.html"

    async def console(_: Request) -> Response:
        if not page.is_file():
            return PlainTextResponse(_MISSING, status_code=404)
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    app.add_middleware(_Compressed)
    app.add_route("/", console, include_in_schema=False)
    app.mount(ASSETS, _Assets(directory=built / "console", check_dir=False), name="console")
