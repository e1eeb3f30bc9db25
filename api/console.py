"""The operators' console: the built page of ``console/`` at ``/``, and nothing but files.

Names of scripts and styles change with what is in them, so a browser may keep them for ever; the
page that names them is asked for anew each time.
"""

from pathlib import Path
from typing import Final

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.staticfiles import StaticFiles

#: Where ``make console`` leaves the page; wheels carry it.
BUILT: Final = Path(__file__).with_name("static")
#: Where its scripts and styles are served.
ASSETS: Final = "/console"
_FOR_EVER: Final = "public, max-age=31536000, immutable"
_MISSING: Final = "The console is not built: run `make console`. The API is described at /docs.\n"


class _Assets(StaticFiles):
    def file_response(self, *args: object, **kwargs: object) -> Response:
        response = super().file_response(*args, **kwargs)  # type: ignore[arg-type]  # passed on
        response.headers["Cache-Control"] = _FOR_EVER
        return response


def install(app: FastAPI, built: Path = BUILT) -> None:
    """Serve the page in the folder *built*; where there is none, say how to make it."""
    page = built / "index.html"

    async def console(_: Request) -> Response:
        if not page.is_file():
            return PlainTextResponse(_MISSING, status_code=404)
        return FileResponse(page, headers={"Cache-Control": "no-cache"})

    app.add_route("/", console, include_in_schema=False)
    app.mount(ASSETS, _Assets(directory=built / "console", check_dir=False), name="console")
