"""The console's files: the page, its assets, and a build that is missing."""

from pathlib import Path

import pytest
from fastapi import FastAPI

from api.app import create_app
from api.console import install
from schemas.db.catalogue import Catalogue
from tests.api.conftest import SETTINGS, Serve, serving


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """A build as Vite leaves it."""
    (tmp_path / "console").mkdir()
    (tmp_path / "index.html").write_text("<title>Ertis</title>")
    (tmp_path / "console" / "index-1a2b.js").write_text("start()")
    (tmp_path.parent / "secret.txt").write_text("not for you")
    return tmp_path


def test_the_page_is_asked_for_anew_and_its_assets_are_kept(built: Path) -> None:
    """An update is seen at the next load; what has its content in its name is fetched once."""
    app = FastAPI()
    install(app, built)
    with serving(app) as client:
        page, script = client.get("/"), client.get("/console/index-1a2b.js")

    assert page.text == "<title>Ertis</title>"
    assert page.headers["Cache-Control"] == "no-cache"
    assert script.text == "start()"
    assert "immutable" in script.headers["Cache-Control"]


@pytest.mark.parametrize("path", ["/console/../secret.txt", "/console/%2e%2e/%2e%2e/secret.txt"])
def test_no_other_file_is_served(built: Path, path: str) -> None:
    """Nothing outside the build's folder."""
    app = FastAPI()
    install(app, built)
    with serving(app) as client:
        assert client.get(path).status_code == 404


def test_without_a_build_the_answer_says_how_to_make_one(tmp_path: Path) -> None:
    """The API works without it."""
    app = FastAPI()
    install(app, tmp_path / "nothing")
    with serving(app) as client:
        answer = client.get("/")

    assert answer.status_code == 404
    assert "make console" in answer.text


def test_the_page_is_open_and_runs_nothing_but_its_own_files(
    serve: Serve, database: str, pavlodar: Catalogue
) -> None:
    """Even where all else asks for a key; no script or style within the page is run."""
    closed = SETTINGS.model_copy(update={"keyless_role": None})
    client = serve(create_app(closed, database))

    page = client.get("/")

    assert client.get("/api/v1/plant").status_code == 401
    assert page.status_code == 200, page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
