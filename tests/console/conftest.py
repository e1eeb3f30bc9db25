"""A browser, a park that runs, and the console that its API serves."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from api.console import BUILT
from tests.console.screen import ROOT
from tests.fixtures.standalone import Standalone

CHROMIUM: Final = shutil.which("chromium")
#: No sandbox: tests run as root in containers. What else is named would call home.
ARGUMENTS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@pytest.fixture(scope="session")
def _built() -> None:
    """The console as its sources are; `make test` sees to it."""
    page = BUILT / "index.html"
    parts = [ROOT / "console" / name for name in ("index.html", "package-lock.json")]
    sources = [*parts, *(one for one in (ROOT / "console" / "src").rglob("*") if one.is_file())]
    newest = max(one.stat().st_mtime for one in sources)
    if not page.is_file() or page.stat().st_mtime < newest:
        pytest.fail("the console is not built, or older than console/: run `make console`")


# Of a module, not of the session: while it is open, an event loop runs in this thread, and tests
# of other modules want one of their own.
@pytest.fixture(scope="module")
def browser(_built: None) -> Iterator[Browser]:
    """Debian's Chromium."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed (Debian: chromium)")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture(scope="module")
def park(browser: Browser) -> Iterator[Standalone]:
    """The whole park, for the tests of a module."""
    with tempfile.TemporaryDirectory(prefix="ertis-test-") as home:
        started = Standalone.start(Path(home) / "data")
        try:
            yield started
        finally:
            if started.runs:
                started.interrupt()


@pytest.fixture(scope="module")
def root(park: Standalone) -> str:
    """Where the park's API serves the console."""
    return f"http://127.0.0.1:{park.port}"
